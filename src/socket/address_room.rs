//! Room for the address that a datagram comes from, or goes to.

#![cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]
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
    #[inline]
    pub(crate) fn sender_in(memory: [u64; 4]) -> io::Result<SocketAddr> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn room(memory: &mut [u64; 4]) -> AddressRoom {
        // SAFETY: the memory is borrowed, and nobody else uses it while the test does.
        unsafe { AddressRoom::at(memory) }
    }

    #[test]
    fn an_address_that_is_put_in_comes_out() {
        for text in ["192.0.2.1:8080", "255.255.255.255:65535", "[fe80::1%7]:1"] {
            let address = text.parse().expect("an address");
            let mut memory = [u64::MAX; 4];
            let (raw, length) = room(&mut memory).fill(address);
            // SAFETY: the address is in the memory, of that length.
            assert_eq!(unsafe { address::read(raw, length) }, Some(address));
            assert_eq!(length, if address.is_ipv4() { 16 } else { 28 });
        }
    }

    /// What the system does: it writes an address, of which it has been told how long it may be,
    /// and then its length.
    #[test]
    fn what_is_written_to_an_empty_room_is_the_sender() {
        for text in ["192.0.2.1:8080", "[2001:db8::1]:443"] {
            let sender: SocketAddr = text.parse().expect("an address");
            let mut memory = [u64::MAX; 4];
            let (to, length) = room(&mut memory).empty();
            let raw = RawAddress::new(sender);
            // SAFETY: the number is in the memory, which is borrowed.
            assert_eq!(unsafe { length.read() }, 28);
            // SAFETY: there are 28 bytes of room.
            unsafe { to.cast::<u8>().copy_from(raw.as_ptr().cast(), raw.len() as usize) };
            // SAFETY: as above.
            unsafe { length.write(raw.len()) };
            assert_eq!(AddressRoom::sender_in(memory).expect("an address"), sender);
        }
    }

    #[test]
    fn a_room_that_nobody_has_written_to_has_no_sender() {
        let mut memory = [0; 4];
        room(&mut memory).fill("192.0.2.1:8080".parse().expect("an address"));
        room(&mut memory).empty();
        for memory in [memory, [u64::MAX; 4], [0; 4]] {
            let error = AddressRoom::sender_in(memory).expect_err("none was written");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    /// A length that is nonsense leads nowhere beyond the room.
    #[test]
    fn no_length_is_trusted() {
        let mut memory = [0; 4];
        let sender = "[2001:db8::1]:443".parse().expect("an address");
        for length in [i32::MIN, -1, 0, 27, 29, i32::MAX] {
            room(&mut memory).fill(sender);
            memory[3] = memory[3].to_le() & 0xFFFF_FFFF;
            memory[3] = u64::from_le(memory[3] | u64::from(length as u32) << 32);
            let found = AddressRoom::sender_in(memory).ok();
            assert_eq!(found, Some(sender).filter(|_| length > 28), "{length}");
        }
    }
}
