//! Operations on a TCP stream.

#![allow(unsafe_code, reason = "it makes the system calls of a stream")]

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::windows::io::{AsSocket, BorrowedHandle};

use super::super::buffer::{Buffer, Parts, array};
use super::super::ffi;
use super::super::ffi::constants::*;
use super::super::in_flight::Reserved;
use super::super::operation::{Operation, OperationKind, SubmitOutcome};
use super::super::registration::{
    Mode, Registration, Rejected, Source, buffer_of, count, refuse, sealed,
};
use super::super::socket::{handle_of, raw, require_stream};

impl Source for TcpStream {}

impl sealed::Handle for TcpStream {
    type Memo = ();

    fn handle(&self) -> BorrowedHandle<'_> {
        handle_of(self)
    }

    fn check(&self) -> io::Result<()> {
        require_stream(self.as_socket())
    }
}

impl<B: Buffer, M: Mode> Registration<TcpStream, B, M> {
    /// Receives once, into the spare room of the buffer. The buffer is lent: it comes back in a
    /// [`Completion::Received`](super::super::Completion::Received), on whichever thread dequeues
    /// it, possibly before this returns.
    ///
    /// A receive ends as soon as there is at least one byte, and need not fill the buffer. A buffer
    /// that is received into again and again without being cleared becomes full, so give it room
    /// before each receive (`buffer.reserve(4096)`): without room it is rejected. Several may be
    /// pending; the system fills them in the order of submission, and those that two threads submit
    /// at the same time in no particular order. A buffer of several parts is filled part by part.
    /// Of one part 1 GiB is used at the most, of a buffer 16 parts and `u32::MAX` bytes; if a part
    /// is larger, the parts behind it are not used.
    ///
    /// Returns an [`OperationId`](super::super::OperationId), or for an
    /// [`Inline`](super::super::Inline) registration a [`Submitted`](super::super::Submitted),
    /// which may have the completion already.
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], and nothing else will come:
    ///
    /// * `InvalidInput`: the buffer has no spare room;
    /// * `NotConnected`: the stream is not connected (`WSAENOTCONN`);
    /// * `ConnectionReset`, `ConnectionAborted`: it was reset, or ended by this system, for example
    ///   because the peer did not answer;
    /// * `WouldBlock`: too many operations are pending in the system (`WSAEWOULDBLOCK`); submit
    ///   again when some have completed;
    /// * a kind that std has no name for, at least not in each version, with code 10058: it was
    ///   shut down for reading (`WSAESHUTDOWN`), with 10052: it did not keep alive
    ///   (`WSAENETRESET`), or with 10055: the system is out of buffers (`WSAENOBUFS`);
    /// * another error of the system, such as `TimedOut` and `NetworkDown`;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight.
    ///
    /// Calls
    /// [`WSARecv`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv).
    ///
    /// ```compile_fail,E0382
    /// # use overlapped::*;
    /// # fn lent(stream: &Registration<std::net::TcpStream>) {
    /// let buffer = Vec::with_capacity(4096);
    /// stream.receive(buffer).unwrap();
    /// println!("{}", buffer.len()); // it is the kernel's now
    /// # }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// # use overlapped::*;
    /// # fn only_streams(listener: &Registration<std::net::TcpListener>) {
    /// // No method `receive`: it accepts.
    /// listener.receive(Vec::with_capacity(4096));
    /// # }
    /// ```
    #[doc(alias = "WSARecv")]
    pub fn receive(&self, buffer: B) -> Result<M::Answer<B>, Rejected<B>> {
        let mut reserved = self.reserve(OperationKind::Receive(buffer))?;
        let mut array = array();
        let parts = Parts::spare(reserved.value().kind.buffer(), &mut array);
        if parts.is_empty() {
            let full = "the buffer has no spare room, so nothing could be received into it; clear \
                        it, or give it more capacity";
            let error = io::Error::new(io::ErrorKind::InvalidInput, full);
            return Err(refuse(reserved, error));
        }
        // SAFETY: the parts are those of the buffer in the operation.
        unsafe { self.start_receive(reserved, &parts) }.map_err(buffer_of)
    }

    /// Tells when there is something to receive, and lends nothing until then: a receive of no
    /// bytes, which ends with a [`Completion::Readable`](super::super::Completion::Readable) and
    /// leaves the bytes where they are. So thousands of idle connections hold no buffers.
    ///
    /// Returns what [`receive`](Self::receive) does.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive), without `InvalidInput`.
    ///
    /// Calls
    /// [`WSARecv`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv).
    #[doc(alias = "WSARecv")]
    pub fn readable(&self) -> io::Result<M::Answer<B>> {
        let reserved = self.association.reserve(OperationKind::Readable)?;
        // SAFETY: there are no bytes in the parts.
        Ok(unsafe { self.start_receive(reserved, &Parts::empty(&mut array())) }?)
    }

    /// Sends the filled bytes of the buffer. The buffer is lent: it comes back in a
    /// [`Completion::Sent`](super::super::Completion::Sent) with the count of bytes, on whichever
    /// thread dequeues it, possibly before this returns.
    ///
    /// A send ends when the system has taken all the bytes, which is not when the peer has them. If
    /// the peer does not receive, it stays pending. Several may be pending; the bytes go out in the
    /// order of submission, and those that two threads submit at the same time in no particular
    /// order. A buffer of several parts is sent part by part. Of one part 1 GiB is sent at the
    /// most, of a buffer 16 parts and `u32::MAX` bytes; what is behind a part that was cut is not
    /// sent, as the count tells. A send of no bytes completes immediately.
    ///
    /// Returns what [`receive`](Self::receive) does.
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], nothing was sent, and nothing else will come:
    ///
    /// * `NotConnected`: the stream is not connected (`WSAENOTCONN`);
    /// * `ConnectionReset`, `ConnectionAborted`: it was reset, or ended by this system, for example
    ///   because the peer did not answer;
    /// * `WouldBlock`: too many operations are pending in the system (`WSAEWOULDBLOCK`); submit
    ///   again when some have completed;
    /// * a kind that std has no name for, at least not in each version, with code 10058: it was
    ///   shut down for writing (`WSAESHUTDOWN`), with 10052: it did not keep alive
    ///   (`WSAENETRESET`), or with 10055: the system is out of buffers (`WSAENOBUFS`);
    /// * another error of the system, such as `TimedOut` and `NetworkDown`;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight.
    ///
    /// Calls
    /// [`WSASend`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasend).
    #[doc(alias = "WSASend")]
    pub fn send(&self, buffer: B) -> Result<M::Answer<B>, Rejected<B>> {
        let mut reserved = self.reserve(OperationKind::Send(buffer))?;
        let mut array = array();
        let parts = Parts::filled(reserved.value().kind.buffer(), &mut array);
        let lent = self.association.lend(reserved).map_err(buffer_of)?;
        // SAFETY: the socket is open, for `self` owns it. The array is used during the call. The
        // memory that it names is lent: it rests in the operation, or in the buffer there, until
        // the packet is dequeued. The count and the `OVERLAPPED` are the slot's, which is the
        // call's until it returns.
        let answer = unsafe {
            let (buffers, parts) = (parts.as_ptr(), parts.count());
            let (socket, count, overlapped) =
                (raw(self.get_ref()), count::<M, _>(&lent), lent.overlapped());
            ffi::ws2_32::WSASend(socket, buffers, parts, count, 0, overlapped, None)
        };
        // SAFETY: this was the call, on this handle, which skips packets if its mode does.
        unsafe {
            self.association.settle::<M>(lent, SubmitOutcome::of_call(answer != SOCKET_ERROR))
        }
        .map_err(buffer_of)
    }

    /// Ends one direction of the connection, or both: after `Write` the peer receives what was sent
    /// and then the end of the stream; after `Read` nothing more can be received here.
    ///
    /// # Errors
    ///
    /// `NotConnected`, and other errors of the system.
    ///
    /// Calls
    /// [`shutdown`](https://learn.microsoft.com/en-us/windows/win32/api/winsock/nf-winsock-shutdown).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }

    #[inline]
    fn reserve(&self, kind: OperationKind<B>) -> Result<Reserved<'_, Operation<B>>, Rejected<B>> {
        self.association.reserve(kind).map_err(buffer_of)
    }

    /// # Safety
    ///
    /// * The memory that the parts name is that of the reserved operation.
    #[inline(always)]
    unsafe fn start_receive(
        &self,
        reserved: Reserved<'_, Operation<B>>,
        parts: &Parts<'_>,
    ) -> Result<M::Answer<B>, Rejected<OperationKind<B>>> {
        let lent = self.association.lend(reserved)?;
        // SAFETY: the socket is open, for `self` owns it. The array is used during the call. The
        // memory that it names is lent: it rests in the operation, or in the buffer there, until
        // the packet is dequeued. The count, the flags, which are 0, and the `OVERLAPPED` are the
        // slot's, which is the call's until it returns, whenever the packet comes.
        let answer = unsafe {
            ffi::ws2_32::WSARecv(
                raw(self.get_ref()),
                parts.as_ptr(),
                parts.count(),
                count::<M, _>(&lent),
                lent.flags(),
                lent.overlapped(),
                None,
            )
        };
        // SAFETY: this was the call, on this handle, which skips packets if its mode does.
        unsafe {
            self.association.settle::<M>(lent, SubmitOutcome::of_call(answer != SOCKET_ERROR))
        }
    }
}
