//! What `ffi` declares for making, accepting and connecting sockets is what a C compiler makes of
//! the Windows headers: the tables of `tests/layout.rs`, continued.

use std::ffi::c_void;
use std::mem::offset_of;

use overlapped::ffi::mswsock::{
    LPFN_ACCEPTEX, LPFN_CONNECTEX, LPFN_GETACCEPTEXSOCKADDRS, WSAID_ACCEPTEX, WSAID_CONNECTEX,
    WSAID_GETACCEPTEXSOCKADDRS,
};
use overlapped::ffi::socket_address::{
    ADDRESS_FAMILY, IN_ADDR, IN6_ADDR, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6,
};
use overlapped::ffi::types::{
    BOOL, DWORD, GROUP, GUID, OVERLAPPED, SOCKET, ULONG, USHORT, WSAPROTOCOL_INFOW,
    WSAPROTOCOLCHAIN,
};

/// A property's name, what this compiler says, and what C says, which is the same for 64 and for
/// 32 bits: nothing here holds a pointer.
type Row = (&'static str, usize, usize);

#[track_caller]
fn assert_layout(rows: &[Row]) {
    for &(property, ours, expected) in rows {
        assert_eq!(ours, expected, "{property}");
    }
}

#[test]
fn sockaddr_is_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<SOCKADDR>(), 16),
        ("align", align_of::<SOCKADDR>(), 2),
        ("sa_family", offset_of!(SOCKADDR, sa_family), 0),
        ("sa_data", offset_of!(SOCKADDR, sa_data), 2),
    ]);
}

#[test]
fn sockaddr_in_is_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<SOCKADDR_IN>(), 16),
        ("align", align_of::<SOCKADDR_IN>(), 4),
        ("sin_family", offset_of!(SOCKADDR_IN, sin_family), 0),
        ("sin_port", offset_of!(SOCKADDR_IN, sin_port), 2),
        ("sin_addr", offset_of!(SOCKADDR_IN, sin_addr), 4),
        ("sin_zero", offset_of!(SOCKADDR_IN, sin_zero), 8),
    ]);
}

#[test]
fn sockaddr_in6_is_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<SOCKADDR_IN6>(), 28),
        ("align", align_of::<SOCKADDR_IN6>(), 4),
        ("sin6_family", offset_of!(SOCKADDR_IN6, sin6_family), 0),
        ("sin6_port", offset_of!(SOCKADDR_IN6, sin6_port), 2),
        ("sin6_flowinfo", offset_of!(SOCKADDR_IN6, sin6_flowinfo), 4),
        ("sin6_addr", offset_of!(SOCKADDR_IN6, sin6_addr), 8),
        ("sin6_scope_id", offset_of!(SOCKADDR_IN6, sin6_scope_id), 24),
    ]);
}

#[test]
fn guid_is_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<GUID>(), 16),
        ("align", align_of::<GUID>(), 4),
        ("Data1", offset_of!(GUID, Data1), 0),
        ("Data2", offset_of!(GUID, Data2), 4),
        ("Data3", offset_of!(GUID, Data3), 6),
        ("Data4", offset_of!(GUID, Data4), 8),
    ]);
}

#[test]
fn wsaprotocol_info_is_laid_out_as_in_c() {
    type Info = WSAPROTOCOL_INFOW;
    assert_layout(&[
        ("size", size_of::<Info>(), 628),
        ("align", align_of::<Info>(), 4),
        ("dwServiceFlags1", offset_of!(Info, dwServiceFlags1), 0),
        ("dwServiceFlags2", offset_of!(Info, dwServiceFlags2), 4),
        ("dwServiceFlags3", offset_of!(Info, dwServiceFlags3), 8),
        ("dwServiceFlags4", offset_of!(Info, dwServiceFlags4), 12),
        ("dwProviderFlags", offset_of!(Info, dwProviderFlags), 16),
        ("ProviderId", offset_of!(Info, ProviderId), 20),
        ("dwCatalogEntryId", offset_of!(Info, dwCatalogEntryId), 36),
        ("ChainLen", offset_of!(Info, ProtocolChain.ChainLen), 40),
        ("ChainEntries", offset_of!(Info, ProtocolChain.ChainEntries), 44),
        ("iVersion", offset_of!(Info, iVersion), 72),
        ("iAddressFamily", offset_of!(Info, iAddressFamily), 76),
        ("iMaxSockAddr", offset_of!(Info, iMaxSockAddr), 80),
        ("iMinSockAddr", offset_of!(Info, iMinSockAddr), 84),
        ("iSocketType", offset_of!(Info, iSocketType), 88),
        ("iProtocol", offset_of!(Info, iProtocol), 92),
        ("iProtocolMaxOffset", offset_of!(Info, iProtocolMaxOffset), 96),
        ("iNetworkByteOrder", offset_of!(Info, iNetworkByteOrder), 100),
        ("iSecurityScheme", offset_of!(Info, iSecurityScheme), 104),
        ("dwMessageSize", offset_of!(Info, dwMessageSize), 108),
        ("dwProviderReserved", offset_of!(Info, dwProviderReserved), 112),
        ("szProtocol", offset_of!(Info, szProtocol), 116),
    ]);
}

#[test]
fn the_integers_are_as_wide_as_in_c() {
    assert_layout(&[
        ("ADDRESS_FAMILY", size_of::<ADDRESS_FAMILY>(), 2),
        ("GROUP", size_of::<GROUP>(), 4),
        ("USHORT", size_of::<USHORT>(), 2),
    ]);
    assert_eq!([ADDRESS_FAMILY::MIN, USHORT::MIN], [0, 0]);
    assert_eq!(GROUP::MIN, 0);
}

/// The SDK's own shapes, with the unions that `ffi::socket_address` does without.
#[test]
fn flattening_the_unions_of_addresses_moves_nothing() {
    #[repr(C)]
    union Ipv4 {
        bytes: [u8; 4],
        words: [USHORT; 2],
        whole: ULONG,
    }

    #[repr(C)]
    union Ipv6 {
        bytes: [u8; 16],
        words: [USHORT; 8],
    }

    assert_eq!(size_of::<IN_ADDR>(), size_of::<Ipv4>());
    assert_eq!(align_of::<IN_ADDR>(), align_of::<Ipv4>());
    assert_eq!(size_of::<IN6_ADDR>(), size_of::<Ipv6>());
    assert_eq!(align_of::<IN6_ADDR>(), align_of::<Ipv6>());
}

// The next two do not compile when a struct has a field more or a field less, or one of another
// type: there is no `..` in them.

#[test]
fn literals_of_addresses_name_every_field() {
    let SOCKADDR { sa_family, sa_data } = SOCKADDR { sa_family: 1_u16, sa_data: [2_u8; 14] };
    assert_eq!((sa_family, sa_data[13]), (1, 2));

    let SOCKADDR_IN { sin_family, sin_port, sin_addr, sin_zero } = SOCKADDR_IN {
        sin_family: 1_u16,
        sin_port: 2_u16,
        sin_addr: IN_ADDR { S_addr: 3_u32 },
        sin_zero: [4_u8; 8],
    };
    assert_eq!((sin_family, sin_port, sin_addr.S_addr, sin_zero[7]), (1, 2, 3, 4));

    let SOCKADDR_IN6 { sin6_family, sin6_port, sin6_flowinfo, sin6_addr, sin6_scope_id } =
        SOCKADDR_IN6 {
            sin6_family: 1_u16,
            sin6_port: 2_u16,
            sin6_flowinfo: 3_u32,
            sin6_addr: IN6_ADDR { Byte: [4_u8; 16] },
            sin6_scope_id: 5_u32,
        };
    assert_eq!((sin6_family, sin6_port, sin6_flowinfo), (1, 2, 3));
    assert_eq!((sin6_addr.Byte[15], sin6_scope_id), (4, 5));
}

#[test]
fn literals_of_guid_and_protocol_information_name_every_field() {
    let GUID { Data1, Data2, Data3, Data4 } =
        GUID { Data1: 1_u32, Data2: 2_u16, Data3: 3_u16, Data4: [4_u8; 8] };
    let information = WSAPROTOCOL_INFOW {
        dwServiceFlags1: u32::MAX,
        dwServiceFlags2: 0_u32,
        dwServiceFlags3: 0_u32,
        dwServiceFlags4: 0_u32,
        dwProviderFlags: 0_u32,
        ProviderId: GUID { Data1, Data2, Data3, Data4 },
        dwCatalogEntryId: 0_u32,
        ProtocolChain: WSAPROTOCOLCHAIN { ChainLen: -1_i32, ChainEntries: [u32::MAX; 7] },
        iVersion: 0_i32,
        iAddressFamily: 0_i32,
        iMaxSockAddr: 0_i32,
        iMinSockAddr: 0_i32,
        iSocketType: 0_i32,
        iProtocol: 0_i32,
        iProtocolMaxOffset: 0_i32,
        iNetworkByteOrder: 0_i32,
        iSecurityScheme: 0_i32,
        dwMessageSize: 0_u32,
        dwProviderReserved: 0_u32,
        szProtocol: [u16::MAX; 256],
    };
    assert_eq!(information.ProviderId.Data4, [4; 8]);
    assert_eq!(information.szProtocol[255], u16::MAX);
}

#[test]
fn the_names_of_the_functions_are_three() {
    assert_ne!(WSAID_ACCEPTEX, WSAID_CONNECTEX);
    assert_ne!(WSAID_CONNECTEX, WSAID_GETACCEPTEXSOCKADDRS);
    // The headers made these two one after the other.
    let next = GUID { Data1: WSAID_ACCEPTEX.Data1 + 1, ..WSAID_ACCEPTEX };
    assert_eq!(next, WSAID_GETACCEPTEXSOCKADDRS);
}

/// Each parameter of a function has the type that the pointer says: else this does not compile.
#[test]
fn the_functions_have_the_shape_of_the_header() {
    extern "system" fn accept(
        _: SOCKET,
        _: SOCKET,
        _: *mut c_void,
        _: DWORD,
        _: DWORD,
        _: DWORD,
        _: *mut DWORD,
        _: *mut OVERLAPPED,
    ) -> BOOL {
        1
    }

    extern "system" fn addresses(
        _: *const c_void,
        _: DWORD,
        _: DWORD,
        _: DWORD,
        _: *mut *mut SOCKADDR,
        _: *mut i32,
        _: *mut *mut SOCKADDR,
        _: *mut i32,
    ) {
    }

    extern "system" fn connect(
        _: SOCKET,
        _: *const SOCKADDR,
        _: i32,
        _: *const c_void,
        _: DWORD,
        _: *mut DWORD,
        _: *mut OVERLAPPED,
    ) -> BOOL {
        2
    }

    let (_, _, _): (LPFN_ACCEPTEX, LPFN_GETACCEPTEXSOCKADDRS, LPFN_CONNECTEX) =
        (accept, addresses, connect);
    let pointer = size_of::<*const c_void>();
    assert_layout(&[
        ("LPFN_ACCEPTEX", size_of::<Option<LPFN_ACCEPTEX>>(), pointer),
        ("LPFN_GETACCEPTEXSOCKADDRS", size_of::<Option<LPFN_GETACCEPTEXSOCKADDRS>>(), pointer),
        ("LPFN_CONNECTEX", size_of::<Option<LPFN_CONNECTEX>>(), pointer),
    ]);
}

/// A wrong name or a wrong DLL does not link. On other targets there is nothing to link with.
#[cfg(windows)]
#[test]
fn every_call_links_and_has_the_shape_of_the_header() {
    use overlapped::ffi::types::{LPWSAOVERLAPPED_COMPLETION_ROUTINE, WSAOVERLAPPED};
    use overlapped::ffi::ws2_32;

    let make: unsafe extern "system" fn(
        i32,
        i32,
        i32,
        *const WSAPROTOCOL_INFOW,
        GROUP,
        DWORD,
    ) -> SOCKET = ws2_32::WSASocketW;
    let bind: unsafe extern "system" fn(SOCKET, *const SOCKADDR, i32) -> i32 = ws2_32::bind;
    let get: unsafe extern "system" fn(SOCKET, i32, i32, *mut u8, *mut i32) -> i32 =
        ws2_32::getsockopt;
    let set: unsafe extern "system" fn(SOCKET, i32, i32, *const u8, i32) -> i32 =
        ws2_32::setsockopt;
    let ask: unsafe extern "system" fn(
        SOCKET,
        DWORD,
        *const c_void,
        DWORD,
        *mut c_void,
        DWORD,
        *mut DWORD,
        *mut WSAOVERLAPPED,
        LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> i32 = ws2_32::WSAIoctl;

    let addresses = std::collections::BTreeSet::from([
        make as usize,
        bind as usize,
        get as usize,
        set as usize,
        ask as usize,
    ]);
    assert_eq!(addresses.len(), 5);
    assert!(!addresses.contains(&0));
}
