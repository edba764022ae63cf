//! ws2_32.dll: the overlapped operations of a socket.
//!
//! `WSARecv` and `WSASend` are lent memory: what is lent belongs to the kernel until the packet of
//! the operation has been dequeued, or, where no packet comes, until the call has returned. They
//! answer in three ways, which decide whose the memory is after the call:
//!
//! | return | `WSAGetLastError` | memory | packet |
//! | --- | --- | --- | --- |
//! | 0 | not looked at | lent | one, as if it had been pending |
//! | -1 | `WSA_IO_PENDING` | lent | one, later |
//! | -1 | anything else | the caller's again | none |
//!
//! Two lines have an exception each. With `FILE_SKIP_COMPLETION_PORT_ON_SUCCESS` set on the socket
//! a 0 brings no packet, and the memory is the caller's again. And `WSAEMSGSIZE`, the datagram
//! that was cut, brings a packet although it is an error.
//!
//! A packet can be dequeued by another thread before the call that started its operation has
//! returned, so nothing that the operation owns may be touched after the call unless it failed.
#![allow(unsafe_code, reason = "this file declares what another DLL defines")]

use super::types::{DWORD, LPWSAOVERLAPPED_COMPLETION_ROUTINE, SOCKET, WSABUF, WSAOVERLAPPED};

#[cfg_attr(windows, link(name = "ws2_32"))]
unsafe extern "system" {
    /// Receives into the buffers, in their order.
    ///
    /// Returns 0 or `SOCKET_ERROR`, to be read as the table [above](self) says.
    ///
    /// * 0 bytes are the end of the stream only if the buffers had room. Without room the
    ///   operation waits until there is data, and leaves it where it is (on UDP it eats the
    ///   datagram).
    /// * The end of the stream is a success, again and again. A reset is an error.
    /// * `lpNumberOfBytesRecvd` is to be NULL when `lpOverlapped` is given, unless an immediate
    ///   success is used at once: the count is in the packet.
    /// * Several pending receives are filled in the order in which they were started.
    /// * A socket's non-blocking mode makes no difference.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv)
    ///
    /// # Safety
    ///
    /// * `s` is a socket that is open during the call.
    /// * `lpBuffers` is valid for reads of `dwBufferCount` elements during the call.
    /// * The memory that each element names is lent: valid for writes, and touched by nobody else.
    /// * `lpFlags` is lent: valid for reads and writes, since the end of the operation can write to
    ///   it. It is 0 before each call, unless a flag is meant.
    /// * `lpOverlapped` is NULL, or lent: valid for reads and writes, used by no other operation,
    ///   and with an `hEvent` that is NULL or an event.
    /// * `lpNumberOfBytesRecvd` is valid for a write during the call; NULL only with an
    ///   `lpOverlapped`.
    /// * `lpCompletionRoutine` is `None`, or may be called on this thread in a later alertable
    ///   wait. It is `None` if the socket is on a completion port.
    pub fn WSARecv(
        s: SOCKET,
        lpBuffers: *const WSABUF,
        dwBufferCount: DWORD,
        lpNumberOfBytesRecvd: *mut DWORD,
        lpFlags: *mut DWORD,
        lpOverlapped: *mut WSAOVERLAPPED,
        lpCompletionRoutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> i32;

    /// Sends what is in the buffers, in their order.
    ///
    /// Returns 0 or `SOCKET_ERROR`, to be read as the table [above](self) says.
    ///
    /// * Success means that the system has taken the bytes, not that the peer has them.
    /// * A send that fails can have sent a part: the count is in the packet.
    /// * `lpNumberOfBytesSent` is to be NULL when `lpOverlapped` is given, as for [`WSARecv`];
    ///   `dwFlags` is passed by value, unlike there.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasend)
    ///
    /// # Safety
    ///
    /// * `s` is a socket that is open during the call.
    /// * `lpBuffers` is valid for reads of `dwBufferCount` elements during the call.
    /// * The memory that each element names is lent: valid for reads, and written by nobody.
    /// * `lpOverlapped` is NULL, or lent: valid for reads and writes, used by no other operation,
    ///   and with an `hEvent` that is NULL or an event.
    /// * `lpNumberOfBytesSent` is valid for a write during the call; NULL only with an
    ///   `lpOverlapped`.
    /// * `lpCompletionRoutine` is `None`, or may be called on this thread in a later alertable
    ///   wait. It is `None` if the socket is on a completion port.
    pub fn WSASend(
        s: SOCKET,
        lpBuffers: *const WSABUF,
        dwBufferCount: DWORD,
        lpNumberOfBytesSent: *mut DWORD,
        dwFlags: DWORD,
        lpOverlapped: *mut WSAOVERLAPPED,
        lpCompletionRoutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> i32;

    /// The reason why this thread's last Winsock call failed.
    ///
    /// Means something only right after a call that said it failed. It reads the same slot as
    /// `GetLastError`, so `std::io::Error::last_os_error` gives the same number.
    ///
    /// It is declared safe: it takes nothing, changes nothing, and cannot fail.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsagetlasterror)
    pub safe fn WSAGetLastError() -> i32;
}
