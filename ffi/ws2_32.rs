//! ws2_32.dll: sockets. Make one, give it an address, read and set its options, ask for its
//! provider's functions, and the overlapped operations: receive and send. It is closed by
//! `closesocket`, which std's `OwnedSocket` does.
//!
//! A call that fails says so by its return value and leaves the reason in `WSAGetLastError`.
//! Before `WSAStartup` they all fail, with `WSANOTINITIALISED`; std calls it before it makes its
//! first socket.
//!
//! `WSARecv`, `WSASend` and the like are lent memory: what is lent belongs to the kernel until the
//! packet of the operation has been dequeued, or, where no packet comes, until the call has
//! returned. They answer in three ways, which decide whose the memory is after the call:
//!
//! | return | `WSAGetLastError` | memory | packet |
//! | --- | --- | --- | --- |
//! | 0 | not looked at | lent | one, as if it had been pending |
//! | -1 | `WSA_IO_PENDING` | lent | one, later |
//! | -1 | anything else | the caller's again | none |
//!
//! Two lines have an exception each. With `FILE_SKIP_COMPLETION_PORT_ON_SUCCESS` set on the socket
//! a 0 brings no packet, and the memory is the caller's again. And `WSAEMSGSIZE`, the datagram
//! that was cut, brings a packet although it is an error:
//! [`Internal`](super::types::OVERLAPPED::Internal) tells such errors from the others.
//!
//! A packet can be dequeued by another thread before the call that started its operation has
//! returned, so nothing that the operation owns may be touched after the call unless it failed.
//! And what the call itself can write, the flags and the count of bytes, is nobody else's before it
//! has returned, although the packet has been dequeued: a success at once updates both.
#![allow(unsafe_code, reason = "this file declares what another DLL defines")]

use core::ffi::c_void;

use super::socket_address::SOCKADDR;
use super::types::{
    DWORD, GROUP, LPWSAOVERLAPPED_COMPLETION_ROUTINE, SOCKET, WSABUF, WSAOVERLAPPED,
    WSAPROTOCOL_INFOW,
};

#[cfg_attr(windows, link(name = "ws2_32"))]
unsafe extern "system" {
    /// Makes a socket.
    ///
    /// Returns it, or `INVALID_SOCKET`.
    ///
    /// * Only with `WSA_FLAG_OVERLAPPED` can it be put on a port.
    /// * `WSA_FLAG_NO_HANDLE_INHERIT` keeps it from the processes that this one starts. To take
    ///   inheritance away afterwards leaves them a moment in which they get it.
    /// * If `lpProtocolInfo` is NULL, the first provider that has family, type and protocol makes
    ///   it.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasocketw)
    ///
    /// # Safety
    ///
    /// * `lpProtocolInfo` is NULL, or valid for a read during the call.
    pub fn WSASocketW(
        af: i32,
        r#type: i32,
        protocol: i32,
        lpProtocolInfo: *const WSAPROTOCOL_INFOW,
        g: GROUP,
        dwFlags: DWORD,
    ) -> SOCKET;

    /// Gives the socket an address of this machine.
    ///
    /// Returns 0 or `SOCKET_ERROR`.
    ///
    /// * The unspecified address is all that the machine has, and port 0 is one that is free: what
    ///   a socket is bound to that has to be bound before it connects.
    /// * It can be done once. The second time fails with `WSAEINVAL`.
    /// * `WSAEADDRINUSE` can come later: from the call that connects, which settles what was left
    ///   open.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-bind)
    ///
    /// # Safety
    ///
    /// * `s` is a socket that is open during the call.
    /// * `name` is valid for reads of `namelen` bytes during the call.
    pub fn bind(s: SOCKET, name: *const SOCKADDR, namelen: i32) -> i32;

    /// Reads an option.
    ///
    /// Returns 0 or `SOCKET_ERROR`.
    ///
    /// * `*optlen` is the room before the call, and after it the length of what was written. Too
    ///   little room is `WSAEFAULT`.
    /// * The SDK's `char` has a sign; the bytes of a value have none.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-getsockopt)
    ///
    /// # Safety
    ///
    /// * `s` is a socket that is open during the call.
    /// * `optval` is valid for writes of `*optlen` bytes during the call.
    /// * `optlen` is valid for reads and writes during the call.
    pub fn getsockopt(
        s: SOCKET,
        level: i32,
        optname: i32,
        optval: *mut u8,
        optlen: *mut i32,
    ) -> i32;

    /// Sets an option.
    ///
    /// Returns 0 or `SOCKET_ERROR`.
    ///
    /// * `SO_UPDATE_ACCEPT_CONTEXT` takes a `SOCKET`, the listener that the connection came to.
    /// * `SO_UPDATE_CONNECT_CONTEXT` takes nothing: NULL and 0.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-setsockopt)
    ///
    /// # Safety
    ///
    /// * `s` is a socket that is open during the call.
    /// * `optval` is valid for reads of `optlen` bytes during the call; NULL only with 0.
    /// * If the value names another socket, that one is open during the call.
    pub fn setsockopt(s: SOCKET, level: i32, optname: i32, optval: *const u8, optlen: i32) -> i32;

    /// Asks something of the socket's provider, by a code that says what goes in and comes out.
    ///
    /// Returns 0 or `SOCKET_ERROR`. With an `lpOverlapped` it is an operation, and the answer is to
    /// be read as the table [above](self) says.
    ///
    /// * `SIO_GET_EXTENSION_FUNCTION_POINTER` takes a `GUID` and gives a pointer to the function,
    ///   or fails with `WSAEINVAL` or `WSAEOPNOTSUPP` if the provider has none of this name. The
    ///   [functions](super::mswsock) have types of their own.
    /// * What was written is as long as `*lpcbBytesReturned` says.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaioctl)
    ///
    /// # Safety
    ///
    /// * `s` is a socket that is open during the call.
    /// * `lpvInBuffer` is valid for reads of `cbInBuffer` bytes, and what they say is what the code
    ///   asks for; NULL only with 0.
    /// * `lpvOutBuffer` is valid for writes of `cbOutBuffer` bytes; NULL only with 0.
    /// * `lpcbBytesReturned` is valid for a write during the call; NULL only with an
    ///   `lpOverlapped`.
    /// * `lpOverlapped` is NULL, or lent: valid for reads and writes, used by no other operation,
    ///   and with an `hEvent` that is NULL or an event. Then both buffers are lent too.
    /// * `lpCompletionRoutine` is `None`, or may be called on this thread in a later alertable
    ///   wait. It is `None` if the socket is on a completion port.
    pub fn WSAIoctl(
        s: SOCKET,
        dwIoControlCode: DWORD,
        lpvInBuffer: *const c_void,
        cbInBuffer: DWORD,
        lpvOutBuffer: *mut c_void,
        cbOutBuffer: DWORD,
        lpcbBytesReturned: *mut DWORD,
        lpOverlapped: *mut WSAOVERLAPPED,
        lpCompletionRoutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> i32;

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
    /// * Several pending receives are filled in the order in which they were started; if two
    ///   threads start them at the same time, in no particular order.
    /// * `MSG_PEEK` is not for overlapped receives.
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
    /// * `lpFlags` is lent, and nobody else's until the call has returned: valid for reads and
    ///   writes. It is 0 before each call, unless a flag is meant.
    /// * `lpOverlapped` is NULL, or lent: valid for reads and writes, used by no other operation,
    ///   and with an `hEvent` that is NULL or an event.
    /// * `lpNumberOfBytesRecvd` is valid for a write during the call, also after the packet has
    ///   been dequeued; NULL only with an `lpOverlapped`.
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
    /// * A send that fails can have sent a part, and how much of it is not documented.
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
    /// * `lpNumberOfBytesSent` is valid for a write during the call, also after the packet has been
    ///   dequeued; NULL only with an `lpOverlapped`.
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

    /// Receives a datagram into the buffers, in their order, and its sender's address.
    ///
    /// Returns 0 or `SOCKET_ERROR`, to be read as the table [above](self) says.
    ///
    /// * A datagram that is longer is cut: `WSAEMSGSIZE`, or `STATUS_BUFFER_OVERFLOW` in the
    ///   packet. The beginning and the address are there, and the rest is lost.
    /// * 0 bytes are a datagram without any, and no end. Without room a datagram is eaten.
    /// * The socket must have been bound, or have sent something; else it is `WSAEINVAL`.
    /// * `WSAECONNRESET` says that an earlier datagram was sent to nobody, unless
    ///   `SIO_UDP_CONNRESET` was set to no. The socket is well.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom)
    ///
    /// # Safety
    ///
    /// * What [`WSARecv`] asks for.
    /// * `lpFrom` and `lpFromlen` are both NULL, or lent, and nobody else's until the call has
    ///   returned. `lpFromlen` is valid for reads and writes, and `lpFrom` for writes of as many
    ///   bytes as it says. Both are written when the datagram comes.
    pub fn WSARecvFrom(
        s: SOCKET,
        lpBuffers: *const WSABUF,
        dwBufferCount: DWORD,
        lpNumberOfBytesRecvd: *mut DWORD,
        lpFlags: *mut DWORD,
        lpFrom: *mut SOCKADDR,
        lpFromlen: *mut i32,
        lpOverlapped: *mut WSAOVERLAPPED,
        lpCompletionRoutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> i32;

    /// Sends what is in the buffers, in their order, as one datagram to that address.
    ///
    /// Returns 0 or `SOCKET_ERROR`, to be read as the table [above](self) says.
    ///
    /// * A socket that is not bound is bound by it.
    /// * More than `SO_MAX_MSG_SIZE` is `WSAEMSGSIZE`, and nothing is sent. Whether a packet
    ///   follows then differs from one system to the next.
    /// * Success means that the system has taken the datagram, not that it arrives.
    /// * Without `SO_BROADCAST` an address that is everybody's is `WSAEACCES`. An address of
    ///   another family than the socket's is an error too.
    ///
    /// Header: winsock2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasendto)
    ///
    /// # Safety
    ///
    /// * What [`WSASend`] asks for.
    /// * `lpTo` is NULL, or valid for reads of `iTolen` bytes during the call. That it is not
    ///   needed for longer is not documented, so it is lent where that costs nothing.
    pub fn WSASendTo(
        s: SOCKET,
        lpBuffers: *const WSABUF,
        dwBufferCount: DWORD,
        lpNumberOfBytesSent: *mut DWORD,
        dwFlags: DWORD,
        lpTo: *const SOCKADDR,
        iTolen: i32,
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
