//! Addresses, from std's form to Winsock's and back.
//!
//! `bind` and `ConnectEx` read an address from memory and `AcceptEx` leaves two there, in a layout
//! that std's `SocketAddr` does not share. The two forms meet in this file alone. Either way costs
//! a copy of 28 bytes at most; the way back looks at length and family before it reads more. The
//! last two functions give `ConnectEx` what it wants besides the address that a caller has.

#![cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]
#![allow(unsafe_code, reason = "it reads an address that a system call has left in memory")]

use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::{ptr, slice};

use super::super::ffi::constants::{AF_INET, AF_INET6};
use super::super::ffi::socket_address::*;

/// An address as a system call reads it, with the memory that it stands in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RawAddress {
    V4(SOCKADDR_IN),
    V6(SOCKADDR_IN6),
}

impl RawAddress {
    pub(crate) fn new(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::V4(SOCKADDR_IN {
                sin_family: AF_INET,
                sin_port: address.port().to_be(),
                sin_addr: IN_ADDR { S_addr: u32::from_ne_bytes(address.ip().octets()) },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(address) => Self::V6(SOCKADDR_IN6 {
                sin6_family: AF_INET6,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: IN6_ADDR { Byte: address.ip().octets() },
                sin6_scope_id: address.scope_id(),
            }),
        }
    }

    /// Where the address is, as long as `self` stays where it is: [`len`](Self::len) bytes.
    pub(crate) fn as_ptr(&self) -> *const SOCKADDR {
        match self {
            Self::V4(address) => ptr::from_ref(address).cast(),
            Self::V6(address) => ptr::from_ref(address).cast(),
        }
    }

    /// Its length, as the calls count it.
    pub(crate) fn len(&self) -> i32 {
        match self {
            Self::V4(_) => size_of::<SOCKADDR_IN>() as i32,  // 16
            Self::V6(_) => size_of::<SOCKADDR_IN6>() as i32, // 28
        }
    }
}

/// The address that a system call has left somewhere, however it is aligned there. `None` if it
/// is NULL, of another family than IPv4 and IPv6, or shorter than its family says.
///
/// # Safety
///
/// * `address` is NULL, or valid for reads of `length` bytes; a negative length is none.
/// * These bytes are initialised, and nobody writes to them during the call.
pub(crate) unsafe fn read(address: *const SOCKADDR, length: i32) -> Option<SocketAddr> {
    let length = usize::try_from(length).ok()?;
    if address.is_null() {
        return None;
    }
    // SAFETY: it is not NULL, the caller vouches for this many bytes, and bytes have no alignment.
    parse(unsafe { slice::from_raw_parts(address.cast::<u8>(), length) })
}

fn parse(bytes: &[u8]) -> Option<SocketAddr> {
    match ADDRESS_FAMILY::from_ne_bytes(field(bytes, offset_of!(SOCKADDR, sa_family))?) {
        AF_INET if bytes.len() >= size_of::<SOCKADDR_IN>() => {
            let port = u16::from_be_bytes(field(bytes, offset_of!(SOCKADDR_IN, sin_port))?);
            Some((field::<4>(bytes, offset_of!(SOCKADDR_IN, sin_addr))?, port).into())
        }
        AF_INET6 if bytes.len() >= size_of::<SOCKADDR_IN6>() => {
            let ip: [u8; 16] = field(bytes, offset_of!(SOCKADDR_IN6, sin6_addr))?;
            let port = u16::from_be_bytes(field(bytes, offset_of!(SOCKADDR_IN6, sin6_port))?);
            let flow = u32::from_ne_bytes(field(bytes, offset_of!(SOCKADDR_IN6, sin6_flowinfo))?);
            let scope = u32::from_ne_bytes(field(bytes, offset_of!(SOCKADDR_IN6, sin6_scope_id))?);
            Some(SocketAddr::V6(SocketAddrV6::new(ip.into(), port, flow, scope)))
        }
        _ => None,
    }
}

/// The bytes of one field. `None` if they are not all there.
fn field<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// Where to connect to for this address: on Windows nobody can be reached at the unspecified
/// address, by which other systems mean the loopback.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// What to bind a socket to that is to connect to this address: whatever this machine has, and any
/// port. `connect` does so by itself; `ConnectEx` wants it done.
pub(crate) fn unspecified(of: SocketAddr) -> SocketAddr {
    match of {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> [SocketAddr; 4] {
        ["192.0.2.1:8080", "255.255.255.255:65535", "[2001:db8::1]:443", "[fe80::1%7]:0"]
            .map(|text| text.parse().expect("an address"))
    }

    /// What a system call finds in memory.
    fn bytes(address: SocketAddr) -> Vec<u8> {
        let raw = RawAddress::new(address);
        let length = usize::try_from(raw.len()).expect("positive");
        // SAFETY: so long is the struct at the pointer, and it has no padding.
        unsafe { slice::from_raw_parts(raw.as_ptr().cast::<u8>(), length) }.to_vec()
    }

    #[track_caller]
    fn reads(bytes: &[u8], expected: Option<SocketAddr>) {
        let length = i32::try_from(bytes.len()).expect("short");
        // SAFETY: the slice is borrowed, and as long as it says.
        assert_eq!(unsafe { read(bytes.as_ptr().cast(), length) }, expected, "{bytes:?}");
    }

    #[test]
    fn addresses_are_these_bytes() {
        let v4 = ([192, 0, 2, 1], 0x1F90).into();
        let rest = [0x1F, 0x90, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(bytes(v4), [&AF_INET.to_ne_bytes()[..], &rest].concat());

        let ip = [0xFE, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
        let v6 = SocketAddrV6::new(ip.into(), 0x1F90, 0x1122_3344, 0x5566_7788).into();
        let [flow, scope] = [0x1122_3344, 0x5566_7788].map(u32::to_ne_bytes);
        let parts = [&AF_INET6.to_ne_bytes()[..], &[0x1F, 0x90], &flow, &ip, &scope];
        assert_eq!(bytes(v6), parts.concat());
        reads(&parts.concat(), Some(v6));
    }

    #[test]
    fn an_address_comes_back_the_same_however_it_is_aligned_and_whatever_follows() {
        for address in addresses() {
            for offset in 0..8 {
                let mut memory = vec![0xFF; offset];
                memory.extend(bytes(address));
                reads(&memory[offset..], Some(address));
                memory.extend([0xFF; 100]);
                reads(&memory[offset..], Some(address));
            }
        }
    }

    #[test]
    fn a_part_of_an_address_is_none() {
        for bytes in addresses().map(bytes) {
            (0..bytes.len()).for_each(|length| reads(&bytes[..length], None));
            for (address, length) in [(bytes.as_ptr(), -1), (ptr::null(), 28)] {
                // SAFETY: NULL is allowed, and of a negative length nothing is read.
                assert_eq!(unsafe { read(address.cast(), length) }, None);
            }
        }
    }

    #[test]
    fn another_family_is_none() {
        for family in [0_u16, 1, AF_INET + 1, AF_INET6 - 1, AF_INET.swap_bytes(), u16::MAX] {
            reads(&[&family.to_ne_bytes()[..], &[1; 26]].concat(), None);
        }
    }

    #[test]
    fn only_the_unspecified_address_is_reached_elsewhere() {
        for (given, reached) in [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80")] {
            assert_eq!(reachable(given.parse().expect("an address")).to_string(), reached);
        }
        assert_eq!(addresses().map(reachable), addresses());
    }

    #[test]
    fn what_a_socket_is_bound_to_is_of_the_same_family() {
        let [v4, _, v6, _] = addresses().map(|address| unspecified(address).to_string());
        assert_eq!((v4.as_str(), v6.as_str()), ("0.0.0.0:0", "[::]:0"));
    }
}
