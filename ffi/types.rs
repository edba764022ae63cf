//! The types that cross the border: plain integers under the SDK's names, and the structs that
//! Windows reads and writes, all but the [addresses](super::socket_address) of sockets.
//!
//! A struct that is laid out wrongly is not an error message but a corrupted heap. Each one is
//! therefore followed by its layout, which the compiler checks on every target. What files, jobs
//! and messages need stands in texts of their own below this one, and under this name as all else
//! does.
#![allow(non_snake_case, reason = "fields are spelled as in the SDK")]
#![allow(clippy::upper_case_acronyms, reason = "BOOL, HANDLE and the others are the SDK's names")]
#![allow(non_camel_case_types, reason = "types are spelled as in the SDK: OVERLAPPED_ENTRY")]

use core::ffi::c_void;
use core::mem::offset_of;

mod files;
mod jobs;
mod messages;

pub use files::*;
pub use jobs::*;
pub use messages::*;

/// Whether pointers have 64 bits: all that the layouts below depend on.
#[allow(dead_code, reason = "older compilers overlook that assertions use it")]
const WIDE: bool = cfg!(target_pointer_width = "64");

/// A yes or no: every value but 0 is yes, so compare with [`FALSE`](super::constants::FALSE) and
/// never with `TRUE`. Header: minwindef.h.
pub type BOOL = i32;

/// A yes or no of 8 bits: every value but 0 is yes. Header: winnt.h.
pub type BOOLEAN = UCHAR;

/// An unsigned number of 32 bits, on 64-bit Windows too. Header: minwindef.h.
pub type DWORD = u32;

/// A group of sockets. There are none: it is 0. Header: winsock2.h.
pub type GROUP = u32;

/// A file, a port or another kernel object, by its number in this process. Some calls say "none"
/// with NULL, others with [`INVALID_HANDLE_VALUE`](super::constants::INVALID_HANDLE_VALUE).
/// Header: winnt.h.
pub type HANDLE = *mut c_void;

/// A number of 64 bits with a sign, such as a time. The SDK's union of two halves and the whole, of
/// which this is the whole. Header: winnt.h.
pub type LARGE_INTEGER = i64;

/// What the kernel says about an operation: negative for warnings and errors, else success. The
/// values are in [`ntstatus`](super::ntstatus). Header: winternl.h (`LONG`).
pub type NTSTATUS = i32;

/// A number of bytes in memory. Header: basetsd.h.
pub type SIZE_T = ULONG_PTR;

/// A socket: a kernel handle under a type of its own, so that it casts to [`HANDLE`] and back.
/// "None" is [`INVALID_SOCKET`](super::constants::INVALID_SOCKET), and 0 is not.
/// Header: winsock2.h.
pub type SOCKET = usize;

/// An unsigned number of 8 bits. Header: minwindef.h.
pub type UCHAR = u8;

/// An unsigned number of 32 bits, on 64-bit Windows too. Header: minwindef.h.
pub type UINT = u32;

/// An unsigned number of 32 bits, on 64-bit Windows too. Header: minwindef.h.
pub type ULONG = u32;

/// An unsigned number as wide as a pointer: the type of a completion key. Header: basetsd.h.
pub type ULONG_PTR = usize;

/// An unsigned number of 16 bits. Header: minwindef.h.
pub type USHORT = u16;

/// One asynchronous operation, as the kernel knows it. Its address is the operation's name.
///
/// From the call that starts the operation until its packet has been dequeued this memory belongs
/// to the kernel, which writes to it at any moment: it must neither move nor be freed nor be used
/// for a second operation. For that reason it is not `Clone`: a copy would be a name for nothing.
///
/// In the SDK `Offset` and `OffsetHigh` share their place with `PVOID Pointer`, in a union. They
/// are flattened here, since nobody uses `Pointer`, and without a change of layout: the pair takes
/// 8 bytes at an offset that is a multiple of 8 whatever the width of a pointer, so `Pointer`
/// fills both on 64 bits, the first on 32 bits, and needs no padding on either.
///
/// Header: minwinbase.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped)
#[doc(alias = "LPOVERLAPPED")]
#[repr(C)]
#[derive(Debug)]
pub struct OVERLAPPED {
    /// The operation's [`NTSTATUS`], in the low 32 bits. It is
    /// [`STATUS_PENDING`](super::ntstatus::STATUS_PENDING) while the kernel works. After a call
    /// that failed at once it says whether a packet comes, if it read so before the call: one comes
    /// exactly if it does no longer. Microsoft documents all but that, and says that it may change.
    pub Internal: ULONG_PTR,
    /// How many bytes were moved, if the operation has succeeded. What it says of one that failed
    /// is not documented.
    pub InternalHigh: ULONG_PTR,
    /// The low half of a position in a file. Not used by sockets, which want 0.
    pub Offset: DWORD,
    /// The high half of a position in a file. Not used by sockets, which want 0.
    pub OffsetHigh: DWORD,
    /// An event to signal at the end, or NULL. If the lowest bit of a handle given here is set,
    /// no packet is queued to the port. With an event the operation can end with the thread that
    /// started it, although its file is on a port.
    pub hEvent: HANDLE,
}

const _: () = {
    assert!(size_of::<OVERLAPPED>() == if WIDE { 32 } else { 20 });
    assert!(align_of::<OVERLAPPED>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(OVERLAPPED, Internal) == 0);
    assert!(offset_of!(OVERLAPPED, InternalHigh) == if WIDE { 8 } else { 4 });
    assert!(offset_of!(OVERLAPPED, Offset) == if WIDE { 16 } else { 8 });
    assert!(offset_of!(OVERLAPPED, OffsetHigh) == if WIDE { 20 } else { 12 });
    assert!(offset_of!(OVERLAPPED, hEvent) == if WIDE { 24 } else { 16 });
};

/// Winsock's name for [`OVERLAPPED`]. Header: winsock2.h, which says the same with a `#define`.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/ns-winsock2-wsaoverlapped)
#[doc(alias = "LPWSAOVERLAPPED")]
pub type WSAOVERLAPPED = OVERLAPPED;

/// A packet, as `GetQueuedCompletionStatusEx` hands it over.
///
/// Only a packet of an operation that this process started carries facts. One that was posted
/// carries whatever the poster chose, `lpOverlapped` included, so the pointer is to be recognised
/// before it is followed.
///
/// Header: minwinbase.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped_entry)
#[doc(alias = "LPOVERLAPPED_ENTRY")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OVERLAPPED_ENTRY {
    /// The key given when the file was associated, or when the packet was posted. In spite of its
    /// prefix it is a number and not a pointer.
    pub lpCompletionKey: ULONG_PTR,
    /// The operation's address, as it was given when the operation began. NULL is legal in a
    /// packet that was posted.
    pub lpOverlapped: *mut OVERLAPPED,
    /// Reserved. How the operation ended is in the [`OVERLAPPED`] that `lpOverlapped` leads to.
    pub Internal: ULONG_PTR,
    /// How many bytes were moved, if the operation has succeeded. What it says of one that failed
    /// is not documented.
    pub dwNumberOfBytesTransferred: DWORD,
}

const _: () = {
    assert!(size_of::<OVERLAPPED_ENTRY>() == if WIDE { 32 } else { 16 });
    assert!(align_of::<OVERLAPPED_ENTRY>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(OVERLAPPED_ENTRY, lpCompletionKey) == 0);
    assert!(offset_of!(OVERLAPPED_ENTRY, lpOverlapped) == if WIDE { 8 } else { 4 });
    assert!(offset_of!(OVERLAPPED_ENTRY, Internal) == if WIDE { 16 } else { 8 });
    assert!(offset_of!(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred) == if WIDE { 24 } else { 12 });
};

/// A piece of memory to receive into or to send from. The length comes first, unlike in the
/// `iovec` of Unix, and has 32 bits on every Windows: a longer buffer must be cut.
///
/// The array of these is read during the call and may stand on the stack. The memory it points to
/// is lent until the packet has been dequeued.
///
/// Header: ws2def.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/ws2def/ns-ws2def-wsabuf)
#[doc(alias = "LPWSABUF")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WSABUF {
    /// How many bytes there are at `buf`.
    pub len: ULONG,
    /// The first byte. The SDK's `CHAR` has a sign; what is sent and received has none.
    pub buf: *mut u8,
}

const _: () = {
    assert!(size_of::<WSABUF>() == if WIDE { 16 } else { 8 });
    assert!(align_of::<WSABUF>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(WSABUF, len) == 0);
    assert!(offset_of!(WSABUF, buf) == if WIDE { 8 } else { 4 });
};

/// A function for Winsock to call, in an alertable wait of the thread that started the operation.
///
/// `None` is the SDK's NULL, and what this crate always gives: a socket on a completion port
/// reports to the port.
///
/// Header: winsock2.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nc-winsock2-lpwsaoverlapped_completion_routine)
pub type LPWSAOVERLAPPED_COMPLETION_ROUTINE = Option<
    unsafe extern "system" fn(
        dwError: DWORD,
        cbTransferred: DWORD,
        lpOverlapped: *mut WSAOVERLAPPED,
        dwFlags: DWORD,
    ),
>;

// `Option` around a function pointer is NULL or the pointer, which is what makes it usable here.
const _: () = assert!(size_of::<LPWSAOVERLAPPED_COMPLETION_ROUTINE>() == size_of::<HANDLE>());

/// A name of 128 bits that nobody has given to anything else. Among much else it names the
/// functions in [`mswsock`](super::mswsock).
///
/// Header: guiddef.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/guiddef/ns-guiddef-guid)
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GUID {
    /// The first 8 hexadecimal digits.
    pub Data1: ULONG,
    /// The next 4.
    pub Data2: USHORT,
    /// The next 4.
    pub Data3: USHORT,
    /// The last 16, byte by byte.
    pub Data4: [UCHAR; 8],
}

const _: () = {
    assert!(size_of::<GUID>() == 16);
    assert!(align_of::<GUID>() == 4);
    assert!(offset_of!(GUID, Data1) == 0);
    assert!(offset_of!(GUID, Data2) == 4);
    assert!(offset_of!(GUID, Data3) == 6);
    assert!(offset_of!(GUID, Data4) == 8);
};

/// The providers that a socket's calls go through, the uppermost first.
///
/// Header: winsock2.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/ns-winsock2-wsaprotocolchain)
#[doc(alias = "LPWSAPROTOCOLCHAIN")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WSAPROTOCOLCHAIN {
    /// 1 for a base provider, more for a chain of providers, 0 for a link of a chain.
    pub ChainLen: i32,
    /// Their numbers in the catalog; `MAX_PROTOCOL_CHAIN` is 7.
    pub ChainEntries: [DWORD; 7],
}

const _: () = {
    assert!(size_of::<WSAPROTOCOLCHAIN>() == 32);
    assert!(align_of::<WSAPROTOCOLCHAIN>() == 4);
    assert!(offset_of!(WSAPROTOCOLCHAIN, ChainLen) == 0);
    assert!(offset_of!(WSAPROTOCOLCHAIN, ChainEntries) == 4);
};

/// A protocol and who provides it: the answer of `getsockopt` to
/// [`SO_PROTOCOL_INFOW`](super::constants::SO_PROTOCOL_INFOW).
///
/// Header: winsock2.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/ns-winsock2-wsaprotocol_infow)
#[doc(alias = "LPWSAPROTOCOL_INFOW")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WSAPROTOCOL_INFOW {
    /// What its sockets are and can do: the `XP1_*` flags.
    pub dwServiceFlags1: DWORD,
    /// Reserved.
    pub dwServiceFlags2: DWORD,
    /// Reserved.
    pub dwServiceFlags3: DWORD,
    /// Reserved.
    pub dwServiceFlags4: DWORD,
    /// How the entry came into the catalog: the `PFL_*` flags.
    pub dwProviderFlags: DWORD,
    /// The provider.
    pub ProviderId: GUID,
    /// The number of this entry in the catalog.
    pub dwCatalogEntryId: DWORD,
    /// What lies below this provider.
    pub ProtocolChain: WSAPROTOCOLCHAIN,
    /// The version of the protocol.
    pub iVersion: i32,
    /// The family of its addresses.
    pub iAddressFamily: i32,
    /// The length of its longest address.
    pub iMaxSockAddr: i32,
    /// The length of its shortest address.
    pub iMinSockAddr: i32,
    /// The kind of its sockets, such as [`SOCK_STREAM`](super::constants::SOCK_STREAM).
    pub iSocketType: i32,
    /// Its number, such as [`IPPROTO_TCP`](super::constants::IPPROTO_TCP).
    pub iProtocol: i32,
    /// How many numbers from `iProtocol` on are legal besides it.
    pub iProtocolMaxOffset: i32,
    /// The order of bytes in its numbers: 0 if the highest is first.
    pub iNetworkByteOrder: i32,
    /// Its security scheme, 0 if it has none.
    pub iSecurityScheme: i32,
    /// The longest message it takes: 0 where there are no messages, as on a stream.
    pub dwMessageSize: DWORD,
    /// Reserved.
    pub dwProviderReserved: DWORD,
    /// Its name in UTF-16, ended by a 0: `WSAPROTOCOL_LEN` is 255.
    pub szProtocol: [u16; 256],
}

const _: () = {
    assert!(size_of::<WSAPROTOCOL_INFOW>() == 628);
    assert!(align_of::<WSAPROTOCOL_INFOW>() == 4);
    assert!(offset_of!(WSAPROTOCOL_INFOW, dwServiceFlags1) == 0);
    assert!(offset_of!(WSAPROTOCOL_INFOW, dwServiceFlags2) == 4);
    assert!(offset_of!(WSAPROTOCOL_INFOW, dwServiceFlags3) == 8);
    assert!(offset_of!(WSAPROTOCOL_INFOW, dwServiceFlags4) == 12);
    assert!(offset_of!(WSAPROTOCOL_INFOW, dwProviderFlags) == 16);
    assert!(offset_of!(WSAPROTOCOL_INFOW, ProviderId) == 20);
    assert!(offset_of!(WSAPROTOCOL_INFOW, dwCatalogEntryId) == 36);
    assert!(offset_of!(WSAPROTOCOL_INFOW, ProtocolChain) == 40);
    assert!(offset_of!(WSAPROTOCOL_INFOW, iVersion) == 72);
    assert!(offset_of!(WSAPROTOCOL_INFOW, iAddressFamily) == 76);
    assert!(offset_of!(WSAPROTOCOL_INFOW, iMaxSockAddr) == 80);
    assert!(offset_of!(WSAPROTOCOL_INFOW, iMinSockAddr) == 84);
    assert!(offset_of!(WSAPROTOCOL_INFOW, iSocketType) == 88);
    assert!(offset_of!(WSAPROTOCOL_INFOW, iProtocol) == 92);
    assert!(offset_of!(WSAPROTOCOL_INFOW, iProtocolMaxOffset) == 96);
    assert!(offset_of!(WSAPROTOCOL_INFOW, iNetworkByteOrder) == 100);
    assert!(offset_of!(WSAPROTOCOL_INFOW, iSecurityScheme) == 104);
    assert!(offset_of!(WSAPROTOCOL_INFOW, dwMessageSize) == 108);
    assert!(offset_of!(WSAPROTOCOL_INFOW, dwProviderReserved) == 112);
    assert!(offset_of!(WSAPROTOCOL_INFOW, szProtocol) == 116);
};
