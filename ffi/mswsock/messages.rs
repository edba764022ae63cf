//! `WSARecvMsg` and `WSASendMsg`: datagrams with what is told about them. Both answer like
//! functions of Winsock, 0 for success.

use super::super::types::{
    DWORD, GUID, LPWSAOVERLAPPED_COMPLETION_ROUTINE, SOCKET, WSAMSG, WSAOVERLAPPED,
};

/// The name of `WSARecvMsg`, whose pointer is an [`LPFN_WSARECVMSG`]. Header: mswsock.h.
pub const WSAID_WSARECVMSG: GUID = GUID {
    Data1: 0xF689_D7C8,
    Data2: 0x6F1F,
    Data3: 0x436B,
    Data4: [0x8A, 0x53, 0xE5, 0x4F, 0xE3, 0x51, 0xC3, 0x22],
};

/// The name of `WSASendMsg`, whose pointer is an [`LPFN_WSASENDMSG`]. Header: mswsock.h.
pub const WSAID_WSASENDMSG: GUID = GUID {
    Data1: 0xA441_E712,
    Data2: 0x754F,
    Data3: 0x43CA,
    Data4: [0x84, 0xA7, 0x0D, 0xEE, 0x44, 0xCF, 0x60, 0x6D],
};

/// `WSARecvMsg`: receives a datagram, the address of its sender, and what else the socket was asked
/// to tell, such as the address that it was sent to.
///
/// Returns 0 or `SOCKET_ERROR`, to be read as the table of [`ws2_32`](super::super::ws2_32) says.
///
/// * The socket must have been bound, and be one of datagrams.
/// * A datagram that is longer is cut, with `MSG_TRUNC` in the message's flags and `WSAEMSGSIZE`,
///   or `STATUS_BUFFER_OVERFLOW` in the packet.
/// * Length, flags and the length of what else is told are written when the datagram comes.
///
/// Header: mswsock.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_wsarecvmsg)
///
/// # Safety
///
/// * The pointer was given for `WSAID_WSARECVMSG` by the provider of the socket.
/// * `s` is a socket that is open during the call.
/// * `lpMsg` is lent, with all that it leads to: valid for reads and writes, and touched by nobody
///   else. Its address is NULL or valid for writes of as many bytes as it says, its buffers and its
///   `Control` too.
/// * `lpdwNumberOfBytesRecvd` is valid for a write during the call, also after the packet has been
///   dequeued; NULL only with an `lpOverlapped`.
/// * `lpOverlapped` is NULL, or lent: valid for reads and writes, used by no other operation, and
///   with an `hEvent` that is NULL or an event.
/// * `lpCompletionRoutine` is `None`, or may be called on this thread in a later alertable wait. It
///   is `None` if the socket is on a completion port.
#[doc(alias = "WSARecvMsg")]
pub type LPFN_WSARECVMSG = unsafe extern "system" fn(
    s: SOCKET,
    lpMsg: *mut WSAMSG,
    lpdwNumberOfBytesRecvd: *mut DWORD,
    lpOverlapped: *mut WSAOVERLAPPED,
    lpCompletionRoutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32;

/// `WSASendMsg`: sends a datagram, with what is to be said about it, such as the address that it is
/// to be sent from.
///
/// Returns 0 or `SOCKET_ERROR`, to be read as the table of [`ws2_32`](super::super::ws2_32) says.
///
/// * The message's own flags are not looked at; `dwFlags` is.
/// * ws2_32.dll exports it too, unlike `WSARecvMsg`.
///
/// Header: mswsock.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasendmsg)
///
/// # Safety
///
/// * The pointer was given for `WSAID_WSASENDMSG` by the provider of the socket.
/// * `s` is a socket that is open during the call.
/// * `lpMsg` is lent, with all that it leads to: valid for reads, and written by nobody.
/// * `lpNumberOfBytesSent` is valid for a write during the call, also after the packet has been
///   dequeued; NULL only with an `lpOverlapped`.
/// * `lpOverlapped` is NULL, or lent: valid for reads and writes, used by no other operation, and
///   with an `hEvent` that is NULL or an event.
/// * `lpCompletionRoutine` is `None`, or may be called on this thread in a later alertable wait. It
///   is `None` if the socket is on a completion port.
#[doc(alias = "WSASendMsg")]
pub type LPFN_WSASENDMSG = unsafe extern "system" fn(
    s: SOCKET,
    lpMsg: *const WSAMSG,
    dwFlags: DWORD,
    lpNumberOfBytesSent: *mut DWORD,
    lpOverlapped: *mut WSAOVERLAPPED,
    lpCompletionRoutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32;
