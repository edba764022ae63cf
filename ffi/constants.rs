//! The numbers that have names: sentinels, flags and errors, grouped by the header that defines
//! them.
//!
//! Each has the type of the place where it is used, so that no comparison needs a cast: what
//! `GetLastError` returns is a [`DWORD`], what `WSAGetLastError` returns is an `i32`, although the
//! two read the same slot of the thread.
//!
//! The errors, and what files, pipes, waits and jobs need, stand in texts of their own below this
//! one, and under this name as all else does. The kernel's own values are in
//! [`ntstatus`](super::ntstatus).

use super::socket_address::ADDRESS_FAMILY;
use super::types::{BOOL, DWORD, HANDLE, SOCKET, UCHAR};

mod errors;
mod files;
mod pipes;
mod waits;

pub use errors::*;
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
