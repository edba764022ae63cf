//! Accepting connections.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system calls of a listener")]

use std::io;
use std::net::TcpListener;
use std::os::windows::io::BorrowedHandle;
use std::ptr::without_provenance_mut;
use std::sync::atomic::Ordering::Relaxed;

use super::accepting::{Accepting, SLOT};
use super::buffer::Buffer;
use super::extension::extensions;
use super::ffi::constants::FALSE;
use super::ffi::socket_address::ADDRESS_FAMILY;
use super::ffi::types::OVERLAPPED;
use super::in_flight::OperationId;
use super::mode::Queued;
use super::operation::Work;
use super::registration::{Registration, Source, sealed};
use super::socket::{family, raw, started, tcp_socket};

impl Source for TcpListener {}

impl sealed::Handle for TcpListener {
    fn handle(&self) -> BorrowedHandle<'_> {
        // SAFETY: a socket is a kernel handle, which the listener keeps open while it is borrowed.
        unsafe { BorrowedHandle::borrow_raw(without_provenance_mut(raw(self))) }
    }
}

impl<B: Buffer> Registration<TcpListener, B> {
    /// Accepts one connection. It comes in a
    /// [`Completion::Accepted`](super::Completion::Accepted), with the address of the peer; it is a
    /// stream of std's, not registered yet.
    ///
    /// Any number of accepts may be pending, and with several, connections that come in a burst find
    /// one waiting. Each makes its socket beforehand.
    ///
    /// # Errors
    ///
    /// Nothing will come then:
    ///
    /// * `ConnectionReset`, `ConnectionAborted`: a client has come and gone already; the listener is
    ///   well, so try again;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight;
    /// * the system's error, such as that it is out of handles (`WSAEMFILE`) or buffers (`WSAENOBUFS`).
    ///
    /// Calls [`AcceptEx`](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-acceptex).
    ///
    /// ```compile_fail,E0599
    /// # use overlapped::*;
    /// # fn only_listeners(stream: &Registration<std::net::TcpStream>) {
    /// stream.accept(); // no method `accept`: a stream has nothing to accept
    /// # }
    /// ```
    #[doc(alias = "AcceptEx")]
    pub fn accept(&self) -> io::Result<OperationId> {
        let accept = extensions()?.accept;
        let accepting = Accepting::new(tcp_socket(self.family()?)?);
        let mut reserved = self.membership.reserve(Work::Accept(Box::new(accepting)))?;
        let Work::Accept(accepting) = &mut reserved.value().work else {
            unreachable!("put in above")
        };
        let ((connection, room), mut bytes) = (accepting.lend(), 0);
        let listener = raw(self.get_ref());
        let start = |overlapped: *mut OVERLAPPED| {
            // SAFETY: both sockets are open: `self` owns one, and the operation the other. No bytes of
            // data are asked for, so the room holds two addresses of the sizes given. It is lent, as is
            // the `OVERLAPPED`. The count is written during the call if at all.
            let accepted = unsafe {
                accept(listener, connection, room, 0, SLOT, SLOT, &mut bytes, overlapped)
            };
            started(accepted != FALSE)
        };
        // SAFETY: it starts an operation on this socket. At once or pending, a packet comes; after any
        // other error of `AcceptEx` none does.
        Ok(unsafe { self.membership.lend::<Queued>(reserved, start) }?)
    }

    /// The family of the addresses it listens on, which is that of its connections too. It never
    /// changes, so the system is asked once.
    fn family(&self) -> io::Result<ADDRESS_FAMILY> {
        let known = self.membership.family.load(Relaxed);
        if known != 0 {
            return Ok(known);
        }
        let found = family(&self.get_ref().local_addr()?);
        self.membership.family.store(found, Relaxed);
        Ok(found)
    }
}
