//! What a lesson starts from when it is about something else: a port, a connection on it, and a
//! receive that is pending. `create_port.rs` and `receive.rs` explain the calls.
#![allow(dead_code, reason = "each lesson takes what it needs")]
#![allow(unsafe_code, reason = "it makes the calls without the layer")]

use std::io::{Error, Result};
use std::net::{TcpListener, TcpStream};
use std::os::windows::io::{AsRawHandle, AsRawSocket, FromRawHandle, IntoRawHandle, OwnedHandle};
use std::ptr::null_mut;

use overlapped::ffi;
use overlapped::ffi::constants::{
    ERROR_NOT_FOUND, FALSE, INFINITE, INVALID_HANDLE_VALUE, WSA_IO_PENDING,
};
use overlapped::ffi::types::{DWORD, HANDLE, OVERLAPPED, OVERLAPPED_ENTRY, SOCKET, WSABUF};

/// A port, which is closed when this is dropped. Nobody here follows an address in a packet unless
/// it is that of a receive which the program has started.
pub struct Port(OwnedHandle);

impl Port {
    pub fn new() -> Result<Self> {
        // SAFETY: there is no file, and no port yet.
        let port = unsafe {
            ffi::kernel32::CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 0)
        };
        if port.is_null() {
            return Err(Error::last_os_error());
        }
        // SAFETY: it was made just now, and nobody else has it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(port) }))
    }

    pub fn handle(&self) -> HANDLE {
        self.0.as_raw_handle()
    }

    /// The handle, for who closes it.
    pub fn into_handle(self) -> HANDLE {
        self.0.into_raw_handle()
    }

    pub fn associate(&self, stream: &TcpStream, key: usize) -> Result<()> {
        let (port, socket) = (self.handle(), stream.as_raw_socket() as SOCKET as HANDLE);
        // SAFETY: both are open, and addresses in packets are followed only if they are known.
        let answer = unsafe { ffi::kernel32::CreateIoCompletionPort(socket, port, key, 0) };
        if answer.is_null() { Err(Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits for one packet.
    pub fn packet(&self) -> Result<OVERLAPPED_ENTRY> {
        self.packet_within(INFINITE).ok_or_else(Error::last_os_error)
    }

    /// Waits so many milliseconds for one packet. After `None` the last error says why.
    pub fn packet_within(&self, wait: DWORD) -> Option<OVERLAPPED_ENTRY> {
        let (mut entry, mut removed) = (nothing(), 0);
        let (port, one, number) = (self.handle(), &raw mut entry, &raw mut removed);
        // SAFETY: the port is open; there is room for one entry and for the number; no APCs run.
        let taken = unsafe {
            ffi::kernel32::GetQueuedCompletionStatusEx(port, one, 1, number, wait, FALSE)
        };
        (taken != FALSE).then_some(entry)
    }

    pub fn post(&self, key: usize) -> Result<()> {
        let (port, nowhere) = (self.handle(), null_mut());
        // SAFETY: the port is open, and the address is NULL.
        let posted = unsafe { ffi::kernel32::PostQueuedCompletionStatus(port, 0, key, nowhere) };
        if posted == FALSE { Err(Error::last_os_error()) } else { Ok(()) }
    }
}

/// A place for an entry.
pub const fn nothing() -> OVERLAPPED_ENTRY {
    OVERLAPPED_ENTRY {
        lpCompletionKey: 0,
        lpOverlapped: null_mut(),
        Internal: 0,
        dwNumberOfBytesTransferred: 0,
    }
}

/// Two ends of a connection, of which the first is on the port.
pub fn connected(port: &Port, key: usize) -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    port.associate(&near, key)?;
    Ok((near, listener.accept()?.0))
}

/// Asks for the end of all that is pending on the socket. The packets come all the same.
pub fn cancel_all(stream: &TcpStream) -> Result<()> {
    let socket = stream.as_raw_socket() as SOCKET as HANDLE;
    // SAFETY: the socket is open, and NULL is all that is pending on it.
    let asked = unsafe { ffi::kernel32::CancelIoEx(socket, null_mut()) };
    match Error::last_os_error() {
        _ if asked != FALSE => Ok(()),
        error if error.raw_os_error() == Some(ERROR_NOT_FOUND as i32) => Ok(()), // all have ended
        error => Err(error),
    }
}

/// What a receive lends to the kernel. Its address is that of its first field.
#[repr(C)]
pub struct Operation {
    pub overlapped: OVERLAPPED,
    pub flags: DWORD,
    pub bytes: [u8; 16],
}

impl Operation {
    pub const fn new() -> Self {
        let overlapped = OVERLAPPED {
            Internal: 0,
            InternalHigh: 0,
            Offset: 0,
            OffsetHigh: 0,
            hEvent: null_mut(),
        };
        Self { overlapped, flags: 0, bytes: [0; 16] }
    }
}

/// Memory to lend: an operation, with the place of its flags and of its bytes. It is freed by who
/// makes a box of it again, and else never.
pub fn lend() -> (*mut Operation, *mut DWORD, WSABUF) {
    let operation = Box::into_raw(Box::new(Operation::new()));
    // SAFETY: the box is there, and nobody else knows it.
    let flags = unsafe { &raw mut (*operation).flags };
    // SAFETY: as above.
    let bytes = unsafe { &raw mut (*operation).bytes };
    (operation, flags, WSABUF { len: 16, buf: bytes.cast() })
}

/// A receive that was started. If it is dropped, its memory stays, for the kernel has it.
pub struct Receive(*mut Operation);

impl Receive {
    pub fn start(stream: &TcpStream) -> Result<Self> {
        let (operation, flags, buffer) = lend();
        let (socket, overlapped) = (stream.as_raw_socket() as SOCKET, operation.cast());
        // SAFETY: the socket is open. What is lent is never freed, unless `take_back` is told that
        // its packet has been dequeued. The description of the buffer is needed during the call.
        let answer = unsafe {
            ffi::ws2_32::WSARecv(socket, &buffer, 1, null_mut(), flags, overlapped, None)
        };
        match (answer, ffi::ws2_32::WSAGetLastError()) {
            (0, _) | (_, WSA_IO_PENDING) => Ok(Self(operation)),
            (_, error) => Err(Error::from_raw_os_error(error)),
        }
    }

    pub fn overlapped(&self) -> *mut OVERLAPPED {
        self.0.cast()
    }

    /// The memory again.
    ///
    /// # Safety
    ///
    /// * Its packet has been dequeued.
    pub unsafe fn take_back(self) -> Box<Operation> {
        // SAFETY: it came from a box, and goes back once. The kernel has nothing to do with it any
        // more, by the caller's promise and since the call has returned.
        unsafe { Box::from_raw(self.0) }
    }
}
