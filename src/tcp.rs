//! Operations on a TCP stream.

#![allow(unsafe_code, reason = "it makes the system calls of a stream")]

use std::io;
use std::net::TcpStream;
use std::os::windows::io::{AsRawSocket, BorrowedHandle};
use std::ptr::{null_mut, without_provenance_mut};

use super::buffer::Buffer;
use super::ffi;
use super::ffi::constants::WSA_IO_PENDING;
use super::ffi::types::{OVERLAPPED, SOCKET, WSABUF};
use super::in_flight::{OperationId, Reserved};
use super::operation::{Operation, Work};
use super::registration::{Registration, Source, sealed};
use super::rejected::Rejected;

impl Source for TcpStream {}

impl sealed::Handle for TcpStream {
    fn handle(&self) -> BorrowedHandle<'_> {
        let handle = without_provenance_mut(socket(self));
        // SAFETY: a socket is a kernel handle, which the stream keeps open while it is borrowed.
        unsafe { BorrowedHandle::borrow_raw(handle) }
    }
}

impl<B: Buffer> Registration<TcpStream, B> {
    /// Receives once, into the spare room of the buffer. The buffer is lent: it comes back in a
    /// [`Completion::Received`](super::Completion::Received), on whichever thread dequeues it,
    /// possibly before this returns.
    ///
    /// A receive ends when there are bytes, however few, and not when the buffer is full. A buffer that
    /// gathers a message is full in the end, so give it room before each receive
    /// (`buffer.reserve(4096)`): without room it is turned away. Several may
    /// be pending; the system fills them in the order of submission. A room of more than `u32::MAX`
    /// bytes is used up to there.
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], and nothing else will come:
    ///
    /// * `InvalidInput`: the buffer has no spare room;
    /// * `NotConnected`: the stream is not connected (`WSAENOTCONN`);
    /// * `ConnectionReset`, `ConnectionAborted`: it was reset, or broken off on this side;
    /// * a kind that std has no name for, with code 10058: it was shut down for reading
    ///   (`WSAESHUTDOWN`), or with 10055: the system is out of buffers (`WSAENOBUFS`);
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight.
    ///
    /// Calls [`WSARecv`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv).
    ///
    /// ```compile_fail,E0382
    /// # use overlapped::*;
    /// # fn lent(stream: &Registration<std::net::TcpStream>) {
    /// let buffer = Vec::with_capacity(4096);
    /// stream.receive(buffer).unwrap();
    /// println!("{}", buffer.len()); // it is the kernel's now
    /// # }
    /// ```
    #[doc(alias = "WSARecv")]
    pub fn receive(&self, buffer: B) -> Result<OperationId, Rejected<B>> {
        self.submit_receive(Work::Receive(buffer))
            .map_err(|rejected| rejected.map(Work::into_buffer))
    }

    /// Tells when there is something to receive, and lends nothing until then: a receive of no bytes,
    /// which ends with a [`Completion::Readable`](super::Completion::Readable) and leaves the bytes
    /// where they are. Thousands of idle connections so tie up no buffers.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive), without `InvalidInput`.
    ///
    /// Calls [`WSARecv`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv).
    #[doc(alias = "WSARecv")]
    pub fn readable(&self) -> io::Result<OperationId> {
        Ok(self.submit_receive(Work::Readable)?)
    }

    fn submit_receive(&self, work: Work<B>) -> Result<OperationId, Rejected<Work<B>>> {
        let mut reserved = self.membership.reserve(work)?;
        let Some(room) = room_of(&mut reserved) else {
            let full = "the buffer has no spare room, so nothing could be received into it; clear \
                        it, or give it more capacity";
            let error = io::Error::new(io::ErrorKind::InvalidInput, full);
            return Err(Rejected::new(error, reserved.into_value().work));
        };
        let flags = &raw mut reserved.value().flags;
        let socket = socket(self.get_ref());
        let start = |overlapped: *mut OVERLAPPED| {
            // The count stays NULL, as Microsoft asks: with an OVERLAPPED it could be wrong.
            let (buffers, count, routine) = (&raw const room, null_mut(), None);
            // SAFETY: the socket is open, for `self` owns it. The array of one buffer is read during
            // the call. The memory it names, the flags and the `OVERLAPPED` are lent: they rest in
            // the table, or in the buffer there, until the packet is dequeued.
            let answer = unsafe {
                ffi::ws2_32::WSARecv(socket, buffers, 1, count, flags, overlapped, routine)
            };
            accepted(answer)
        };
        // SAFETY: it starts an operation on this socket. On a stream, a call that fails at once with
        // anything but "pending" queues no packet.
        unsafe { self.membership.lend(reserved, start) }
    }
}

/// What the operation may write to. `None` if it should receive, but into nothing.
fn room_of<B: Buffer>(reserved: &mut Reserved<'_, Operation<B>>) -> Option<WSABUF> {
    let Work::Receive(buffer) = &mut reserved.value().work else {
        return Some(WSABUF { len: 0, buf: null_mut() });
    };
    let spare = buffer.spare();
    let len = u32::try_from(spare.len()).unwrap_or(u32::MAX);
    (len > 0).then(|| WSABUF { len, buf: spare.as_mut_ptr().cast() })
}

/// Whether the system has taken an operation: at once or pending, a packet comes.
fn accepted(answer: i32) -> io::Result<()> {
    match answer {
        0 => Ok(()),
        _ => match ffi::ws2_32::WSAGetLastError() {
            WSA_IO_PENDING => Ok(()),
            code => Err(io::Error::from_raw_os_error(code)),
        },
    }
}

/// The socket as the calls take it. std says `u64` or `u32`, as wide as a pointer.
fn socket(stream: &TcpStream) -> SOCKET {
    stream.as_raw_socket() as SOCKET
}
