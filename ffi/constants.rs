//! The numbers that have names: sentinels, flags and errors, grouped by the header that defines
//! them, the errors in the order of their values.
//!
//! Each has the type of the place where it is used, so that no comparison needs a cast: what
//! `GetLastError` returns is a [`DWORD`], what `WSAGetLastError` returns is an `i32`, although the
//! two read the same slot of the thread.
//!
//! What files, pipes, waits and jobs need stands in texts of their own below this one, and under
//! this name as all else does. The kernel's own values are in [`ntstatus`](super::ntstatus).

use super::socket_address::ADDRESS_FAMILY;
use super::types::{BOOL, DWORD, HANDLE, SOCKET, UCHAR};

mod files;
mod pipes;
mod waits;

pub use files::*;
pub use pipes::*;
pub use waits::*;

// minwindef.h

/// No, and the one value that says it.
pub const FALSE: BOOL = 0;

/// Yes, as an argument. A call that answers yes may use any value but 0.
pub const TRUE: BOOL = 1;

// handleapi.h

/// -1 as a pointer: "no file", for the calls that do not say it with NULL.
pub const INVALID_HANDLE_VALUE: HANDLE = core::ptr::without_provenance_mut(usize::MAX);

// winbase.h

/// As a timeout: wait for ever. One less is the longest wait that ends, 49.7 days.
pub const INFINITE: DWORD = 0xFFFF_FFFF;

/// The wait was alertable and ended since an APC had run.
pub const WAIT_IO_COMPLETION: DWORD = 0xC0;

/// An operation that succeeds at once queues no packet. Cannot be taken back.
pub const FILE_SKIP_COMPLETION_PORT_ON_SUCCESS: UCHAR = 0x1;

/// The file's own event is left alone when an operation ends. Cannot be taken back.
pub const FILE_SKIP_SET_EVENT_ON_HANDLE: UCHAR = 0x2;

// ws2def.h

/// Addresses of IPv4. It has the width that it has in an address; `WSASocketW` wants it wider.
pub const AF_INET: ADDRESS_FAMILY = 2;

/// Addresses of IPv6, as wide as [`AF_INET`].
pub const AF_INET6: ADDRESS_FAMILY = 23;

/// A socket that carries a stream of bytes.
pub const SOCK_STREAM: i32 = 1;

/// A socket that carries datagrams.
pub const SOCK_DGRAM: i32 = 2;

/// TCP.
pub const IPPROTO_TCP: i32 = 6;

/// UDP.
pub const IPPROTO_UDP: i32 = 17;

/// The options that a socket has as one of IPv6.
pub const IPPROTO_IPV6: i32 = 41;

/// The options that a socket has as a socket, whatever its protocol.
pub const SOL_SOCKET: i32 = 0xFFFF;

/// Asks `WSAIoctl` for a function of the socket's provider, by its [`GUID`](super::types::GUID).
pub const SIO_GET_EXTENSION_FUNCTION_POINTER: DWORD = 0xC800_0006;

/// The datagram was cut.
pub const MSG_TRUNC: DWORD = 0x0100;

/// What was told about the datagram was cut.
pub const MSG_CTRUNC: DWORD = 0x0200;

/// What was received is a part of a message. Some systems say it of a datagram that was cut.
pub const MSG_PARTIAL: DWORD = 0x8000;

// ws2ipdef.h

/// Whether a socket of IPv6 keeps to IPv6, or takes IPv4 too, with addresses such as
/// `::ffff:127.0.0.1`. The value is a `BOOL`, and is yes unless it was set before binding.
pub const IPV6_V6ONLY: i32 = 27;

// winsock2.h

/// No socket.
pub const INVALID_SOCKET: SOCKET = !0;

/// What a Winsock call returns when it failed, or is [pending](WSA_IO_PENDING).
pub const SOCKET_ERROR: i32 = -1;

/// Operations on the socket may be overlapped.
pub const WSA_FLAG_OVERLAPPED: DWORD = 0x01;

/// Processes that this one starts do not inherit the socket. Windows 7 SP1 is the first to have it.
pub const WSA_FLAG_NO_HANDLE_INHERIT: DWORD = 0x80;

/// Leaves there what it receives. It is not for overlapped receives.
pub const MSG_PEEK: DWORD = 0x2;

/// Reads what kind of socket it is, such as [`SOCK_STREAM`]. The value is an `i32`.
pub const SO_TYPE: i32 = 0x1008;

/// Whether the socket may send to everybody. The value is a `BOOL`.
pub const SO_BROADCAST: i32 = 0x0020;

/// How many bytes the socket takes before a send has to wait. The value is an `i32`.
pub const SO_SNDBUF: i32 = 0x1001;

/// How many bytes the socket keeps before a receive asks for them. The value is an `i32`.
pub const SO_RCVBUF: i32 = 0x1002;

/// Reads how long a datagram can be. The value is an `i32`.
pub const SO_MAX_MSG_SIZE: i32 = 0x2003;

/// Lets the system choose the local port of a socket that is bound to port 0 only when it connects,
/// so that connections to different peers share ports. Set before binding, to a `BOOL`; Windows 10
/// is the first to have it.
pub const SO_REUSE_UNICASTPORT: i32 = 0x3007;

/// Reads the socket's [`WSAPROTOCOL_INFOW`](super::types::WSAPROTOCOL_INFOW).
pub const SO_PROTOCOL_INFOW: i32 = 0x2005;

/// The provider's sockets are the kernel's own handles, so that
/// [`FILE_SKIP_COMPLETION_PORT_ON_SUCCESS`] does on them what it says.
pub const XP1_IFS_HANDLES: DWORD = 0x0002_0000;

/// The operation was cancelled ([`ERROR_OPERATION_ABORTED`]).
pub const WSA_OPERATION_ABORTED: i32 = 995;

/// No error: the operation has begun and its packet will come ([`ERROR_IO_PENDING`]).
pub const WSA_IO_PENDING: i32 = 997;

// mswsock.h

/// Makes of a socket that `AcceptEx` has connected a socket like any other, which `getpeername`
/// and `shutdown` know. The value is the listener's `SOCKET`.
pub const SO_UPDATE_ACCEPT_CONTEXT: i32 = 0x700B;

/// Makes of a socket that `ConnectEx` has connected a socket like any other, which `getpeername`
/// and `shutdown` know. There is no value.
pub const SO_UPDATE_CONNECT_CONTEXT: i32 = 0x7010;

/// Whether a datagram to nobody makes a later receive fail with [`WSAECONNRESET`]. It takes a
/// `BOOL`, and is yes unless it was set.
pub const SIO_UDP_CONNRESET: DWORD = 0x9800_000C;

/// The same for a datagram that lived too short, and [`WSAENETRESET`].
pub const SIO_UDP_NETRESET: DWORD = 0x9800_000F;

/// Shuts the connection down when the file has been sent.
pub const TF_DISCONNECT: DWORD = 0x01;

/// Makes the socket ready for another connection.
pub const TF_REUSE_SOCKET: DWORD = 0x02;

// winerror.h: Win32

/// The file or device cannot do that.
pub const ERROR_INVALID_FUNCTION: DWORD = 1;

/// There is no file, or no pipe, of this name.
pub const ERROR_FILE_NOT_FOUND: DWORD = 2;

/// A directory on the way to it is not there.
pub const ERROR_PATH_NOT_FOUND: DWORD = 3;

/// It is forbidden, or the handle lacks the right to it.
pub const ERROR_ACCESS_DENIED: DWORD = 5;

/// The handle is not open, or is of the wrong kind.
pub const ERROR_INVALID_HANDLE: DWORD = 6;

/// The disk is not to be written.
pub const ERROR_WRITE_PROTECT: DWORD = 19;

/// The device is not ready.
pub const ERROR_NOT_READY: DWORD = 21;

/// Someone else has the file open and does not share it.
pub const ERROR_SHARING_VIOLATION: DWORD = 32;

/// Someone else has locked that part of the file.
pub const ERROR_LOCK_VIOLATION: DWORD = 33;

/// The end of the file was reached.
pub const ERROR_HANDLE_EOF: DWORD = 38;

/// It cannot be done.
pub const ERROR_NOT_SUPPORTED: DWORD = 50;

/// The connection is gone: what the file system makes of a reset or a closed socket.
pub const ERROR_NETNAME_DELETED: DWORD = 64;

/// An argument is wrong. From an association it can mean that the file has a port already.
pub const ERROR_INVALID_PARAMETER: DWORD = 87;

/// The other end of the pipe was closed.
pub const ERROR_BROKEN_PIPE: DWORD = 109;

/// The disk is full.
pub const ERROR_DISK_FULL: DWORD = 112;

/// Time was up, of a pipe before an instance was free; also a device that took too long.
pub const ERROR_SEM_TIMEOUT: DWORD = 121;

/// No lock is exactly that.
pub const ERROR_NOT_LOCKED: DWORD = 158;

/// The file would be longer than it can be.
pub const ERROR_FILE_TOO_LARGE: DWORD = 223;

/// The pipe is of another kind, or in the wrong state.
pub const ERROR_BAD_PIPE: DWORD = 230;

/// All instances of the pipe are in use.
pub const ERROR_PIPE_BUSY: DWORD = 231;

/// The pipe is empty, or is being closed.
pub const ERROR_NO_DATA: DWORD = 232;

/// The pipe has been disconnected.
pub const ERROR_PIPE_NOT_CONNECTED: DWORD = 233;

/// The message was longer than the buffer, which holds its beginning.
pub const ERROR_MORE_DATA: DWORD = 234;

/// Time was up before a packet came.
pub const WAIT_TIMEOUT: DWORD = 258;

/// No error: what `RtlNtStatusToDosError` says of a status that it does not know.
pub const ERROR_MR_MID_NOT_FOUND: DWORD = 317;

/// No error: the client was there before the server has waited for it.
pub const ERROR_PIPE_CONNECTED: DWORD = 535;

/// The pipe has no client yet.
pub const ERROR_PIPE_LISTENING: DWORD = 536;

/// The port was closed while the thread waited.
pub const ERROR_ABANDONED_WAIT_0: DWORD = 735;

/// The directory was closed while it was watched.
pub const ERROR_NOTIFY_CLEANUP: DWORD = 745;

/// The operation was cancelled.
pub const ERROR_OPERATION_ABORTED: DWORD = 995;

/// No error: the operation has begun and its packet will come.
pub const ERROR_IO_PENDING: DWORD = 997;

/// A pointer leads to no memory of this process.
pub const ERROR_NOACCESS: DWORD = 998;

/// More has changed in the directory than could be kept: it is to be read anew.
pub const ERROR_NOTIFY_ENUM_DIR: DWORD = 1022;

/// The device has failed.
pub const ERROR_IO_DEVICE: DWORD = 1117;

/// There was nothing to cancel, which is no mishap: the operation had already ended.
pub const ERROR_NOT_FOUND: DWORD = 1168;

/// The system lacks the resources for it.
pub const ERROR_NO_SYSTEM_RESOURCES: DWORD = 1450;

/// The buffer is not one that can be used here.
pub const ERROR_INVALID_USER_BUFFER: DWORD = 1784;

/// The process has used up a quota.
pub const ERROR_NOT_ENOUGH_QUOTA: DWORD = 1816;

// winerror.h: Winsock

/// A blocking call was interrupted; also Winsock's name for a cancelled request.
pub const WSAEINTR: i32 = 10004;

/// The address or the operation is forbidden to this socket or this user.
pub const WSAEACCES: i32 = 10013;

/// A pointer argument is NULL or leads to no memory of this process.
pub const WSAEFAULT: i32 = 10014;

/// An argument is wrong, or the socket is in the wrong state for the call.
pub const WSAEINVAL: i32 = 10022;

/// It cannot be done without waiting.
pub const WSAEWOULDBLOCK: i32 = 10035;

/// The handle is not a socket, or no longer open.
pub const WSAENOTSOCK: i32 = 10038;

/// The datagram was longer than the buffer, which holds its beginning.
pub const WSAEMSGSIZE: i32 = 10040;

/// This kind of socket cannot do that.
pub const WSAEOPNOTSUPP: i32 = 10045;

/// The address is of a family that the socket does not have.
pub const WSAEAFNOSUPPORT: i32 = 10047;

/// The local address is taken.
pub const WSAEADDRINUSE: i32 = 10048;

/// The address is not one that can be used here.
pub const WSAEADDRNOTAVAIL: i32 = 10049;

/// The network is down.
pub const WSAENETDOWN: i32 = 10050;

/// There is no way to that network.
pub const WSAENETUNREACH: i32 = 10051;

/// The connection failed on its way; on UDP, an earlier datagram lived too short.
pub const WSAENETRESET: i32 = 10052;

/// This side broke the connection off.
pub const WSAECONNABORTED: i32 = 10053;

/// The peer broke the connection off.
pub const WSAECONNRESET: i32 = 10054;

/// The system is short of memory for the operation.
pub const WSAENOBUFS: i32 = 10055;

/// The socket is connected already.
pub const WSAEISCONN: i32 = 10056;

/// The socket is not connected.
pub const WSAENOTCONN: i32 = 10057;

/// This direction of the connection has been shut down.
pub const WSAESHUTDOWN: i32 = 10058;

/// The peer did not answer in time.
pub const WSAETIMEDOUT: i32 = 10060;

/// Nobody listens at that address.
pub const WSAECONNREFUSED: i32 = 10061;

/// The host is down.
pub const WSAEHOSTDOWN: i32 = 10064;

/// There is no way to that host.
pub const WSAEHOSTUNREACH: i32 = 10065;

/// Nobody has called `WSAStartup` in this process. Rust's std does before its first socket.
pub const WSANOTINITIALISED: i32 = 10093;

/// The peer is closing the connection in an orderly way.
pub const WSAEDISCON: i32 = 10101;
