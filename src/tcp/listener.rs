//! Accepting connections.

#![allow(unsafe_code, reason = "it makes the system calls of a listener")]

use std::io;
use std::net::TcpListener;
use std::os::windows::io::{AsSocket, BorrowedHandle};
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering::Relaxed;

use super::super::buffer::Buffer;
use super::super::ffi::constants::FALSE;
use super::super::ffi::socket_address::ADDRESS_FAMILY;
use super::super::in_flight::OperationId;
use super::super::operation::{OperationKind, SubmitOutcome};
use super::super::registration::{Queued, Registration, Source, sealed};
use super::super::socket::{
    ADDRESS_LEN, Accepting, AddressBuffers, extensions, family, handle_of, raw, require_stream,
    tcp_socket,
};

/// What is remembered of a listener.
#[derive(Default)]
pub struct Listening {
    /// The family of its addresses, once it has been asked for it, and before that 0.
    family: AtomicU16,
    buffers: AddressBuffers,
}

impl Source for TcpListener {}

impl sealed::Handle for TcpListener {
    type Memo = Listening;

    fn handle(&self) -> BorrowedHandle<'_> {
        handle_of(self)
    }

    fn check(&self) -> io::Result<()> {
        require_stream(self.as_socket())
    }
}

impl<B: Buffer> Registration<TcpListener, B> {
    /// Accepts one connection. It comes in a
    /// [`Completion::Accepted`](super::super::Completion::Accepted), with the address of the peer;
    /// it is a stream of std's, not registered yet.
    ///
    /// Any number of accepts may be pending, and with several, many clients that come at the same
    /// moment are accepted without a wait in between. Each makes its socket beforehand.
    ///
    /// # Errors
    ///
    /// No completion comes after an error:
    ///
    /// * `ConnectionReset`, `ConnectionAborted`: a client has come and gone already; the listener
    ///   is well, so try again;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight;
    /// * `WouldBlock`: too many operations are pending in the system (`WSAEWOULDBLOCK`); submit
    ///   again when some have completed;
    /// * `InvalidInput`: the socket does not listen (`WSAEINVAL`);
    /// * the system's error, such as that it is out of handles (`WSAEMFILE`) or buffers
    ///   (`WSAENOBUFS`).
    ///
    /// Calls
    /// [`AcceptEx`](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-acceptex).
    ///
    /// ```compile_fail,E0599
    /// # use overlapped::*;
    /// # fn only_listeners(stream: &Registration<std::net::TcpStream>) {
    /// stream.accept(); // no method `accept`: a stream has nothing to accept
    /// # }
    /// ```
    #[doc(alias = "AcceptEx")]
    pub fn accept(&self) -> io::Result<OperationId> {
        let family = self.family()?;
        let functions = extensions(self.get_ref().as_socket(), family)?;
        let (socket, room) = (tcp_socket(family)?, self.memo.buffers.take(functions));
        let (listener, connection) = (raw(self.get_ref()), raw(&socket));
        let accepting = Accepting { socket, room: Arc::clone(&room) };
        let reserved = self.association.reserve(OperationKind::Accept(accepting))?;
        let lent = self.association.lend(reserved)?;
        // SAFETY: the listener is open, for `self` owns it. The connection belongs to the
        // operation, and so does the room, of which `room` is a second reference: it is there until
        // the packet has been dequeued and this function returns. No bytes of data are asked for,
        // so the room holds two addresses of the sizes given. The count and the `OVERLAPPED` are
        // the slot's, which is the call's until it returns.
        let accepted = unsafe {
            let (room, count, overlapped) = (room.as_ptr(), lent.count(), lent.overlapped());
            let (accept, len) = (functions.accept, ADDRESS_LEN);
            accept(listener, connection, room, 0, len, len, count, overlapped)
        };
        let outcome = SubmitOutcome::of_call(accepted != FALSE);
        // SAFETY: this was the call, on this handle.
        Ok(unsafe { self.association.settle::<Queued>(lent, outcome) }?)
    }

    /// The family of the addresses it listens on, which is that of its connections too. It never
    /// changes, so the system is asked once.
    fn family(&self) -> io::Result<ADDRESS_FAMILY> {
        let known = self.memo.family.load(Relaxed);
        if known != 0 {
            return Ok(known);
        }
        let found = family(&self.get_ref().local_addr()?);
        self.memo.family.store(found, Relaxed);
        Ok(found)
    }
}
