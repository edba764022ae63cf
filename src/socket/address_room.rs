//! Room for the address that a datagram comes from, or goes to.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it reads an address that the system has written")]

use std::cell::UnsafeCell;
use std::io;
use std::net::SocketAddr;

use super::super::ffi::socket_address::{SOCKADDR, SOCKADDR_IN6};
use super::address::{self, RawAddress};

/// Where a receive is told who has sent the datagram, or where a send finds to whom it goes.
///
/// The system writes the sender when the operation ends, says Microsoft, so the room lives as long
/// as that, and as the call. For the receiver no such thing is said, nor the opposite.
pub(crate) struct AddressRoom(UnsafeCell<Contents>);

struct Contents {
    /// The longest address of those that there are.
    address: SOCKADDR_IN6,
    length: i32,
}

// SAFETY: who has taken the room writes to it before the call; after that only the system does, and
// that before it queues the packet. Only the one who completes the operation reads it, after the
// packet.
unsafe impl Send for AddressRoom {}
// SAFETY: as above.
unsafe impl Sync for AddressRoom {}

impl AddressRoom {
    pub(crate) fn new() -> Self {
        // SAFETY: an address is made of numbers, and zeros are a value of it.
        let address = unsafe { std::mem::zeroed() };
        Self(UnsafeCell::new(Contents { address, length: 0 }))
    }

    /// Makes it empty, with the length of the whole room. What the call is given to write to.
    ///
    /// # Safety
    ///
    /// * Nobody else uses the room.
    pub(crate) unsafe fn empty(&self) -> (*mut SOCKADDR, *mut i32) {
        let contents = self.0.get();
        // Should the system say too early that it is done, this is no address, and not that of the
        // last sender.
        // SAFETY: the pointer is to this room's own memory, which the caller has alone.
        unsafe { (*contents).address.sin6_family = 0 };
        // SAFETY: as above.
        unsafe { (*contents).length = size_of::<SOCKADDR_IN6>() as i32 };
        // SAFETY: as above.
        let length = unsafe { &raw mut (*contents).length };
        // SAFETY: as above.
        (unsafe { &raw mut (*contents).address }.cast(), length)
    }

    /// Puts an address in. What the call is given to read, and how long it is.
    ///
    /// # Safety
    ///
    /// * Nobody else uses the room.
    pub(crate) unsafe fn fill(&self, address: SocketAddr) -> (*const SOCKADDR, i32) {
        let raw = RawAddress::new(address);
        // SAFETY: the pointer is to this room's own memory.
        let room = unsafe { &raw mut (*self.0.get()).address };
        // SAFETY: the caller has the room alone, and no address is longer than it.
        unsafe { room.cast::<u8>().copy_from(raw.as_ptr().cast(), raw.len() as usize) };
        (room.cast_const().cast(), raw.len())
    }

    /// The address that the system has written, when the operation has ended well.
    pub(crate) fn sender(&self) -> io::Result<SocketAddr> {
        let contents = self.0.get();
        // SAFETY: the pointer is to this room's own memory.
        let length = unsafe { (*contents).length }.min(size_of::<SOCKADDR_IN6>() as i32);
        // SAFETY: as above.
        let address = unsafe { &raw const (*contents).address };
        // SAFETY: the room is initialised, and the length is not beyond it.
        unsafe { address::read(address.cast(), length) }.ok_or_else(|| {
            let other = "the sender's address is not of IPv4 or IPv6";
            io::Error::new(io::ErrorKind::InvalidData, other)
        })
    }
}
