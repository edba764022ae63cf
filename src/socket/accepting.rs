//! A connection that is being accepted: the socket that it will have, and room for its addresses.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it reads addresses that the system has written")]

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::windows::io::{AsSocket, BorrowedSocket, OwnedSocket};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::ffi::constants::SO_UPDATE_ACCEPT_CONTEXT;
use super::super::ffi::socket_address::{SOCKADDR, SOCKADDR_IN6};
use super::address;
use super::extension::Extensions;
use super::{Finish, raw, set_option};

/// The system wants room for an address of the transport, and 16 bytes more.
pub(crate) const ADDRESS_LEN: u32 = size_of::<SOCKADDR_IN6>() as u32 + 16;

/// An accept in flight: the socket that becomes the connection, and room for both its addresses.
pub(crate) struct Accepting {
    pub(crate) socket: OwnedSocket,
    /// Whoever makes the call has the other reference, until the call has returned: the packet can
    /// come first, and what the call was given to write to must still be there.
    pub(crate) room: Arc<AddressBuffer>,
}

/// Memory for the two addresses of a connection.
pub(crate) struct AddressBuffer {
    addresses: UnsafeCell<Addresses>,
    /// Of the listener's provider, which knows where in the room the addresses are.
    functions: &'static Extensions,
}

/// Aligned as the addresses in it are.
#[repr(C, align(8))]
struct Addresses([u8; 2 * ADDRESS_LEN as usize]);

// SAFETY: only the system writes to it, and that before it queues the packet of the accept. Only
// the one who completes the accept reads it, after the packet.
unsafe impl Sync for AddressBuffer {}

impl AddressBuffer {
    fn new(functions: &'static Extensions) -> Arc<Self> {
        let addresses = UnsafeCell::new(Addresses([0; 2 * ADDRESS_LEN as usize]));
        Arc::new(Self { addresses, functions })
    }

    /// What the system is given to write to.
    pub(crate) fn as_ptr(&self) -> *mut c_void {
        self.addresses.get().cast()
    }

    /// The address of the peer, when `AcceptEx` has filled the room.
    fn peer(&self) -> io::Result<SocketAddr> {
        let (mut near, mut far) = (null_mut::<SOCKADDR>(), null_mut::<SOCKADDR>());
        let (mut near_length, mut far_length) = (0, 0);
        // SAFETY: the room is one that `AcceptEx` has filled, with slots of these sizes; the call
        // only computes, and writes two pointers into it, and their lengths.
        unsafe {
            let (room, addresses) = (self.as_ptr(), self.functions.addresses);
            addresses(
                room,
                0,
                ADDRESS_LEN,
                ADDRESS_LEN,
                &mut near,
                &mut near_length,
                &mut far,
                &mut far_length,
            )
        };
        // SAFETY: the pointer leads to an address of that length within the room.
        unsafe { address::read(far, far_length) }.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the peer's address is not of IPv4 or IPv6")
        })
    }
}

/// The address buffers of a listener. They are used again, since each accept needs one for a short
/// time.
#[derive(Default)]
pub(crate) struct AddressBuffers {
    kept: Mutex<Vec<Arc<AddressBuffer>>>,
}

/// How many are kept. With more accepts pending, the others are allocated anew each time.
const KEPT: usize = 16;

impl AddressBuffers {
    /// One that nobody else uses: neither an accept in flight, nor a call that has not returned.
    pub(crate) fn take(&self, functions: &'static Extensions) -> Arc<AddressBuffer> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(free) = kept.iter_mut().position(|buffer| Arc::get_mut(buffer).is_some()) {
            return Arc::clone(&kept[free]);
        }
        let buffer = AddressBuffer::new(functions);
        if kept.len() < KEPT {
            kept.push(Arc::clone(&buffer));
        }
        buffer
    }
}

impl Finish for Accepting {
    type Output = (TcpStream, SocketAddr);

    /// Makes a connection of what was accepted.
    fn finish(self, listener: BorrowedSocket<'_>) -> io::Result<(TcpStream, SocketAddr)> {
        // Without this the socket does not know its own addresses, nor that it is connected.
        set_option(self.socket.as_socket(), SO_UPDATE_ACCEPT_CONTEXT, Some(raw(&listener)))?;
        let peer = self.room.peer()?;
        Ok((TcpStream::from(self.socket), peer))
    }
}
