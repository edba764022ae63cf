//! The kernel's own status values, which are what a completed operation reports.
//!
//! The upper two bits are the severity: 0 success, 1 information, 2 warning, 3 error, so that
//! warnings and errors are negative as [`NTSTATUS`]. They are grouped by what Winsock makes of
//! them, named under each heading; of a file or a pipe some have another meaning. Each is written
//! as the header writes it, with a cast. Header of all: ntstatus.h.

use super::types::NTSTATUS;

// Not an error

/// It succeeded.
pub const STATUS_SUCCESS: NTSTATUS = 0x0000_0000;

/// An alertable wait ended since an APC had run. No packet was dequeued.
pub const STATUS_USER_APC: NTSTATUS = 0x0000_00C0;

/// Time was up. Positive, though no packet was dequeued.
pub const STATUS_TIMEOUT: NTSTATUS = 0x0000_0102;

/// The kernel still works on it, and the memory is still the kernel's.
pub const STATUS_PENDING: NTSTATUS = 0x0000_0103;

/// The directory was closed while it was watched. Positive, though nothing was written.
pub const STATUS_NOTIFY_CLEANUP: NTSTATUS = 0x0000_010B;

/// More has changed in the directory than could be kept. Positive, though nothing was written.
pub const STATUS_NOTIFY_ENUM_DIR: NTSTATUS = 0x0000_010C;

// Cancelled: an outcome of its own

/// Cancelled, by `CancelIoEx` or with the thread that started it. An accept whose listener is
/// closed ends so too; a receive on a socket that is closed on this side ends with another status,
/// such as [`STATUS_CONNECTION_ABORTED`].
pub const STATUS_CANCELLED: NTSTATUS = 0xC000_0120_u32 as NTSTATUS;

/// The transport gave the request up.
pub const STATUS_REQUEST_ABORTED: NTSTATUS = 0xC000_0240_u32 as NTSTATUS;

// WSAECONNRESET

/// The peer reset the connection.
pub const STATUS_CONNECTION_RESET: NTSTATUS = 0xC000_020D_u32 as NTSTATUS;

/// The peer disconnected.
pub const STATUS_REMOTE_DISCONNECT: NTSTATUS = 0xC000_013C_u32 as NTSTATUS;

/// The transport disconnected.
pub const STATUS_CONNECTION_DISCONNECTED: NTSTATUS = 0xC000_020C_u32 as NTSTATUS;

/// The link failed.
pub const STATUS_LINK_FAILED: NTSTATUS = 0xC000_013E_u32 as NTSTATUS;

/// No process has the port: on UDP, the answer to an earlier datagram.
pub const STATUS_PORT_UNREACHABLE: NTSTATUS = 0xC000_023F_u32 as NTSTATUS;

/// A datagram went through too many routers.
pub const STATUS_HOPLIMIT_EXCEEDED: NTSTATUS = 0xC000_A012_u32 as NTSTATUS;

// WSAECONNABORTED

/// This side disconnected.
pub const STATUS_LOCAL_DISCONNECT: NTSTATUS = 0xC000_013B_u32 as NTSTATUS;

/// This side aborted the connection, such as by closing the socket.
pub const STATUS_CONNECTION_ABORTED: NTSTATUS = 0xC000_0241_u32 as NTSTATUS;

/// The transaction was aborted.
pub const STATUS_TRANSACTION_ABORTED: NTSTATUS = 0xC000_020F_u32 as NTSTATUS;

// WSAECONNREFUSED

/// The peer refused the connection.
pub const STATUS_CONNECTION_REFUSED: NTSTATUS = 0xC000_0236_u32 as NTSTATUS;

/// Nobody listens at the peer's address.
pub const STATUS_REMOTE_NOT_LISTENING: NTSTATUS = 0xC000_00BC_u32 as NTSTATUS;

// WSAETIMEDOUT

/// The operation took too long.
pub const STATUS_IO_TIMEOUT: NTSTATUS = 0xC000_00B5_u32 as NTSTATUS;

/// The link took too long.
pub const STATUS_LINK_TIMEOUT: NTSTATUS = 0xC000_013F_u32 as NTSTATUS;

// WSAENETUNREACH

/// There is no way to the network.
pub const STATUS_NETWORK_UNREACHABLE: NTSTATUS = 0xC000_023C_u32 as NTSTATUS;

/// The host does not speak the protocol.
pub const STATUS_PROTOCOL_UNREACHABLE: NTSTATUS = 0xC000_023E_u32 as NTSTATUS;

/// The network path was not found.
pub const STATUS_BAD_NETWORK_PATH: NTSTATUS = 0xC000_00BE_u32 as NTSTATUS;

// WSAEHOSTUNREACH

/// There is no way to the host.
pub const STATUS_HOST_UNREACHABLE: NTSTATUS = 0xC000_023D_u32 as NTSTATUS;

// WSAEHOSTDOWN

/// The host is down.
pub const STATUS_HOST_DOWN: NTSTATUS = 0xC000_0350_u32 as NTSTATUS;

// WSAEMSGSIZE

/// The datagram was longer than the buffer. A warning: the bytes that fit are there.
pub const STATUS_BUFFER_OVERFLOW: NTSTATUS = 0x8000_0005_u32 as NTSTATUS;

/// The buffer has a size that the transport cannot use.
pub const STATUS_INVALID_BUFFER_SIZE: NTSTATUS = 0xC000_0206_u32 as NTSTATUS;

// WSAENOBUFS

/// The system lacks the resources for it.
pub const STATUS_INSUFFICIENT_RESOURCES: NTSTATUS = 0xC000_009A_u32 as NTSTATUS;

/// The process has used up its share of the page file.
pub const STATUS_PAGEFILE_QUOTA: NTSTATUS = 0xC000_0007_u32 as NTSTATUS;

/// The process cannot lock so much memory.
pub const STATUS_WORKING_SET_QUOTA: NTSTATUS = 0xC000_00A1_u32 as NTSTATUS;

/// The process has used up a quota.
pub const STATUS_QUOTA_EXCEEDED: NTSTATUS = 0xC000_0044_u32 as NTSTATUS;

/// There is no memory.
pub const STATUS_NO_MEMORY: NTSTATUS = 0xC000_0017_u32 as NTSTATUS;

/// The system has promised all the memory that it has.
pub const STATUS_COMMITMENT_LIMIT: NTSTATUS = 0xC000_012D_u32 as NTSTATUS;

/// A page file is wanted and no more can be made.
pub const STATUS_TOO_MANY_PAGING_FILES: NTSTATUS = 0xC000_0097_u32 as NTSTATUS;

/// The peer's system lacks the resources for it.
pub const STATUS_REMOTE_RESOURCES: NTSTATUS = 0xC000_013D_u32 as NTSTATUS;

/// The range of addresses is in the way of another. These are addresses of memory.
pub const STATUS_CONFLICTING_ADDRESSES: NTSTATUS = 0xC000_0018_u32 as NTSTATUS;

/// No more addresses can be opened.
pub const STATUS_TOO_MANY_ADDRESSES: NTSTATUS = 0xC000_0209_u32 as NTSTATUS;

// WSAEADDRINUSE

/// The address is in use.
pub const STATUS_ADDRESS_ALREADY_EXISTS: NTSTATUS = 0xC000_020A_u32 as NTSTATUS;

/// Someone else has it and does not share.
pub const STATUS_SHARING_VIOLATION: NTSTATUS = 0xC000_0043_u32 as NTSTATUS;

// WSAEADDRNOTAVAIL

/// The address is not valid.
pub const STATUS_INVALID_ADDRESS: NTSTATUS = 0xC000_0141_u32 as NTSTATUS;

/// A part of the address is not valid.
pub const STATUS_INVALID_ADDRESS_COMPONENT: NTSTATUS = 0xC000_0207_u32 as NTSTATUS;

// WSAEISCONN

/// The connection is there already.
pub const STATUS_CONNECTION_ACTIVE: NTSTATUS = 0xC000_023B_u32 as NTSTATUS;

// WSAENOTCONN

/// The connection is not there, or no longer.
pub const STATUS_INVALID_CONNECTION: NTSTATUS = 0xC000_0140_u32 as NTSTATUS;

// WSAESHUTDOWN

/// This direction has been shut down. That is what a socket means by it; of a pipe it says that the
/// other end has been disconnected, `ERROR_PIPE_NOT_CONNECTED`.
pub const STATUS_PIPE_DISCONNECTED: NTSTATUS = 0xC000_00B0_u32 as NTSTATUS;

// WSAEDISCON

/// The peer closed the connection in an orderly way.
pub const STATUS_GRACEFUL_DISCONNECT: NTSTATUS = 0xC000_0237_u32 as NTSTATUS;

// WSAENOTSOCK

/// The handle is not open.
pub const STATUS_INVALID_HANDLE: NTSTATUS = 0xC000_0008_u32 as NTSTATUS;

/// The handle is of another kind.
pub const STATUS_OBJECT_TYPE_MISMATCH: NTSTATUS = 0xC000_0024_u32 as NTSTATUS;

// WSAEFAULT

/// The buffer is too small, and nothing was put into it.
pub const STATUS_BUFFER_TOO_SMALL: NTSTATUS = 0xC000_0023_u32 as NTSTATUS;

/// A pointer leads to no memory of this process.
pub const STATUS_ACCESS_VIOLATION: NTSTATUS = 0xC000_0005_u32 as NTSTATUS;

/// A pointer is not aligned as what it points to wants it.
pub const STATUS_DATATYPE_MISALIGNMENT_ERROR: NTSTATUS = 0xC000_02C5_u32 as NTSTATUS;

// WSAEWOULDBLOCK

/// The device is not ready.
pub const STATUS_DEVICE_NOT_READY: NTSTATUS = 0xC000_00A3_u32 as NTSTATUS;

/// The request was not taken, for now.
pub const STATUS_REQUEST_NOT_ACCEPTED: NTSTATUS = 0xC000_00D0_u32 as NTSTATUS;

// WSAENETDOWN

/// The network is busy.
pub const STATUS_NETWORK_BUSY: NTSTATUS = 0xC000_00BF_u32 as NTSTATUS;

/// The network answered with something that makes no sense.
pub const STATUS_INVALID_NETWORK_RESPONSE: NTSTATUS = 0xC000_00C3_u32 as NTSTATUS;

/// The network failed in an unexpected way.
pub const STATUS_UNEXPECTED_NETWORK_ERROR: NTSTATUS = 0xC000_00C4_u32 as NTSTATUS;

/// The transport's device is not there.
pub const STATUS_NO_SUCH_DEVICE: NTSTATUS = 0xC000_000E_u32 as NTSTATUS;

/// The transport's file is not there.
pub const STATUS_NO_SUCH_FILE: NTSTATUS = 0xC000_000F_u32 as NTSTATUS;

/// The transport's name is not there.
pub const STATUS_OBJECT_NAME_NOT_FOUND: NTSTATUS = 0xC000_0034_u32 as NTSTATUS;

/// The path to the transport's name is not there.
pub const STATUS_OBJECT_PATH_NOT_FOUND: NTSTATUS = 0xC000_003A_u32 as NTSTATUS;

// WSAEOPNOTSUPP

/// The transport does not do that.
pub const STATUS_NOT_SUPPORTED: NTSTATUS = 0xC000_00BB_u32 as NTSTATUS;

/// Nobody has written that.
pub const STATUS_NOT_IMPLEMENTED: NTSTATUS = 0xC000_0002_u32 as NTSTATUS;

// WSAEACCES

/// It is forbidden.
pub const STATUS_ACCESS_DENIED: NTSTATUS = 0xC000_0022_u32 as NTSTATUS;

// Files and pipes, which have no Winsock code, in the order of their values

/// An argument is wrong.
pub const STATUS_INVALID_PARAMETER: NTSTATUS = 0xC000_000D_u32 as NTSTATUS;

/// The file or device cannot do that.
pub const STATUS_INVALID_DEVICE_REQUEST: NTSTATUS = 0xC000_0010_u32 as NTSTATUS;

/// The end of the file was reached.
pub const STATUS_END_OF_FILE: NTSTATUS = 0xC000_0011_u32 as NTSTATUS;

/// There is no disk in the drive.
pub const STATUS_NO_MEDIA_IN_DEVICE: NTSTATUS = 0xC000_0013_u32 as NTSTATUS;

/// Someone else has locked that part of the file.
pub const STATUS_FILE_LOCK_CONFLICT: NTSTATUS = 0xC000_0054_u32 as NTSTATUS;

/// That part of the file cannot be locked.
pub const STATUS_LOCK_NOT_GRANTED: NTSTATUS = 0xC000_0055_u32 as NTSTATUS;

/// The file goes away as soon as everybody has closed it.
pub const STATUS_DELETE_PENDING: NTSTATUS = 0xC000_0056_u32 as NTSTATUS;

/// No lock is exactly that.
pub const STATUS_RANGE_NOT_LOCKED: NTSTATUS = 0xC000_007E_u32 as NTSTATUS;

/// The disk is full.
pub const STATUS_DISK_FULL: NTSTATUS = 0xC000_007F_u32 as NTSTATUS;

/// The disk is not to be written.
pub const STATUS_MEDIA_WRITE_PROTECTED: NTSTATUS = 0xC000_00A2_u32 as NTSTATUS;

/// All instances of the pipe are in use.
pub const STATUS_INSTANCE_NOT_AVAILABLE: NTSTATUS = 0xC000_00AB_u32 as NTSTATUS;

/// No instance of the pipe waits for a client.
pub const STATUS_PIPE_NOT_AVAILABLE: NTSTATUS = 0xC000_00AC_u32 as NTSTATUS;

/// The pipe is in the wrong state.
pub const STATUS_INVALID_PIPE_STATE: NTSTATUS = 0xC000_00AD_u32 as NTSTATUS;

/// The pipe is busy.
pub const STATUS_PIPE_BUSY: NTSTATUS = 0xC000_00AE_u32 as NTSTATUS;

/// The other end of the pipe is being closed.
pub const STATUS_PIPE_CLOSING: NTSTATUS = 0xC000_00B1_u32 as NTSTATUS;

/// The client was there before the server has waited for it.
pub const STATUS_PIPE_CONNECTED: NTSTATUS = 0xC000_00B2_u32 as NTSTATUS;

/// The pipe has no client yet.
pub const STATUS_PIPE_LISTENING: NTSTATUS = 0xC000_00B3_u32 as NTSTATUS;

/// The pipe is not read as this asks for.
pub const STATUS_INVALID_READ_MODE: NTSTATUS = 0xC000_00B4_u32 as NTSTATUS;

/// The pipe is empty.
pub const STATUS_PIPE_EMPTY: NTSTATUS = 0xC000_00D9_u32 as NTSTATUS;

/// The buffer is not one that can be used here.
pub const STATUS_INVALID_USER_BUFFER: NTSTATUS = 0xC000_00E8_u32 as NTSTATUS;

/// The device has failed in an unexpected way.
pub const STATUS_UNEXPECTED_IO_ERROR: NTSTATUS = 0xC000_00E9_u32 as NTSTATUS;

/// The other end of the pipe was closed.
pub const STATUS_PIPE_BROKEN: NTSTATUS = 0xC000_014B_u32 as NTSTATUS;

/// The device has failed.
pub const STATUS_IO_DEVICE_ERROR: NTSTATUS = 0xC000_0185_u32 as NTSTATUS;

/// The file would be longer than it can be.
pub const STATUS_FILE_TOO_LARGE: NTSTATUS = 0xC000_0904_u32 as NTSTATUS;

// Win32 errors in disguise

/// The facility, bits 16 to 27, of a status whose low 16 bits are a Win32 error: `0xC007xxxx`.
/// MinGW's ntstatus.h leaves it out; it equals `FACILITY_WIN32` of winerror.h.
pub const FACILITY_NTWIN32: u32 = 0x7;
