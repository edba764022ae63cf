//! Connecting to a peer without waiting for it.

#![allow(unsafe_code, reason = "it makes the system calls of connecting")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::windows::io::{AsSocket, BorrowedSocket, OwnedSocket};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Once};

use super::super::buffer::Buffer;
use super::super::ffi;
use super::super::ffi::constants::*;
use super::super::ffi::socket_address::ADDRESS_FAMILY;
use super::super::in_flight::OperationId;
use super::super::operation::{OperationKind, SubmitOutcome};
use super::super::port::Key;
use super::super::queue::CompletionQueue;
use super::super::registration::{Queued, Registration, Rejected};
use super::super::socket::{
    Connecting, RawAddress, extensions, family, raw, reachable, require_stream_of, set_option,
    tcp_socket, unspecified,
};

impl<B: Buffer> CompletionQueue<B> {
    /// Starts a connection to a peer. Returns the stream, and the id of the operation. The stream
    /// can be used once a [`Completion::Connected`](super::super::Completion::Connected) with that
    /// id has said so; before, it has no address either. An operation that is submitted before that
    /// completion fails with `NotConnected`, unless the connection happens to be there already;
    /// after a connect that has failed all fail. To give up, drop the registration.
    ///
    /// The completion tells how it ended, by the kind of the error: `ConnectionRefused`,
    /// `TimedOut`, `HostUnreachable`, `NetworkUnreachable`, and so on. On Windows a refusal takes
    /// about two seconds, for the system tries three times; and giving up on a silent host takes
    /// about twenty. For the unspecified address, `0.0.0.0` or `::`, the loopback is taken.
    ///
    /// A connection has a port of this machine, of which there are 16,384 unless it was told
    /// otherwise. Each takes one for itself, and keeps it for two minutes or four after it is
    /// closed. From Windows 10 on, connections to different peers can share them, for
    /// `SO_REUSE_UNICASTPORT` is set here; it is said to take effect only where an administrator
    /// has set ports aside for that (`Set-NetTCPSetting` with `AutoReusePortRangeStartPort`).
    ///
    /// The completion can be dequeued on another thread before this returns. If another thread
    /// looks the registration up by its key when the completion comes, hold the lock of the place
    /// where it will be kept from before this call until it is there.
    ///
    /// # Errors
    ///
    /// The system's error, if it cannot even start: `AddrNotAvailable` for port 0 or an address
    /// that nobody can have (`WSAEADDRNOTAVAIL`); with code 10055 if no port is free or the system
    /// is out of buffers (`WSAENOBUFS`), or of kind `AddrInUse` for the first of these
    /// (`WSAEADDRINUSE`); with code 10024 if the program is out of handles (`WSAEMFILE`). Where the
    /// port is chosen as late as the socket connects, the completion can say so in place of the
    /// call. And `OutOfMemory`, as for [`receive`](super::super::Registration::receive).
    ///
    /// Calls
    /// [`WSASocketW`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasocketw),
    /// [`bind`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-bind),
    /// [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport)
    /// and
    /// [`ConnectEx`](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex).
    /// The first one of a program also has std start Winsock, by a socket that is closed at once.
    #[doc(alias = "ConnectEx")]
    pub fn connect(
        &self,
        peer: SocketAddr,
        key: Key,
    ) -> io::Result<(Registration<TcpStream, B>, OperationId)> {
        let socket = first_socket(family(&peer))?;
        bind(socket.as_socket(), peer)?;
        // The sockets that are made here are of one provider, of which `extensions` asks what it
        // is.
        extensions(socket.as_socket(), family(&peer))?;
        let stream = self.register_checked(TcpStream::from(socket), key)?;
        let id = start(&stream, peer)?;
        Ok((stream, id))
    }

    /// As [`connect`](Self::connect), with a socket of the caller's: one that has options of its
    /// own, or that is bound to an address. One that is not bound is bound here to an address of
    /// the system's choice. It must be a TCP socket of the family of `peer`, not connected yet,
    /// made for overlapped operations (`WSA_FLAG_OVERLAPPED`). std has no function that makes such
    /// a socket; `WSASocketW` does, once std has made any socket of its own, which starts Winsock.
    /// On a socket that is not bound `SO_REUSE_UNICASTPORT` is set.
    ///
    /// # Errors
    ///
    /// The socket comes back in the [`Rejected`](super::super::Rejected). `InvalidInput` and
    /// `Unsupported` as for [`register`](Self::register), and `InvalidInput` for a socket that
    /// listens (`WSAEINVAL`). With code 10047 if `peer` is of another family (`WSAEAFNOSUPPORT`).
    /// Else the system's error: of kind `AddrNotAvailable` if `peer` cannot be reached from the
    /// address that the socket is bound to, with code 10056 if the socket is connected already
    /// (`WSAEISCONN`). A socket that was not bound may be, when it comes back. After an error of
    /// the call itself it also stays associated with this queue, and can be registered with none,
    /// this one included.
    ///
    /// Calls
    /// [`bind`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-bind),
    /// [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport)
    /// and
    /// [`ConnectEx`](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex).
    #[doc(alias = "ConnectEx")]
    pub fn connect_socket(
        &self,
        socket: OwnedSocket,
        peer: SocketAddr,
        key: Key,
    ) -> Result<(Registration<TcpStream, B>, OperationId), Rejected<OwnedSocket>> {
        let fits = require_stream_of(socket.as_socket(), family(&peer))
            .and_then(|()| bind_unless_bound(socket.as_socket(), peer));
        if let Err(error) = fits {
            return Err(Rejected::new(error, socket));
        }
        let stream = self
            .register_checked(TcpStream::from(socket), key)
            .map_err(|rejected| rejected.map(OwnedSocket::from))?;
        match start(&stream, peer) {
            Ok(id) => Ok((stream, id)),
            Err(error) => Err(Rejected::new(error, stream.into_inner().into())),
        }
    }
}

/// Starts to connect a socket that is bound and registered.
fn start<B: Buffer>(
    stream: &Registration<TcpStream, B>,
    peer: SocketAddr,
) -> io::Result<OperationId> {
    let connect = extensions(stream.get_ref().as_socket(), family(&peer))?.connect;
    let address = Arc::new(RawAddress::new(reachable(peer)));
    let connecting = Connecting { address: Arc::clone(&address) };
    let reserved = stream.association.reserve(OperationKind::Connect(connecting))?;
    let lent = stream.association.lend(reserved)?;
    // SAFETY: the socket is open and bound, for `stream` owns it. The address belongs to the
    // operation, and `address` is a second reference: it is there until the packet has been
    // dequeued and this function returns. The `OVERLAPPED` is lent. Nothing is sent along, so
    // there is no buffer and no count.
    let connected = unsafe {
        let (socket, name, length) = (raw(stream.get_ref()), address.as_ptr(), address.len());
        connect(socket, name, length, null(), 0, null_mut(), lent.overlapped())
    };
    let outcome = SubmitOutcome::of_call(connected != FALSE);
    // SAFETY: this was the call, on this handle.
    Ok(unsafe { stream.association.settle::<Queued>(lent, outcome) }?)
}

/// Makes a socket where it may be the first of the program: std starts Winsock with its own first
/// one. It is not enough that Winsock has been started: other code that has may stop it when it is
/// done, and with the last stop all sockets are closed, ours too, whose numbers then are others'.
/// The start of std lasts as long as `main` does.
fn first_socket(family: ADDRESS_FAMILY) -> io::Result<OwnedSocket> {
    static STARTED: Once = Once::new();
    // Whether it gets a port or not, Winsock has been started then; if that fails, std panics, and
    // the next connect tries again.
    STARTED.call_once_force(|_| drop(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))));
    tcp_socket(family)
}

/// Binds a socket that is to connect to this peer. `ConnectEx` wants it done, and would so take one
/// of the 16,384 ports that Windows gives out for each connection on this machine, whoever the peer
/// is.
fn bind(socket: BorrowedSocket<'_>, peer: SocketAddr) -> io::Result<()> {
    // With this, from Windows 10 on, the port is chosen when the socket connects, as for `connect`,
    // and connections to different peers share it. An older system does not know the option.
    let _ = set_option(socket, SO_REUSE_UNICASTPORT, Some(TRUE));
    let address = RawAddress::new(unspecified(peer));
    // SAFETY: the socket is open, and the address has that length.
    let answer = unsafe { ffi::ws2_32::bind(raw(&socket), address.as_ptr(), address.len()) };
    if answer == SOCKET_ERROR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// As [`bind`], for a socket that may have an address already: then the system answers so.
fn bind_unless_bound(socket: BorrowedSocket<'_>, peer: SocketAddr) -> io::Result<()> {
    bind(socket, peer).or_else(|error| match error.raw_os_error() {
        Some(WSAEINVAL) => Ok(()),
        _ => Err(error),
    })
}
