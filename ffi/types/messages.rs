//! The types of the functions that a socket's provider is asked for: a datagram with all that is
//! told about it, and what goes before and after a file.

use core::ffi::c_void;
use core::mem::offset_of;

use super::super::socket_address::SOCKADDR;
use super::{DWORD, ULONG, WIDE, WSABUF};

/// A datagram, the address of its peer, and what else is told about it.
///
/// It is lent whole with `WSARecvMsg`, which writes to it when the datagram comes.
///
/// Header: ws2def.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/ws2def/ns-ws2def-wsamsg)
#[doc(alias = "LPWSAMSG")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WSAMSG {
    /// The peer's address.
    pub name: *mut SOCKADDR,
    /// The room for the address before a receive, and its length otherwise.
    pub namelen: i32,
    /// The pieces of memory.
    pub lpBuffers: *mut WSABUF,
    /// How many there are.
    pub dwBufferCount: DWORD,
    /// Room for what else is told, such as the address that the datagram was sent to.
    pub Control: WSABUF,
    /// Flags, both ways: `MSG_TRUNC` is a datagram that was cut, `MSG_CTRUNC` a control that was.
    pub dwFlags: DWORD,
}

const _: () = {
    assert!(size_of::<WSAMSG>() == if WIDE { 56 } else { 28 });
    assert!(align_of::<WSAMSG>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(WSAMSG, name) == 0);
    assert!(offset_of!(WSAMSG, namelen) == if WIDE { 8 } else { 4 });
    assert!(offset_of!(WSAMSG, lpBuffers) == if WIDE { 16 } else { 8 });
    assert!(offset_of!(WSAMSG, dwBufferCount) == if WIDE { 24 } else { 12 });
    assert!(offset_of!(WSAMSG, Control) == if WIDE { 32 } else { 16 });
    assert!(offset_of!(WSAMSG, dwFlags) == if WIDE { 48 } else { 24 });
};

/// What `TransmitFile` sends before the file and after it.
///
/// Header: mswsock.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/ns-mswsock-transmit_file_buffers)
#[doc(alias = "LPTRANSMIT_FILE_BUFFERS")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TRANSMIT_FILE_BUFFERS {
    /// What goes before the file, or NULL.
    pub Head: *mut c_void,
    /// How many bytes there are at `Head`.
    pub HeadLength: ULONG,
    /// What goes after the file, or NULL.
    pub Tail: *mut c_void,
    /// How many bytes there are at `Tail`.
    pub TailLength: ULONG,
}

const _: () = {
    assert!(size_of::<TRANSMIT_FILE_BUFFERS>() == if WIDE { 32 } else { 16 });
    assert!(align_of::<TRANSMIT_FILE_BUFFERS>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(TRANSMIT_FILE_BUFFERS, Head) == 0);
    assert!(offset_of!(TRANSMIT_FILE_BUFFERS, HeadLength) == if WIDE { 8 } else { 4 });
    assert!(offset_of!(TRANSMIT_FILE_BUFFERS, Tail) == if WIDE { 16 } else { 8 });
    assert!(offset_of!(TRANSMIT_FILE_BUFFERS, TailLength) == if WIDE { 24 } else { 12 });
};
