//! mswsock.h: the functions with which a port accepts and connects. And, each pair in a text of its
//! own below this one, those for messages, and those that send files and take sockets back.
//!
//! They are not Winsock's but belong to the provider of the socket, and so no name is linked here.
//! `WSAIoctl` is asked for the pointer, with `SIO_GET_EXTENSION_FUNCTION_POINTER` and the name of
//! the function, a [`GUID`]; what it answers is good for all sockets of that provider, of which
//! each family of addresses may have its own. mswsock.dll does export `AcceptEx` and
//! `GetAcceptExSockaddrs`, but those look the pointer up at each call; `ConnectEx` it does not
//! export.
//!
//! `AcceptEx` and `ConnectEx` start operations, and are lent memory as `WSARecv` is. They answer
//! like a function of kernel32, not 0 for success, and leave the reason in `WSAGetLastError`:
//!
//! | return | `WSAGetLastError` | memory | packet |
//! | --- | --- | --- | --- |
//! | not 0 | not looked at | lent | one, as if it had been pending |
//! | 0 | `WSA_IO_PENDING` | lent | one, later |
//! | 0 | anything else | the caller's again | none |
//!
//! The first line has the exception that it has there: with `FILE_SKIP_COMPLETION_PORT_ON_SUCCESS`
//! set on the socket that the packet would be of, none comes. That is the listener for `AcceptEx`
//! and the socket itself for `ConnectEx`.
//!
//! Afterwards the socket can send, receive and be closed, and nothing else until it is told what
//! it has become: by `SO_UPDATE_ACCEPT_CONTEXT` with the listener as the value, or by
//! `SO_UPDATE_CONNECT_CONTEXT` without a value. Without that `getpeername`, `getsockname` and
//! `shutdown` fail, and its options are not the listener's, or those set before.
#![allow(non_snake_case, reason = "parameters are spelled as in the SDK")]
#![allow(non_camel_case_types, reason = "types are spelled as in the SDK: LPFN_ACCEPTEX")]

use core::ffi::c_void;

use super::socket_address::SOCKADDR;
use super::types::{BOOL, DWORD, GUID, OVERLAPPED, SOCKET};

mod messages;
mod transmit;

pub use messages::*;
pub use transmit::*;

/// The name of `AcceptEx`, whose pointer is an [`LPFN_ACCEPTEX`]. Header: mswsock.h.
pub const WSAID_ACCEPTEX: GUID = GUID {
    Data1: 0xB536_7DF1,
    Data2: 0xCBAC,
    Data3: 0x11CF,
    Data4: [0x95, 0xCA, 0x00, 0x80, 0x5F, 0x48, 0xA1, 0x92],
};

/// The name of `GetAcceptExSockaddrs`, whose pointer is an [`LPFN_GETACCEPTEXSOCKADDRS`].
/// Header: mswsock.h.
pub const WSAID_GETACCEPTEXSOCKADDRS: GUID = GUID {
    Data1: 0xB536_7DF2,
    Data2: 0xCBAC,
    Data3: 0x11CF,
    Data4: [0x95, 0xCA, 0x00, 0x80, 0x5F, 0x48, 0xA1, 0x92],
};

/// The name of `ConnectEx`, whose pointer is an [`LPFN_CONNECTEX`]. Header: mswsock.h.
pub const WSAID_CONNECTEX: GUID = GUID {
    Data1: 0x25A2_07B9,
    Data2: 0xDDF3,
    Data3: 0x4660,
    Data4: [0x8E, 0xE9, 0x76, 0xE5, 0x8C, 0x74, 0x06, 0x3E],
};

/// `AcceptEx`: accepts one connection, on a socket that was made beforehand. It may wait for the
/// first data too.
///
/// Returns not 0 or 0, to be read as the table [above](self) says.
///
/// * The buffer is filled in this order: `dwReceiveDataLength` bytes of data, the address of this
///   side, the address of the peer. The addresses are in a format that only
///   `GetAcceptExSockaddrs` reads.
/// * Each of the two lengths is that of the longest address of the transport and 16 bytes more.
/// * A `dwReceiveDataLength` of 0 ends the operation when there is a connection. Any other waits
///   for data, so that a peer that sends none holds it up for ever.
/// * Several may be pending on one listener, each with a socket of its own.
/// * `WSAECONNRESET` is a client that has gone before it was accepted. The listener is well.
///   `WSAECONNABORTED` and `WSAENOTCONN` can say the same.
/// * `*lpdwBytesReceived` is written on an immediate success only.
///
/// Header: mswsock.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-acceptex)
///
/// # Safety
///
/// * The pointer was given for `WSAID_ACCEPTEX` by the provider of both sockets.
/// * `sListenSocket` is a socket that listens, and is open during the call.
/// * `sAcceptSocket` is a socket of the same family, neither bound nor connected, that is open
///   until the operation has ended.
/// * `lpOutputBuffer` is lent: valid for writes of the three lengths together, and touched by
///   nobody else.
/// * `lpdwBytesReceived` is valid for a write during the call, also after the packet has been
///   dequeued.
/// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with an
///   `hEvent` that is NULL or an event. It is not NULL.
#[doc(alias = "AcceptEx")]
pub type LPFN_ACCEPTEX = unsafe extern "system" fn(
    sListenSocket: SOCKET,
    sAcceptSocket: SOCKET,
    lpOutputBuffer: *mut c_void,
    dwReceiveDataLength: DWORD,
    dwLocalAddressLength: DWORD,
    dwRemoteAddressLength: DWORD,
    lpdwBytesReceived: *mut DWORD,
    lpOverlapped: *mut OVERLAPPED,
) -> BOOL;

/// `GetAcceptExSockaddrs`: finds the two addresses in the buffer that `AcceptEx` has filled.
///
/// It cannot fail, waits for nothing, and makes no copy.
///
/// * `*LocalSockaddr` and `*RemoteSockaddr` lead into the buffer, and so no further than it lives.
///   How they are aligned there is not documented.
///
/// Header: mswsock.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-getacceptexsockaddrs)
///
/// # Safety
///
/// * The pointer was given for `WSAID_GETACCEPTEXSOCKADDRS` by the provider of the sockets.
/// * `lpOutputBuffer` is the buffer of an `AcceptEx` that has succeeded, and its packet has been
///   dequeued; the three lengths are those that `AcceptEx` was given.
/// * `LocalSockaddr`, `LocalSockaddrLength`, `RemoteSockaddr` and `RemoteSockaddrLength` are each
///   valid for a write.
#[doc(alias = "GetAcceptExSockaddrs")]
pub type LPFN_GETACCEPTEXSOCKADDRS = unsafe extern "system" fn(
    lpOutputBuffer: *const c_void,
    dwReceiveDataLength: DWORD,
    dwLocalAddressLength: DWORD,
    dwRemoteAddressLength: DWORD,
    LocalSockaddr: *mut *mut SOCKADDR,
    LocalSockaddrLength: *mut i32,
    RemoteSockaddr: *mut *mut SOCKADDR,
    RemoteSockaddrLength: *mut i32,
);

/// `ConnectEx`: connects a socket to a peer. It may send the first data too.
///
/// Returns not 0 or 0, to be read as the table [above](self) says.
///
/// * The socket must have been bound, if only to the unspecified address and port 0; else it is
///   `WSAEINVAL`. If it is connected already, it is `WSAEISCONN`, and if the address is of a family
///   that is not the socket's, `WSAEAFNOSUPPORT`.
/// * The unspecified address is nobody: `WSAEADDRNOTAVAIL`. Other systems mean the loopback by it.
/// * After `WSAECONNREFUSED`, `WSAENETUNREACH` or `WSAETIMEDOUT` the socket can be used for
///   another attempt.
/// * `dwSendDataLength` and `lpdwBytesSent` count only if `lpSendBuffer` is not NULL.
///
/// Header: mswsock.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex)
///
/// # Safety
///
/// * The pointer was given for `WSAID_CONNECTEX` by the provider of the socket.
/// * `s` is a socket that is open during the call.
/// * `name` is valid for reads of `namelen` bytes during the call. That it is not needed for
///   longer is not documented, so it is lent where that costs nothing.
/// * `lpSendBuffer` is NULL, or lent: valid for reads of `dwSendDataLength` bytes, and written by
///   nobody.
/// * `lpdwBytesSent` is valid for a write during the call, also after the packet has been dequeued;
///   NULL only with a NULL `lpSendBuffer`.
/// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with an
///   `hEvent` that is NULL or an event. It is not NULL.
#[doc(alias = "ConnectEx")]
pub type LPFN_CONNECTEX = unsafe extern "system" fn(
    s: SOCKET,
    name: *const SOCKADDR,
    namelen: i32,
    lpSendBuffer: *const c_void,
    dwSendDataLength: DWORD,
    lpdwBytesSent: *mut DWORD,
    lpOverlapped: *mut OVERLAPPED,
) -> BOOL;
