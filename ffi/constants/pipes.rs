//! The numbers of named pipes.

use super::super::types::DWORD;

// winbase.h: how a pipe is made

/// The client writes and the server reads.
pub const PIPE_ACCESS_INBOUND: DWORD = 0x0000_0001;

/// The server writes and the client reads.
pub const PIPE_ACCESS_OUTBOUND: DWORD = 0x0000_0002;

/// Both write and both read.
pub const PIPE_ACCESS_DUPLEX: DWORD = 0x0000_0003;

/// The pipe carries bytes.
pub const PIPE_TYPE_BYTE: DWORD = 0x0000_0000;

/// The pipe carries messages: what one write has written is one.
pub const PIPE_TYPE_MESSAGE: DWORD = 0x0000_0004;

/// This end reads bytes, whatever the pipe carries.
pub const PIPE_READMODE_BYTE: DWORD = 0x0000_0000;

/// This end reads a message at a time.
pub const PIPE_READMODE_MESSAGE: DWORD = 0x0000_0002;

/// Operations wait. The other mode is not for ports.
pub const PIPE_WAIT: DWORD = 0x0000_0000;

/// Clients on other machines may connect.
pub const PIPE_ACCEPT_REMOTE_CLIENTS: DWORD = 0x0000_0000;

/// Clients on other machines are turned away.
pub const PIPE_REJECT_REMOTE_CLIENTS: DWORD = 0x0000_0008;

/// As many instances as there is memory for.
pub const PIPE_UNLIMITED_INSTANCES: DWORD = 255;

// winbase.h: what a pipe is, and how long to wait for it

/// It is the end of a client.
pub const PIPE_CLIENT_END: DWORD = 0x0000_0000;

/// It is the end of a server.
pub const PIPE_SERVER_END: DWORD = 0x0000_0001;

/// As long as was said when the pipe was made.
pub const NMPWAIT_USE_DEFAULT_WAIT: DWORD = 0x0000_0000;

/// For ever.
pub const NMPWAIT_WAIT_FOREVER: DWORD = 0xFFFF_FFFF;
