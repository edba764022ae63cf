//! Connecting to a peer without waiting for it.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system calls of connecting")]

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::ptr::{null, null_mut};

use super::address::{RawAddress, reachable, unspecified};
use super::buffer::Buffer;
use super::extension::extensions;
use super::ffi;
use super::ffi::constants::{FALSE, SOCKET_ERROR};
use super::ffi::types::{OVERLAPPED, SOCKET};
use super::mode::Queued;
use super::operation::Work;
use super::port::Key;
use super::queue::CompletionQueue;
use super::registration::Registration;
use super::socket::{family, raw, started, tcp_socket};

impl<B: Buffer> CompletionQueue<B> {
    /// Starts a connection to a peer. The stream can be used once a
    /// [`Completion::Connected`](super::Completion::Connected) has said so; until then operations on it
    /// answer `NotConnected`. Dropping the registration gives up.
    ///
    /// The completion tells how it ended, by the kind of the error: `ConnectionRefused`, `TimedOut`,
    /// `HostUnreachable`, `NetworkUnreachable`, and so on. On Windows a refusal takes about two seconds,
    /// for the system tries three times; and giving up on a silent host takes about twenty. For the
    /// unspecified address, `0.0.0.0` or `::`, the loopback is taken.
    ///
    /// The completion can be dequeued on another thread before this returns. If the key stands for the
    /// place where the registration will be kept, lock that place first.
    ///
    /// # Errors
    ///
    /// The system's error, if it cannot even start; and as for
    /// [`receive`](super::Registration::receive), `OutOfMemory`.
    ///
    /// Calls [`WSASocketW`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasocketw),
    /// [`bind`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-bind),
    /// [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport)
    /// and [`ConnectEx`](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex).
    #[doc(alias = "ConnectEx")]
    pub fn connect(&self, peer: SocketAddr, key: Key) -> io::Result<Registration<TcpStream, B>> {
        let functions = extensions()?;
        let socket = tcp_socket(family(&peer))?;
        bind(raw(&socket), &RawAddress::new(unspecified(peer)))?;
        let stream = self.register(TcpStream::from(socket), key)?;

        let address = Box::new(RawAddress::new(reachable(peer)));
        let mut reserved = stream.membership.reserve(Work::Connect(address))?;
        let Work::Connect(address) = &mut reserved.value().work else {
            unreachable!("put in above")
        };
        let (name, length, socket) = (address.as_ptr(), address.len(), raw(stream.get_ref()));
        let start = |overlapped: *mut OVERLAPPED| {
            // SAFETY: the socket is open and bound. The address and the `OVERLAPPED` are lent. Nothing
            // is sent along, so there is no buffer and no count.
            let connected = unsafe {
                (functions.connect)(socket, name, length, null(), 0, null_mut(), overlapped)
            };
            started(connected != FALSE)
        };
        // SAFETY: it starts an operation on this socket. At once or pending, a packet comes; after any
        // other error of `ConnectEx` none does.
        unsafe { stream.membership.lend::<Queued>(reserved, start) }?;
        Ok(stream)
    }
}

fn bind(socket: SOCKET, address: &RawAddress) -> io::Result<()> {
    // SAFETY: the socket is open, and the address has that length.
    let answer = unsafe { ffi::ws2_32::bind(socket, address.as_ptr(), address.len()) };
    if answer == SOCKET_ERROR { Err(io::Error::last_os_error()) } else { Ok(()) }
}
