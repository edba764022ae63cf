//! `TransmitFile`, which sends a file without a detour through this process, and `DisconnectEx`,
//! which ends a connection and can keep the socket for another. Both answer not 0 for success.

use super::super::types::{BOOL, DWORD, GUID, HANDLE, OVERLAPPED, SOCKET, TRANSMIT_FILE_BUFFERS};

/// The name of `TransmitFile`, whose pointer is an [`LPFN_TRANSMITFILE`]. Header: mswsock.h.
pub const WSAID_TRANSMITFILE: GUID = GUID {
    Data1: 0xB536_7DF0,
    Data2: 0xCBAC,
    Data3: 0x11CF,
    Data4: [0x95, 0xCA, 0x00, 0x80, 0x5F, 0x48, 0xA1, 0x92],
};

/// The name of `DisconnectEx`, whose pointer is an [`LPFN_DISCONNECTEX`]. Header: mswsock.h.
pub const WSAID_DISCONNECTEX: GUID = GUID {
    Data1: 0x7FDA_2E11,
    Data2: 0x8630,
    Data3: 0x436F,
    Data4: [0xA0, 0x31, 0xF5, 0x36, 0xA6, 0xEE, 0xC1, 0x57],
};

/// `TransmitFile`: sends a file, from the position in `lpOverlapped`, with something before it and
/// after it.
///
/// Returns not 0 or 0, to be read as the table [above](super) says.
///
/// * With 0 for `nNumberOfBytesToWrite` it sends the file to its end.
/// * Client editions of Windows do two at a time, and let the third wait.
/// * The count in the packet is of all that was sent, head and tail included.
///
/// Header: mswsock.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-transmitfile)
///
/// # Safety
///
/// * The pointer was given for `WSAID_TRANSMITFILE` by the provider of the socket.
/// * `hSocket` is a connected socket, and is open during the call.
/// * `hFile` is NULL, or a file that is open until the operation has ended.
/// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with an
///   `hEvent` that is NULL or an event; NULL only if the socket is not overlapped.
/// * `lpTransmitBuffers` is NULL, or valid for a read during the call, and its head and tail are
///   lent: valid for reads, and written by nobody. That it is not needed for longer is not
///   documented, so it is lent where that costs nothing.
/// * With `TF_REUSE_SOCKET` nobody uses the socket before the operation has ended.
#[doc(alias = "TransmitFile")]
pub type LPFN_TRANSMITFILE = unsafe extern "system" fn(
    hSocket: SOCKET,
    hFile: HANDLE,
    nNumberOfBytesToWrite: DWORD,
    nNumberOfBytesPerSend: DWORD,
    lpOverlapped: *mut OVERLAPPED,
    lpTransmitBuffers: *const TRANSMIT_FILE_BUFFERS,
    dwReserved: DWORD,
) -> BOOL;

/// `DisconnectEx`: shuts the connection down, and with `TF_REUSE_SOCKET` makes the socket ready for
/// `AcceptEx` or `ConnectEx` again.
///
/// Returns not 0 or 0, to be read as the table [above](super) says.
///
/// * All data is sent first. To be used again, the socket waits for the peer's end too, and as long
///   as the connection is in TIME_WAIT.
/// * `dwReserved` is 0.
///
/// Header: mswsock.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/previous-versions/windows/desktop/legacy/ms737757(v=vs.85))
///
/// # Safety
///
/// * The pointer was given for `WSAID_DISCONNECTEX` by the provider of the socket.
/// * `s` is a connected socket, and is open during the call.
/// * `lpOverlapped` is NULL, or lent: valid for reads and writes, used by no other operation, and
///   with an `hEvent` that is NULL or an event.
#[doc(alias = "DisconnectEx")]
pub type LPFN_DISCONNECTEX = unsafe extern "system" fn(
    s: SOCKET,
    lpOverlapped: *mut OVERLAPPED,
    dwFlags: DWORD,
    dwReserved: DWORD,
) -> BOOL;
