//! The errors of Win32 and of Winsock, in the order of their values.
//!
//! A call reports the first as a `DWORD`, what `GetLastError` returns, and the second as an `i32`,
//! what `WSAGetLastError` returns.

use super::super::types::DWORD;

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
