//! UDP: datagrams from anybody and to anybody, or to and from one peer.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system calls of datagrams")]

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::windows::io::{AsSocket, BorrowedHandle, BorrowedSocket};
use std::ptr::{self, null_mut};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::buffer::{Buffer, MAX_PARTS, Parts, array};
use super::ffi;
use super::ffi::constants::*;
use super::in_flight::{OperationId, Reserved};
use super::operation::{Operation, OperationKind, SubmitOutcome};
use super::registration::{Queued, Registration, Rejected, Source, sealed};
use super::socket::{AddressRoom, family_of_kind, handle_of, raw};

/// The most bytes that a datagram of UDP carries over IPv4: 65,535 without the headers.
const LONGEST: usize = 65_507;

/// What is remembered of a socket: whether it has an address.
#[derive(Default)]
pub struct Datagrams {
    is_bound: AtomicBool,
}

impl Source for UdpSocket {}

impl sealed::Handle for UdpSocket {
    type Memo = Datagrams;

    fn handle(&self) -> BorrowedHandle<'_> {
        handle_of(self)
    }

    fn check(&self) -> io::Result<()> {
        let another = "the socket does not carry datagrams: it has been made of another kind of \
                       socket, such as a stream; make a `TcpStream` of such a one";
        family_of_kind(self.as_socket(), SOCK_DGRAM, another).map(|_| ())
    }
}

impl<B: Buffer> Registration<UdpSocket, B> {
    /// Receives one datagram, into the spare room of the buffer. The buffer is lent: it comes back
    /// in a [`Completion::ReceivedFrom`](super::Completion::ReceivedFrom), with the address of the
    /// sender, on whichever thread dequeues it, possibly before this returns.
    ///
    /// A datagram that is longer than the room is cut, and the rest of it is lost; 65,507 bytes are
    /// room for each. An empty one is a datagram, too. Several receives may be pending; each takes
    /// one datagram, in the order of submission. While none is pending the system keeps what comes,
    /// as far as it fits the socket's buffer, and drops the rest.
    ///
    /// When a datagram that was sent from this socket finds nobody at its port, the other machine
    /// may say so, and Windows then ends a receive with an error of the kind `ConnectionReset`, here
    /// or in the completion. It is about the past: receive again. With
    /// [`report_unreachable(false)`](Self::report_unreachable) that does not happen.
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], and nothing else will come:
    ///
    /// * `InvalidInput`: the buffer has no spare room, or the socket has no address yet, so nothing
    ///   can come: bind it, or send first (`WSAEINVAL`);
    /// * `ConnectionReset`: see above; receive again;
    /// * `WouldBlock`: too many operations are pending in the system (`WSAEWOULDBLOCK`); submit
    ///   again when some have completed;
    /// * a kind that std has no name for, with code 10058: it was shut down for reading
    ///   (`WSAESHUTDOWN`), with 10052: the time to live of a datagram that was sent has ended
    ///   (`WSAENETRESET`), or with 10055: the system is out of buffers (`WSAENOBUFS`);
    /// * another error of the system, such as `NetworkDown`;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight.
    ///
    /// Calls
    /// [`WSARecvFrom`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom).
    #[doc(alias = "WSARecvFrom", alias = "recvfrom", alias = "recv_from")]
    pub fn receive_from(&self, buffer: B) -> Result<OperationId, Rejected<B>> {
        if let Err(error) = self.require_address() {
            return Err(Rejected::new(error, buffer));
        }
        let kind = OperationKind::ReceiveFrom(buffer);
        let (mut reserved, room) = self.reserve_with_room(kind)?;
        let mut array = array();
        let parts = Parts::spare(reserved.value().kind.buffer(), &mut array);
        if parts.is_empty() {
            let full = "the buffer has no spare room, so a datagram would be lost in it; clear it, or \
                        give it more capacity";
            let error = io::Error::new(io::ErrorKind::InvalidInput, full);
            return Err(Rejected::new(error, reserved.into_value().kind.into_buffer()));
        }
        let lent = self.association.lend(reserved).map_err(buffer_of)?;
        let (from, length) = room.empty();
        // SAFETY: the socket is open, for `self` owns it. The array is used during the call. The
        // memory that it names is lent: it rests in the operation, or in the buffer there, until
        // the packet is dequeued. The room for the address, the flags, which are 0, and the
        // `OVERLAPPED` are the slot's, which is the call's until it returns, whenever the packet
        // comes.
        let answer = unsafe {
            ffi::ws2_32::WSARecvFrom(
                raw(self.get_ref()),
                parts.as_ptr(),
                parts.count(),
                null_mut(),
                lent.flags(),
                from,
                length,
                lent.overlapped(),
                None,
            )
        };
        let outcome = match SubmitOutcome::of_call(answer != SOCKET_ERROR) {
            // A warning: the datagram was cut, and the packet says so.
            SubmitOutcome::Failed(error) if error.raw_os_error() == Some(WSAEMSGSIZE) => {
                SubmitOutcome::Pending
            }
            outcome => outcome,
        };
        // SAFETY: this was the call, on this handle, which brings a packet for each success.
        unsafe { self.association.settle::<Queued>(lent, outcome) }.map_err(buffer_of)
    }

    /// As [`receive_from`](Self::receive_from), by the name that std has for it on a socket that is
    /// [connected](UdpSocket::connect): there the system lets only datagrams of that peer through.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// Calls
    /// [`WSARecvFrom`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom).
    #[doc(alias = "recv")]
    pub fn receive(&self, buffer: B) -> Result<OperationId, Rejected<B>> {
        self.receive_from(buffer)
    }

    /// Sends the filled bytes of the buffer as one datagram. The buffer is lent: it comes back in a
    /// [`Completion::Sent`](super::Completion::Sent), on whichever thread dequeues it, possibly
    /// before this returns. That it was sent says nothing of its arrival.
    ///
    /// A socket that has no address is bound to one of the system's choice.
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], nothing was sent, and nothing else will come:
    ///
    /// * `InvalidInput`: the bytes are more than 65,507, the most that a datagram carries; or they
    ///   are in more than 16 parts; or the address is of another family than the socket;
    /// * `AddrNotAvailable`: nobody can have this address, of port 0 for example
    ///   (`WSAEADDRNOTAVAIL`);
    /// * `PermissionDenied`: it is a broadcast address, and `set_broadcast` was not called
    ///   (`WSAEACCES`);
    /// * `NetworkUnreachable`, `HostUnreachable`: there is no way to it;
    /// * `WouldBlock`: too many operations are pending in the system (`WSAEWOULDBLOCK`); submit
    ///   again when some have completed;
    /// * another error of the system;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight.
    ///
    /// Calls
    /// [`WSASendTo`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasendto).
    #[doc(alias = "WSASendTo", alias = "sendto")]
    pub fn send_to(&self, buffer: B, peer: SocketAddr) -> Result<OperationId, Rejected<B>> {
        let (reserved, room) = self.reserve_with_room(OperationKind::Send(buffer))?;
        let (to, length) = room.fill(peer);
        // SAFETY: the address is in the annex of the slot.
        let sent = unsafe { self.start_send(reserved, to, length) };
        sent.map_err(|rejected| self.explain(rejected, peer))
    }

    /// As [`send_to`](Self::send_to), to the peer that the socket is
    /// [connected](UdpSocket::connect) to.
    ///
    /// # Errors
    ///
    /// As there, and `NotConnected` if it is connected to nobody (`WSAENOTCONN`).
    ///
    /// Calls
    /// [`WSASend`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasend).
    #[doc(alias = "WSASend")]
    pub fn send(&self, buffer: B) -> Result<OperationId, Rejected<B>> {
        let kind = OperationKind::Send(buffer);
        let reserved = self.association.reserve(kind).map_err(buffer_of)?;
        // SAFETY: there is no address.
        unsafe { self.start_send(reserved, ptr::null(), 0) }
    }

    /// Whether receives are to end with `ConnectionReset` when a datagram that was sent before has
    /// found nobody, or has run out of time on its way. Windows does so unless it is told
    /// otherwise; most servers want `false`, for what one client does is nothing to the others.
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// Calls
    /// [`WSAIoctl`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaioctl)
    /// with [`SIO_UDP_CONNRESET`](https://learn.microsoft.com/en-us/windows/win32/winsock/winsock-ioctls)
    /// and `SIO_UDP_NETRESET`.
    #[doc(alias = "SIO_UDP_CONNRESET", alias = "SIO_UDP_NETRESET")]
    pub fn report_unreachable(&self, report: bool) -> io::Result<()> {
        let report = if report { TRUE } else { FALSE };
        control(self.as_socket(), SIO_UDP_CONNRESET, &report)?;
        // Systems that do not know the second one do not report that either.
        let _ = control(self.as_socket(), SIO_UDP_NETRESET, &report);
        Ok(())
    }

    /// As [`Association::reserve`], with room for an address, which is the slot's like all else
    /// that the call is given.
    fn reserve_with_room(
        &self,
        kind: OperationKind<B>,
    ) -> Result<(Reserved<'_, Operation<B>>, AddressRoom), Rejected<B>> {
        let reserved = self.association.reserve(kind).map_err(buffer_of)?;
        let Some(annex) = reserved.annex() else {
            let error = io::Error::from(io::ErrorKind::OutOfMemory);
            return Err(Rejected::new(error, reserved.into_value().kind.into_buffer()));
        };
        // SAFETY: the annex is there as long as the table, and nobody else uses it before the slot
        // serves another operation.
        let room = unsafe { AddressRoom::at(annex.as_ptr()) };
        Ok((reserved, room))
    }

    /// # Safety
    ///
    /// * The address of this length is in the annex of the slot, or it is NULL.
    unsafe fn start_send(
        &self,
        mut reserved: Reserved<'_, Operation<B>>,
        to: *const ffi::socket_address::SOCKADDR,
        to_length: i32,
    ) -> Result<OperationId, Rejected<B>> {
        let mut array = array();
        let parts = Parts::filled(reserved.value().kind.buffer(), &mut array);
        if let Some(why) = does_not_fit(reserved.value().kind.buffer(), &parts) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, why);
            return Err(Rejected::new(error, reserved.into_value().kind.into_buffer()));
        }
        let lent = self.association.lend(reserved).map_err(buffer_of)?;
        // SAFETY: the socket is open, for `self` owns it. The array is used during the call. The
        // memory that it names is lent, and so is the address, says the caller. The `OVERLAPPED` is
        // the slot's, which is the call's until it returns.
        let answer = unsafe {
            let (socket, overlapped) = (raw(self.get_ref()), lent.overlapped());
            let (parts, count) = (parts.as_ptr(), parts.count());
            ffi::ws2_32::WSASendTo(
                socket,
                parts,
                count,
                null_mut(),
                0,
                to,
                to_length,
                overlapped,
                None,
            )
        };
        let outcome = SubmitOutcome::of_call(answer != SOCKET_ERROR);
        // SAFETY: this was the call, on this handle, which brings a packet for each success.
        unsafe { self.association.settle::<Queued>(lent, outcome) }.map_err(buffer_of)
    }

    /// Receiving on a socket without an address is an error, says Microsoft, and some systems wait
    /// for ever. Once it has one it keeps it, so the system is asked until then.
    fn require_address(&self) -> io::Result<()> {
        if self.memo.is_bound.load(Relaxed) {
            return Ok(());
        }
        if self.get_ref().local_addr().is_ok_and(|address| address.port() != 0) {
            self.memo.is_bound.store(true, Relaxed);
            return Ok(());
        }
        let unbound = "the socket has no address yet, so nothing can come; bind it, or send first \
                       (Winsock error 10022)";
        Err(io::Error::new(io::ErrorKind::InvalidInput, unbound))
    }

    /// Which error the system has for an address of another family depends on its length.
    fn explain(&self, rejected: Rejected<B>, peer: SocketAddr) -> Rejected<B> {
        let fits = |own: SocketAddr| own.is_ipv4() == peer.is_ipv4();
        if rejected.error.raw_os_error().is_none() || self.get_ref().local_addr().is_ok_and(fits) {
            return rejected;
        }
        let family = "the address is of another family than the socket; on an IPv6 socket that takes \
                      both, write an IPv4 address as `::ffff:a.b.c.d`";
        Rejected::new(io::Error::new(io::ErrorKind::InvalidInput, family), rejected.returned)
    }
}

/// Why the bytes cannot be one datagram, if they cannot.
fn does_not_fit<B: Buffer>(buffer: &B, parts: &Parts<'_>) -> Option<&'static str> {
    if parts.len() > LONGEST {
        return Some("the datagram is longer than 65,507 bytes, the most that UDP carries");
    }
    (MAX_PARTS..buffer.parts()).any(|part| !buffer.filled(part).is_empty()).then_some(
        "the bytes are in more parts than 16, the most that one operation takes, and a datagram \
         cannot be sent piece by piece",
    )
}

/// Tells the driver of a socket something.
fn control<T: Copy>(socket: BorrowedSocket<'_>, what: u32, value: &T) -> io::Result<()> {
    let mut returned = 0;
    // SAFETY: the socket is open. The value and the count are there during the call, which asks for
    // nothing that it would return, and is not overlapped.
    let answer = unsafe {
        let (value, length) = (ptr::from_ref(value).cast(), size_of::<T>() as u32);
        let (socket, returned) = (raw(&socket), &raw mut returned);
        ffi::ws2_32::WSAIoctl(
            socket,
            what,
            value,
            length,
            null_mut(),
            0,
            returned,
            null_mut(),
            None,
        )
    };
    if answer == SOCKET_ERROR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn buffer_of<B>(rejected: Rejected<OperationKind<B>>) -> Rejected<B> {
    rejected.map(OperationKind::into_buffer)
}
