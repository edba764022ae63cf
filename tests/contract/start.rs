//! Starting an operation: the calls that lend memory to the kernel, and events and sockets that
//! std does not make.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::hint::black_box;
use std::net::TcpListener;
use std::os::windows::io::{
    AsRawHandle, AsRawSocket, FromRawHandle, FromRawSocket, OwnedHandle, OwnedSocket,
};
use std::ptr::{null, null_mut};

use overlapped::ffi;
use overlapped::ffi::constants::{AF_INET, FALSE, INVALID_SOCKET, IPPROTO_TCP, SOCK_STREAM, TRUE};
use overlapped::ffi::types::{BOOL, DWORD, HANDLE, WSABUF};

use super::kernel::{Answer, DEADLINE, Operation, handle_of, last_error, raw};

/// A receive, and what is special about it.
#[derive(Debug)]
pub struct Receive {
    pub room: usize,
    pub flags: DWORD,
    pub event: HANDLE,
    /// Whether the call is to write the count of an immediate success.
    pub counted: bool,
}

impl Receive {
    pub fn of(room: usize) -> Self {
        Self { room, flags: 0, event: null_mut(), counted: false }
    }

    /// `WSARecv`. The description of the room stands on the stack, and is spoilt after the call.
    pub fn start(self, socket: &impl AsRawSocket) -> (Operation, Answer) {
        let operation = Operation::new(vec![0; self.room], self.flags, self.event);
        let (flags, counted) = operation.flags_and_count();
        let counted = if self.counted { counted } else { null_mut() };
        let (overlapped, mut room) = (operation.overlapped(), operation.wsabuf());
        // SAFETY: the socket is open. The room, the flags, the count and the operation stay where
        // they are until the packet was dequeued, or for ever; nobody touches them before.
        let answer = Answer::of(
            unsafe {
                ffi::ws2_32::WSARecv(raw(socket), &room, 1, counted, flags, overlapped, None)
            } == 0,
        );
        room.len = 0;
        room.buf = null_mut();
        black_box(&mut room);
        (operation, answer)
    }
}

/// A receive like any other.
pub fn receive(socket: &impl AsRawSocket, room: usize) -> (Operation, Answer) {
    Receive::of(room).start(socket)
}

/// A receive that finds nothing there.
#[track_caller]
pub fn pending(socket: &impl AsRawSocket, room: usize) -> Operation {
    let (operation, answer) = receive(socket, room);
    assert_eq!(answer, Answer::Pending);
    operation
}

/// `WSASend`.
pub fn send(socket: &impl AsRawSocket, bytes: Vec<u8>) -> (Operation, Answer) {
    let operation = Operation::new(bytes, 0, null_mut());
    let (overlapped, bytes) = (operation.overlapped(), operation.wsabuf());
    // SAFETY: the socket is open. The bytes and the operation stay where they are until the packet
    // was dequeued, or for ever; nobody touches them before.
    let answer = Answer::of(
        unsafe { ffi::ws2_32::WSASend(raw(socket), &bytes, 1, null_mut(), 0, overlapped, None) }
            == 0,
    );
    (operation, answer)
}

/// `CancelIoEx` of one operation, or of all on the socket. An error is the thread's last error.
pub fn cancel(socket: &impl AsRawSocket, operation: Option<&Operation>) -> Result<(), DWORD> {
    cancel_on(handle_of(socket), operation)
}

/// The same on a file or a pipe.
pub fn cancel_on(file: HANDLE, operation: Option<&Operation>) -> Result<(), DWORD> {
    let operation = operation.map_or(null_mut(), Operation::overlapped);
    // SAFETY: the file is open, and whoever still has the operation has not dequeued its packet.
    let answer = unsafe { ffi::kernel32::CancelIoEx(file, operation) };
    if answer == FALSE { Err(last_error()) } else { Ok(()) }
}

/// `SetFileCompletionNotificationModes`, with `FILE_SKIP_COMPLETION_PORT_ON_SUCCESS`.
pub fn skip_on_success(socket: &impl AsRawSocket) {
    skip_on_success_of(handle_of(socket));
}

/// The same on a file or a pipe.
pub fn skip_on_success_of(file: HANDLE) {
    let flag = ffi::constants::FILE_SKIP_COMPLETION_PORT_ON_SUCCESS;
    // SAFETY: the file is open, and the test that asks for this expects it.
    let answer = unsafe { ffi::kernel32::SetFileCompletionNotificationModes(file, flag) };
    assert_ne!(answer, FALSE, "error {}", last_error());
}

impl Operation {
    fn wsabuf(&self) -> WSABUF {
        WSABUF { len: self.length(), buf: self.buffer() }
    }
}

/// A TCP socket of IPv4 that nobody has bound or connected.
pub fn socket(flags: DWORD) -> OwnedSocket {
    // std starts Winsock when it makes its first socket.
    drop(TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback"));
    // SAFETY: without a description of the protocol the call touches no memory of ours.
    let socket = unsafe {
        ffi::ws2_32::WSASocketW(AF_INET.into(), SOCK_STREAM, IPPROTO_TCP, null(), 0, flags)
    };
    assert_ne!(socket, INVALID_SOCKET, "error {}", last_error());
    // SAFETY: the socket is new and nobody else's.
    unsafe { OwnedSocket::from_raw_socket(socket as _) }
}

/// An event, not signalled, that stays signalled once it is.
pub fn event() -> OwnedHandle {
    // SAFETY: without attributes and a name the call touches no memory of ours.
    let event = unsafe { ffi::kernel32::CreateEventW(null(), TRUE, FALSE, null()) };
    assert!(!event.is_null(), "error {}", last_error());
    // SAFETY: the handle is new and nobody else's.
    unsafe { OwnedHandle::from_raw_handle(event) }
}

/// Waits until the event is signalled.
#[track_caller]
pub fn wait_for(event: &OwnedHandle) {
    // SAFETY: the handle is open during the call.
    let answer = unsafe { WaitForSingleObject(event.as_raw_handle(), DEADLINE) };
    assert_eq!(answer, 0, "the event was not signalled");
}

/// Queues a call to this thread, that its next alertable wait makes.
pub fn queue_apc() {
    unsafe extern "system" fn nothing(_: usize) {}
    // SAFETY: the pseudo-handle is this thread's, and the function is there for ever.
    let answer = unsafe { QueueUserAPC(nothing, GetCurrentThread(), 0) };
    assert_ne!(answer, 0, "error {}", last_error());
}

/// Whether programs that this one starts get the handle too.
pub fn is_inherited(handle: HANDLE) -> bool {
    let mut flags = 0;
    // SAFETY: the handle is open, and the flags are written during the call.
    let answer = unsafe { GetHandleInformation(handle, &mut flags) };
    assert_ne!(answer, FALSE, "error {}", last_error());
    flags & 1 != 0
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn WaitForSingleObject(handle: HANDLE, milliseconds: DWORD) -> DWORD;
    fn QueueUserAPC(
        function: unsafe extern "system" fn(usize),
        thread: HANDLE,
        data: usize,
    ) -> DWORD;
    safe fn GetCurrentThread() -> HANDLE;
    fn GetHandleInformation(handle: HANDLE, flags: *mut DWORD) -> BOOL;
}
