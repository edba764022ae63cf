//! What is asked of a socket for datagrams, and remembered.

#![cfg(windows)]

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::windows::io::AsSocket;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU16};

use super::options::{family, protocol_of};

/// What is remembered of a socket. Neither changes any more once it is known.
#[derive(Default)]
pub struct Datagrams {
    /// Whether it is known to have an address.
    is_bound: AtomicBool,
    /// Of which family it is; 0 as long as nobody has asked.
    family: AtomicU16,
}

impl Datagrams {
    /// Receiving on a socket without an address is an error, says Microsoft, and some systems wait
    /// for ever. Once it has one it keeps it, so the system is asked until then.
    pub(crate) fn require_address(&self, socket: &UdpSocket) -> io::Result<()> {
        if self.is_bound.load(Relaxed) {
            return Ok(());
        }
        if socket.local_addr().is_ok_and(|address| address.port() != 0) {
            self.is_bound.store(true, Relaxed);
            return Ok(());
        }
        let unbound = "the socket has no address yet, so nothing can come; bind it, or send first";
        Err(io::Error::new(io::ErrorKind::InvalidInput, unbound))
    }

    /// Which error a system has for an address of another family differs, and some send
    /// nevertheless, or take a datagram for port 0 and drop it; so it is not asked. Of which family
    /// the socket is, it is asked once.
    pub(crate) fn require_sense_of(&self, socket: &UdpSocket, peer: SocketAddr) -> io::Result<()> {
        let mut own = self.family.load(Relaxed);
        if own == 0 {
            own = protocol_of(socket.as_socket())?.iAddressFamily as u16;
            self.family.store(own, Relaxed);
        }
        if own == family(&peer) {
            return if peer.port() != 0 { Ok(()) } else { Err(nobody()) };
        }
        let another = "the address is of another family than the socket; on an IPv6 socket that takes \
                      both, write an IPv4 address as `::ffff:a.b.c.d`";
        Err(io::Error::new(io::ErrorKind::InvalidInput, another))
    }
}

#[cold]
fn nobody() -> io::Error {
    let nobody = "nobody can have port 0; a socket that was bound to it has another one, which \
                  `local_addr` tells";
    io::Error::new(io::ErrorKind::AddrNotAvailable, nobody)
}
