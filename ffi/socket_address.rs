//! Socket addresses, as Winsock lays them out: a family first, and what follows depends on it.
//!
//! A call takes a pointer to the common beginning, [`SOCKADDR`], and a length, and finds out from
//! the family which of the structs it really is. So a pointer to a [`SOCKADDR_IN`] is cast on the
//! way in, and on the way out family and length are looked at before anything else is.
//!
//! Numbers that travel on the wire are in network order here too, the highest byte first: ports
//! and IPv4 addresses. The scope of an IPv6 address does not travel and is an ordinary number.
#![allow(non_snake_case, reason = "fields are spelled as in the SDK")]
#![allow(clippy::upper_case_acronyms, reason = "SOCKADDR and the others are the SDK's names")]
#![allow(non_camel_case_types, reason = "types are spelled as in the SDK: SOCKADDR_IN")]

use core::mem::offset_of;

use super::types::{ULONG, USHORT};

/// What kind of address it is, [`AF_INET`](super::constants::AF_INET) or another.
/// Header: ws2def.h.
pub type ADDRESS_FAMILY = USHORT;

/// What every address begins with, and so the type of a pointer to any of them.
///
/// It has the size of a [`SOCKADDR_IN`]. A [`SOCKADDR_IN6`] is longer: this is not storage for an
/// address of any kind.
///
/// Header: ws2def.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/ws2def/ns-ws2def-sockaddr)
#[doc(alias = "LPSOCKADDR")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SOCKADDR {
    /// Which of the structs it is.
    pub sa_family: ADDRESS_FAMILY,
    /// The rest of it, or of its beginning. The SDK's `CHAR` has a sign; an address has none.
    pub sa_data: [u8; 14],
}

const _: () = {
    assert!(size_of::<SOCKADDR>() == 16);
    assert!(align_of::<SOCKADDR>() == 2);
    assert!(offset_of!(SOCKADDR, sa_family) == 0);
    assert!(offset_of!(SOCKADDR, sa_data) == 2);
};

/// An IPv4 address.
///
/// In the SDK this is a union, `S_un`, of the four bytes, of two halves and of the whole. The whole
/// stands for all three: it decides the alignment, and the bytes are those of the number.
///
/// Header: inaddr.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/inaddr/ns-inaddr-in_addr)
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct IN_ADDR {
    /// The address, in network order: in memory 127.0.0.1 is the bytes 127, 0, 0, 1.
    pub S_addr: ULONG,
}

const _: () = {
    assert!(size_of::<IN_ADDR>() == 4);
    assert!(align_of::<IN_ADDR>() == 4);
    assert!(offset_of!(IN_ADDR, S_addr) == 0);
};

/// An IPv4 address and a port.
///
/// Header: ws2def.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/ws2def/ns-ws2def-sockaddr_in)
#[doc(alias = "LPSOCKADDR_IN")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SOCKADDR_IN {
    /// [`AF_INET`](super::constants::AF_INET).
    pub sin_family: ADDRESS_FAMILY,
    /// The port, in network order. For `bind`, 0 is any port that is free.
    pub sin_port: USHORT,
    /// The address. For `bind`, 0 is every address of this machine.
    pub sin_addr: IN_ADDR,
    /// Zeros, up to the size of a [`SOCKADDR`].
    pub sin_zero: [u8; 8],
}

const _: () = {
    assert!(size_of::<SOCKADDR_IN>() == 16);
    assert!(align_of::<SOCKADDR_IN>() == 4);
    assert!(offset_of!(SOCKADDR_IN, sin_family) == 0);
    assert!(offset_of!(SOCKADDR_IN, sin_port) == 2);
    assert!(offset_of!(SOCKADDR_IN, sin_addr) == 4);
    assert!(offset_of!(SOCKADDR_IN, sin_zero) == 8);
};

/// An IPv6 address.
///
/// In the SDK this is a union, `u`, of 16 bytes and of 8 words. The bytes stand for both, aligned
/// as the words are.
///
/// Header: in6addr.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/in6addr/ns-in6addr-in6_addr)
#[repr(C, align(2))]
#[derive(Clone, Copy, Debug)]
pub struct IN6_ADDR {
    /// The address, in the order in which it is written and sent.
    pub Byte: [u8; 16],
}

const _: () = {
    assert!(size_of::<IN6_ADDR>() == 16);
    assert!(align_of::<IN6_ADDR>() == 2);
    assert!(offset_of!(IN6_ADDR, Byte) == 0);
};

/// An IPv6 address and a port. The SDK's name for this form is `SOCKADDR_IN6_LH`.
///
/// In the SDK the scope is a union of the whole number and of a struct of bit fields, `SCOPE_ID`.
/// The whole stands for both, without a change of layout.
///
/// Header: ws2ipdef.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/ws2ipdef/ns-ws2ipdef-sockaddr_in6_lh)
#[doc(alias = "SOCKADDR_IN6_LH")]
#[doc(alias = "LPSOCKADDR_IN6")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SOCKADDR_IN6 {
    /// [`AF_INET6`](super::constants::AF_INET6).
    pub sin6_family: ADDRESS_FAMILY,
    /// The port, in network order. For `bind`, 0 is any port that is free.
    pub sin6_port: USHORT,
    /// The flow label and the traffic class, as they came; `SocketAddrV6::flowinfo` is the same.
    pub sin6_flowinfo: ULONG,
    /// The address. For `bind`, 0 is every IPv6 address of this machine.
    pub sin6_addr: IN6_ADDR,
    /// The network that a link-local address is in, as an index of an interface here; else 0.
    pub sin6_scope_id: ULONG,
}

const _: () = {
    assert!(size_of::<SOCKADDR_IN6>() == 28);
    assert!(align_of::<SOCKADDR_IN6>() == 4);
    assert!(offset_of!(SOCKADDR_IN6, sin6_family) == 0);
    assert!(offset_of!(SOCKADDR_IN6, sin6_port) == 2);
    assert!(offset_of!(SOCKADDR_IN6, sin6_flowinfo) == 4);
    assert!(offset_of!(SOCKADDR_IN6, sin6_addr) == 8);
    assert!(offset_of!(SOCKADDR_IN6, sin6_scope_id) == 24);
};
