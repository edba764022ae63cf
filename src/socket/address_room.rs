//! Room for the address that a datagram comes from, or goes to.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it reads an address that the system has written")]

use std::io;
use std::net::SocketAddr;

use super::super::ffi::socket_address::{SOCKADDR, SOCKADDR_IN6};
use super::address::{self, RawAddress};

/// Where a receive is told who has sent the datagram, or where a send finds to whom it goes.
///
/// The system writes the sender when the operation ends, says Microsoft, so the room has to live as
/// long as that, and as the call. For the receiver no such thing is said, nor the opposite.
#[derive(Clone, Copy)]
pub(crate) struct AddressRoom(*mut Contents);

#[repr(C)]
struct Contents {
    /// The longest address of those that there are.
    address: SOCKADDR_IN6,
    length: i32,
}

impl AddressRoom {
    /// In this memory.
    ///
    /// # Safety
    ///
    /// * The memory is there, and nobody but the system uses it otherwise, as long as the room is
    ///   used.
    pub(crate) unsafe fn at(memory: *mut [u64; 4]) -> Self {
        const { assert!(size_of::<Contents>() <= size_of::<[u64; 4]>()) };
        Self(memory.cast())
    }

    /// Makes it empty, with the length of the whole room. What the call is given to write to.
    pub(crate) fn empty(self) -> (*mut SOCKADDR, *mut i32) {
        // Should the system say too early that it is done, this is no address, and not that of an
        // earlier sender.
        // SAFETY: `at` was promised the memory, and the system does not have it.
        unsafe { (*self.0).address.sin6_family = 0 };
        // SAFETY: as above.
        unsafe { (*self.0).length = size_of::<SOCKADDR_IN6>() as i32 };
        // SAFETY: as above.
        let length = unsafe { &raw mut (*self.0).length };
        (self.0.cast(), length)
    }

    /// Puts an address in. What the call is given to read, and how long it is.
    pub(crate) fn fill(self, address: SocketAddr) -> (*const SOCKADDR, i32) {
        let (raw, room) = (RawAddress::new(address), self.0.cast::<u8>());
        // SAFETY: `at` was promised the memory, and no address is longer.
        unsafe { room.copy_from(raw.as_ptr().cast(), raw.len() as usize) };
        (room.cast_const().cast(), raw.len())
    }

    /// The address that the system has written to a room, of which this was the memory when the
    /// operation had ended.
    pub(crate) fn sender_in(memory: Option<[u64; 4]>) -> io::Result<SocketAddr> {
        let memory = memory.unwrap_or_default();
        let contents = (&raw const memory).cast::<Contents>();
        // SAFETY: the pointer is to an array of that size, aligned as well, and any bytes are one.
        let length = unsafe { (*contents).length }.min(size_of::<SOCKADDR_IN6>() as i32);
        // SAFETY: as above, and the length is not beyond the address.
        unsafe { address::read(contents.cast(), length) }.ok_or_else(|| {
            let other = "the sender's address is not of IPv4 or IPv6";
            io::Error::new(io::ErrorKind::InvalidData, other)
        })
    }
}
