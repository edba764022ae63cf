//! Connecting to a peer without waiting for it.

#![allow(unsafe_code, reason = "it makes the system calls of connecting")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::windows::io::{AsSocket, BorrowedSocket, OwnedSocket};
use std::ptr::{null, null_mut};
use std::sync::Arc;

use super::super::buffer::Buffer;
use super::super::ffi;
use super::super::ffi::constants::{
    FALSE, SO_REUSE_UNICASTPORT, SOCKET_ERROR, TRUE, WSANOTINITIALISED,
};
use super::super::ffi::socket_address::ADDRESS_FAMILY;
use super::super::operation::{OperationKind, SubmitOutcome};
use super::super::port::Key;
use super::super::queue::CompletionQueue;
use super::super::registration::Queued;
use super::super::registration::Registration;
use super::super::socket::extensions;
use super::super::socket::{Connecting, RawAddress, reachable, unspecified};
use super::super::socket::{family, raw, set_option, tcp_socket};

impl<B: Buffer> CompletionQueue<B> {
    /// Starts a connection to a peer. The stream can be used once a
    /// [`Completion::Connected`](super::super::Completion::Connected) has said so. Operations that
    /// are submitted before are refused with `NotConnected` while it is not connected, and go
    /// through if it is already; after a connect that has failed they fail. To give up, drop the
    /// registration.
    ///
    /// The completion tells how it ended, by the kind of the error: `ConnectionRefused`,
    /// `TimedOut`, `HostUnreachable`, `NetworkUnreachable`, and so on. On Windows a refusal takes
    /// about two seconds, for the system tries three times; and giving up on a silent host takes
    /// about twenty. For the unspecified address, `0.0.0.0` or `::`, the loopback is taken.
    ///
    /// A connection has a port of this machine, of which there are 16,384 unless it was told
    /// otherwise. From Windows 10 on, connections to different peers share them;
    /// `SO_REUSE_UNICASTPORT` is set. Before, each takes one for itself, and keeps it for two
    /// minutes or four after it is closed.
    ///
    /// The completion can be dequeued on another thread before this returns. If another thread
    /// looks the registration up by its key when the completion comes, hold the lock of the place
    /// where it will be kept from before this call until it is there.
    ///
    /// # Errors
    ///
    /// The system's error, if it cannot even start; and as for
    /// [`receive`](super::super::Registration::receive), `OutOfMemory`.
    ///
    /// Calls
    /// [`WSASocketW`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasocketw),
    /// [`bind`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-bind),
    /// [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport)
    /// and
    /// [`ConnectEx`](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex).
    #[doc(alias = "ConnectEx")]
    pub fn connect(&self, peer: SocketAddr, key: Key) -> io::Result<Registration<TcpStream, B>> {
        let socket = first_socket(family(&peer))?;
        let connect = extensions(socket.as_socket(), family(&peer))?.connect;
        bind(socket.as_socket(), &RawAddress::new(unspecified(peer)))?;
        let stream = self.register_checked(TcpStream::from(socket), key)?;

        let address = Arc::new(RawAddress::new(reachable(peer)));
        let reserved = stream
            .association
            .reserve(OperationKind::Connect(Connecting { address: Arc::clone(&address) }))?;
        let lent = stream.association.lend(reserved)?;
        // SAFETY: the socket is open and bound, for `stream` owns it. The address belongs to the
        // operation, and `address` is a second reference: it is there until the packet has been
        // dequeued and this function returns. The `OVERLAPPED` is lent. Nothing is sent along, so
        // there is no buffer and no count.
        let connected = unsafe {
            let (socket, name, length) = (raw(stream.get_ref()), address.as_ptr(), address.len());
            connect(socket, name, length, null(), 0, null_mut(), lent.overlapped())
        };
        // SAFETY: this was the call, on this handle.
        unsafe {
            stream.association.settle::<Queued>(lent, SubmitOutcome::of_call(connected != FALSE))
        }?;
        Ok(stream)
    }
}

/// Makes a socket where it may be the first of the program: std starts Winsock with its own first
/// one.
fn first_socket(family: ADDRESS_FAMILY) -> io::Result<OwnedSocket> {
    tcp_socket(family).or_else(|error| {
        if error.raw_os_error() != Some(WSANOTINITIALISED) {
            return Err(error);
        }
        // Whether it gets a port or not, Winsock has been started then.
        drop(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        tcp_socket(family)
    })
}

/// Binds a socket that is to connect. `ConnectEx` wants it done, and would so take one of the
/// 16,384 ports that Windows gives out for each connection on this machine, whoever the peer is.
fn bind(socket: BorrowedSocket<'_>, address: &RawAddress) -> io::Result<()> {
    // With this, from Windows 10 on, the port is chosen when the socket connects, as for `connect`,
    // and connections to different peers share it. An older system does not know the option.
    let _ = set_option(socket, SO_REUSE_UNICASTPORT, Some(TRUE));
    // SAFETY: the socket is open, and the address has that length.
    let answer = unsafe { ffi::ws2_32::bind(raw(&socket), address.as_ptr(), address.len()) };
    if answer == SOCKET_ERROR { Err(io::Error::last_os_error()) } else { Ok(()) }
}
