//! UDP: datagrams from anybody and to anybody, or to and from one peer.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system calls of datagrams")]

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::windows::io::{AsSocket, BorrowedHandle};
use std::ptr::null_mut;

use super::buffer::{Array, Buffer, MAX_PARTS, Parts, array};
use super::ffi;
use super::ffi::constants::*;
use super::in_flight::{Lent, OperationId, Reserved};
use super::operation::{Operation, OperationKind, SubmitOutcome};
use super::registration::{Queued, Registration, Rejected, Source, buffer_of, refuse, sealed};
use super::socket::{AddressRoom, Datagrams, control, family_of_kind, handle_of, raw};

/// The most bytes that a datagram of UDP carries over IPv4: 65,535 without the headers. Over IPv6
/// it would be 20 more; one limit for both spares a program that serves both a difference.
const LONGEST: usize = 65_507;

impl Source for UdpSocket {}

impl sealed::Handle for UdpSocket {
    type Memo = Datagrams;

    fn handle(&self) -> BorrowedHandle<'_> {
        handle_of(self)
    }

    fn check(&self) -> io::Result<()> {
        let another = "the socket does not carry datagrams: it has been made of another kind of \
                       socket, such as a stream; make a `TcpStream` of such a one";
        match family_of_kind(self.as_socket(), SOCK_DGRAM, another)? {
            family if family == i32::from(AF_INET) || family == i32::from(AF_INET6) => Ok(()),
            _ => {
                let other = "the socket is neither of IPv4 nor of IPv6, so std has no name for the \
                             addresses of its peers";
                Err(io::Error::new(io::ErrorKind::InvalidInput, other))
            }
        }
    }
}

impl<B: Buffer> Registration<UdpSocket, B> {
    /// Receives one datagram, into the spare room of the buffer. The buffer is lent: it comes back
    /// in a [`Completion::ReceivedFrom`](super::Completion::ReceivedFrom), with the address of the
    /// sender, on whichever thread dequeues it, possibly before this returns.
    ///
    /// A datagram that is longer than the room is cut, and the rest of it is lost; over IPv4 65,507
    /// bytes are room for each, and over IPv6 65,527. An empty one is a datagram, too. Several
    /// receives may be pending; each takes one datagram, in the order of submission. While none is
    /// pending the system keeps what comes, as far as it fits the socket's buffer, and drops the
    /// rest.
    ///
    /// When a datagram that was sent from this socket finds nobody at its port, the other machine
    /// may say so, and Windows then ends a receive with an error of the kind `ConnectionReset`,
    /// here or in the completion. It is about the past: receive again. With
    /// [`report_unreachable(false)`](Self::report_unreachable) that does not happen.
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], and nothing else will come:
    ///
    /// * `InvalidInput`: the buffer has no spare room, or the socket has no address yet, so nothing
    ///   can come: bind it, or send first;
    /// * `ConnectionReset`: see above; receive again;
    /// * `WouldBlock`: too many operations are pending in the system (`WSAEWOULDBLOCK`); submit
    ///   again when some have completed;
    /// * a kind that std has no name for, at least not in each version, with code 10058: it was
    ///   shut down for reading (`WSAESHUTDOWN`), with 10052: the time to live of a datagram that
    ///   was sent has ended (`WSAENETRESET`), or with 10055: the system is out of buffers
    ///   (`WSAENOBUFS`);
    /// * another error of the system, such as `NetworkDown`;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight.
    ///
    /// # Examples
    ///
    /// ```
    /// use overlapped::{Completion, CompletionQueue, Completions, Key};
    /// use std::net::UdpSocket;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let queue = CompletionQueue::new()?;
    /// let near = queue.register(UdpSocket::bind("127.0.0.1:0")?, Key(1))?;
    /// let far = queue.register(UdpSocket::bind("127.0.0.1:0")?, Key(2))?;
    /// near.receive_from(Vec::with_capacity(1500))?;
    /// far.send_to(b"hello".to_vec(), near.get_ref().local_addr()?)?;
    ///
    /// let (mut batch, mut left) = (Completions::with_capacity(4), 2);
    /// while left > 0 {
    ///     for completion in queue.wait(&mut batch, None)? {
    ///         match completion {
    ///             Completion::ReceivedFrom { buffer, result, .. } => {
    ///                 assert_eq!(result?.from, far.get_ref().local_addr()?);
    ///                 assert_eq!(buffer, b"hello");
    ///             }
    ///             other => println!("{other:?}"),
    ///         }
    ///         left -= 1;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Calls
    /// [`WSARecvFrom`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom).
    #[doc(alias = "WSARecvFrom", alias = "recvfrom", alias = "recv_from")]
    pub fn receive_from(&self, buffer: B) -> Result<OperationId, Rejected<B>> {
        if let Err(error) = self.memo.require_address(self.get_ref()) {
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
            return Err(refuse(reserved, error));
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
    /// On one that is not connected it takes datagrams of all senders.
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
    /// * `InvalidInput`: the bytes are more than 65,507, the most that a datagram carries over
    ///   IPv4; or they are in more than 16 parts; or the address is of another family than the
    ///   socket. An IPv6 socket that takes both reaches an IPv4 address as `::ffff:a.b.c.d`;
    /// * `AddrNotAvailable`: nobody can have this address: its port is 0, for example;
    /// * `PermissionDenied`: it is a broadcast address, and `set_broadcast` was not called
    ///   (`WSAEACCES`);
    /// * `NetworkUnreachable`, `HostUnreachable`: there is no way to it;
    /// * `ConnectionReset`, or code 10052 (`WSAENETRESET`): about a datagram that was sent before,
    ///   as for [`receive_from`](Self::receive_from); send again;
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
        if let Err(error) = self.memo.require_sense_of(self.get_ref(), peer) {
            return Err(Rejected::new(error, buffer));
        }
        let (reserved, room) = self.reserve_with_room(OperationKind::Send(buffer))?;
        let mut array = array();
        let (lent, parts) = self.lend_datagram(reserved, &mut array)?;
        let (to, length) = room.fill(peer);
        // SAFETY: the socket is open, for `self` owns it. The array is used during the call. The
        // memory that it names is lent: it rests in the operation, or in the buffer there, until
        // the packet is dequeued. The room for the address and the `OVERLAPPED` are the slot's,
        // which is the call's until it returns, and the operation's until that is collected.
        let answer = unsafe {
            ffi::ws2_32::WSASendTo(
                raw(self.get_ref()),
                parts.as_ptr(),
                parts.count(),
                null_mut(),
                0,
                to,
                length,
                lent.overlapped(),
                None,
            )
        };
        let outcome = SubmitOutcome::of_call(answer != SOCKET_ERROR);
        // SAFETY: this was the call, on this handle, which brings a packet for each success.
        unsafe { self.association.settle::<Queued>(lent, outcome) }.map_err(buffer_of)
    }

    /// As [`send_to`](Self::send_to), to the peer that the socket is
    /// [connected](UdpSocket::connect) to.
    ///
    /// # Errors
    ///
    /// As there, and `NotConnected` if it is connected to nobody.
    ///
    /// Calls
    /// [`WSASend`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasend).
    #[doc(alias = "WSASend")]
    pub fn send(&self, buffer: B) -> Result<OperationId, Rejected<B>> {
        let kind = OperationKind::Send(buffer);
        let reserved = self.association.reserve(kind).map_err(buffer_of)?;
        let mut array = array();
        let (lent, parts) = self.lend_datagram(reserved, &mut array)?;
        // SAFETY: as in `send_to`, without an address.
        let answer = unsafe {
            let (socket, overlapped) = (raw(self.get_ref()), lent.overlapped());
            let (parts, count) = (parts.as_ptr(), parts.count());
            ffi::ws2_32::WSASend(socket, parts, count, null_mut(), 0, overlapped, None)
        };
        let outcome = SubmitOutcome::of_call(answer != SOCKET_ERROR);
        // SAFETY: this was the call, on this handle, which brings a packet for each success.
        let sent = unsafe { self.association.settle::<Queued>(lent, outcome) };
        sent.map_err(|rejected| self.explain(buffer_of(rejected)))
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
    /// with
    /// [`SIO_UDP_CONNRESET`](https://learn.microsoft.com/en-us/windows/win32/winsock/winsock-ioctls)
    /// and `SIO_UDP_NETRESET`.
    #[doc(alias = "SIO_UDP_CONNRESET", alias = "SIO_UDP_NETRESET")]
    pub fn report_unreachable(&self, report: bool) -> io::Result<()> {
        let report = if report { TRUE } else { FALSE };
        control(self.as_socket(), SIO_UDP_CONNRESET, &report)?;
        // Systems that do not know the second one do not report that either.
        let _ = control(self.as_socket(), SIO_UDP_NETRESET, &report);
        Ok(())
    }

    /// Which error a system has for a socket that is connected to nobody differs, too; but that one
    /// is not connected can change, so it is asked when a send has failed.
    #[cold]
    fn explain(&self, rejected: Rejected<B>) -> Rejected<B> {
        let is_systems = rejected.error.raw_os_error().is_some();
        if !is_systems || self.get_ref().peer_addr().is_ok() {
            return rejected;
        }
        let nobody = "the socket is connected to nobody; connect it, or say by `send_to` whom the \
                      datagram is for";
        let error = io::Error::new(io::ErrorKind::NotConnected, nobody);
        Rejected::new(error, rejected.returned)
    }

    /// As [`Association::reserve`], with room for an address, which is the slot's like all else
    /// that the call is given.
    #[inline(always)]
    fn reserve_with_room(
        &self,
        kind: OperationKind<B>,
    ) -> Result<(Reserved<'_, Operation<B>>, AddressRoom), Rejected<B>> {
        let reserved = self.association.reserve(kind).map_err(buffer_of)?;
        let Some(annex) = reserved.annex() else {
            let full = "there is no memory for the address of a datagram; wait for some of the \
                        operations in flight to complete";
            let error = io::Error::new(io::ErrorKind::OutOfMemory, full);
            return Err(refuse(reserved, error));
        };
        // SAFETY: the annex is there as long as the table, and nobody else uses it before the slot
        // serves another operation.
        let room = unsafe { AddressRoom::at(annex.as_ptr()) };
        Ok((reserved, room))
    }

    /// Makes an operation that sends the kernel's, if its bytes can be one datagram.
    #[inline(always)]
    fn lend_datagram<'a, 'b>(
        &self,
        mut reserved: Reserved<'a, Operation<B>>,
        array: &'b mut Array,
    ) -> Result<(Lent<'a, Operation<B>>, Parts<'b>), Rejected<B>> {
        let buffer = reserved.value().kind.buffer();
        let parts = Parts::filled(buffer, array);
        let why = if parts.len() > LONGEST {
            "the datagram is longer than 65,507 bytes, the most that UDP carries"
        } else if (MAX_PARTS..buffer.parts()).any(|part| !buffer.filled(part).is_empty()) {
            "the bytes are in more parts than 16, the most that one operation takes, and a datagram \
             cannot be sent piece by piece"
        } else {
            return Ok((self.association.lend(reserved).map_err(buffer_of)?, parts));
        };
        let error = io::Error::new(io::ErrorKind::InvalidInput, why);
        Err(refuse(reserved, error))
    }
}
