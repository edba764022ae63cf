//! A connection that is being accepted: the socket that it will have, and room for its addresses.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it reads addresses that the system has written")]

use std::ffi::c_void;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::windows::io::{AsSocket, BorrowedSocket, OwnedSocket};
use std::ptr::null_mut;

use super::address;
use super::extension::extensions;
use super::ffi::constants::SO_UPDATE_ACCEPT_CONTEXT;
use super::ffi::socket_address::{SOCKADDR, SOCKADDR_IN6};
use super::ffi::types::SOCKET;
use super::socket::{raw, set_option};

/// The system wants room for an address of the transport, and 16 bytes more.
pub(super) const SLOT: u32 = size_of::<SOCKADDR_IN6>() as u32 + 16;

/// An accept in flight: the socket that becomes the connection, and room for both its addresses.
pub(super) struct Accepting {
    socket: OwnedSocket,
    room: Room,
}

/// Aligned as the addresses in it are.
#[repr(C, align(8))]
struct Room([u8; 2 * SLOT as usize]);

impl Accepting {
    pub(super) fn new(socket: OwnedSocket) -> Self {
        Self { socket, room: Room([0; 2 * SLOT as usize]) }
    }

    /// The socket that becomes the connection, and the room for the addresses: what the system is
    /// given.
    pub(super) fn lend(&mut self) -> (SOCKET, *mut c_void) {
        (raw(&self.socket), self.room.0.as_mut_ptr().cast())
    }

    /// Makes a connection of what was accepted.
    pub(super) fn finish(
        self,
        listener: BorrowedSocket<'_>,
    ) -> io::Result<(TcpStream, SocketAddr)> {
        // Without this the socket does not know its own addresses, nor that it is connected.
        set_option(self.socket.as_socket(), SO_UPDATE_ACCEPT_CONTEXT, Some(listener))?;
        let peer = self.room.peer()?;
        Ok((TcpStream::from(self.socket), peer))
    }
}

impl Room {
    fn peer(&self) -> io::Result<SocketAddr> {
        let (mut near, mut far) = (null_mut::<SOCKADDR>(), null_mut::<SOCKADDR>());
        let (mut near_length, mut far_length) = (0, 0);
        let room = self.0.as_ptr().cast_mut().cast();
        let addresses = extensions()?.addresses;
        // SAFETY: the room is one that `AcceptEx` has filled, with slots of these sizes; the call only
        // computes, and writes two pointers into it, and their lengths.
        unsafe {
            addresses(room, 0, SLOT, SLOT, &mut near, &mut near_length, &mut far, &mut far_length)
        };
        // SAFETY: the pointer leads to an address of that length within the room.
        unsafe { address::read(far, far_length) }.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the peer's address is not of IPv4 or IPv6")
        })
    }
}
