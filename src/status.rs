//! How an operation ended: from the kernel's NTSTATUS to an error that a socket programmer knows.

#![cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]

use std::fmt;
use std::io;

#[cfg(windows)]
use super::ffi::{constants::ERROR_MR_MID_NOT_FOUND, ntdll};
use super::ffi::{ntstatus, types::NTSTATUS};

/// An NTSTATUS, as the system leaves it in `OVERLAPPED.Internal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status(NTSTATUS);

/// Why an operation did not succeed.
///
/// `Failure` turns into an [`io::Error`] where one is wanted, so `?` works on it. A cancelled
/// operation then has the kind [`Interrupted`](io::ErrorKind::Interrupted).
///
/// # Where the codes come from
///
/// The system writes an NTSTATUS into the operation. Its own translation,
/// [`RtlNtStatusToDosError`], gives the codes of files, pipes and devices, and for those it is
/// asked. On a socket it does not fit: a connection that was reset becomes 64, "the specified
/// network name is no longer available", and std has no kind for that. Winsock has codes of its own
/// for the same events, here 10054, and std knows those. So for sockets a table goes from NTSTATUS
/// to Winsock. A status without a code is shown by its number, since no code is better than a wrong
/// one.
///
/// [`RtlNtStatusToDosError`]:
/// https://learn.microsoft.com/en-us/windows/win32/api/winternl/nf-winternl-rtlntstatustodoserror
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The operation was cancelled, by [`cancel`](super::Registration::cancel) or by other code in
    /// this process that called `CancelIoEx` for the same socket or file. It is also reported when
    /// the network gives a request up by itself.
    ///
    /// When a socket is closed on this side, its pending operations fail too, but mostly with
    /// another failure. On Windows, what is pending on a stream ends with an error of the kind
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted). A pending accept ends as cancelled.
    ///
    /// This is not an `io::Error`, because std has no kind for it: it takes 995, the code that
    /// Windows has for a cancelled operation, for `TimedOut`.
    Cancelled,
    /// The system's error. It has a code, of a socket nearly always one of Winsock ([the
    /// list][codes]) and else one of Win32, and the kind that std gives to that code. If there is
    /// no code for what the system has reported, it has the kind `Other`, and its message shows the
    /// NTSTATUS.
    ///
    /// [codes]:
    /// https://learn.microsoft.com/en-us/windows/win32/winsock/windows-sockets-error-codes-2
    Error(io::Error),
}

impl Status {
    pub(super) const SUCCESS: Self = Self(ntstatus::STATUS_SUCCESS);
    pub(super) const PENDING: Self = Self(ntstatus::STATUS_PENDING);
    pub(super) const CANCELLED: Self = Self(ntstatus::STATUS_CANCELLED);
    pub(super) const END_OF_FILE: Self = Self(ntstatus::STATUS_END_OF_FILE);
    pub(super) const PIPE_BROKEN: Self = Self(ntstatus::STATUS_PIPE_BROKEN);
    /// What there is was longer than the room: it is there as far as it fits.
    pub(super) const CUT: Self = Self(ntstatus::STATUS_BUFFER_OVERFLOW);

    /// The low 32 bits of the field are the status. In the others Wine leaves what was there.
    #[inline]
    pub(super) fn from_internal(internal: usize) -> Self {
        Self(internal as NTSTATUS)
    }

    /// As the system writes it in the field.
    #[inline]
    pub(super) fn to_internal(self) -> usize {
        self.0 as u32 as usize
    }

    /// Whether it is an error, and neither a success nor a warning.
    #[inline]
    pub(super) fn is_error(self) -> bool {
        self.0 as u32 >> 30 == 0b11
    }

    /// What a finished operation on a socket says to its owner.
    #[inline]
    pub(super) fn result(self) -> Result<(), Failure> {
        if self.0 >= 0 { Ok(()) } else { Err(self.failure()) }
    }

    /// What a finished operation says to its owner that is not one on a socket: the same status can
    /// have another meaning there, and another code.
    #[cfg(windows)]
    pub(super) fn result_of_file(self) -> Result<(), Failure> {
        if self.0 >= 0 { Ok(()) } else { Err(self.failure_of_file()) }
    }

    /// Not inlined, or the whole table would be a part of every place where an operation succeeds.
    #[cold]
    #[inline(never)]
    fn failure(self) -> Failure {
        match self.0 {
            ntstatus::STATUS_CANCELLED | ntstatus::STATUS_REQUEST_ABORTED => Failure::Cancelled,
            failed => Failure::Error(match system_code(failed) {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::other(UnknownStatus(failed)),
            }),
        }
    }

    /// The system's own translation is made for files, pipes and devices, so here it is right.
    #[cfg(windows)]
    #[cold]
    #[inline(never)]
    fn failure_of_file(self) -> Failure {
        if self == Self::CANCELLED {
            return Failure::Cancelled;
        }
        Failure::Error(match ntdll::RtlNtStatusToDosError(self.0) {
            ERROR_MR_MID_NOT_FOUND => io::Error::other(UnknownStatus(self.0)),
            // One that a driver has made up comes out as it went in, which is no code.
            same if same == self.0 as u32 => io::Error::other(UnknownStatus(self.0)),
            code => io::Error::from_raw_os_error(code as i32),
        })
    }
}

/// The code by which Winsock, or else Win32, knows a status; `None` if neither has one.
fn system_code(status: NTSTATUS) -> Option<i32> {
    use super::ffi::constants::*;
    use super::ffi::ntstatus::*;

    Some(match status {
        STATUS_CONNECTION_RESET
        | STATUS_REMOTE_DISCONNECT
        | STATUS_CONNECTION_DISCONNECTED
        | STATUS_LINK_FAILED
        | STATUS_PORT_UNREACHABLE
        | STATUS_HOPLIMIT_EXCEEDED => WSAECONNRESET,
        STATUS_LOCAL_DISCONNECT | STATUS_CONNECTION_ABORTED | STATUS_TRANSACTION_ABORTED => {
            WSAECONNABORTED
        }
        STATUS_CONNECTION_REFUSED | STATUS_REMOTE_NOT_LISTENING => WSAECONNREFUSED,
        STATUS_IO_TIMEOUT | STATUS_LINK_TIMEOUT => WSAETIMEDOUT,
        STATUS_NETWORK_UNREACHABLE | STATUS_PROTOCOL_UNREACHABLE | STATUS_BAD_NETWORK_PATH => {
            WSAENETUNREACH
        }
        STATUS_HOST_UNREACHABLE => WSAEHOSTUNREACH,
        STATUS_HOST_DOWN => WSAEHOSTDOWN,
        STATUS_BUFFER_OVERFLOW | STATUS_INVALID_BUFFER_SIZE => WSAEMSGSIZE,
        STATUS_INSUFFICIENT_RESOURCES
        | STATUS_PAGEFILE_QUOTA
        | STATUS_WORKING_SET_QUOTA
        | STATUS_QUOTA_EXCEEDED
        | STATUS_NO_MEMORY
        | STATUS_COMMITMENT_LIMIT
        | STATUS_TOO_MANY_PAGING_FILES
        | STATUS_REMOTE_RESOURCES
        | STATUS_CONFLICTING_ADDRESSES
        | STATUS_TOO_MANY_ADDRESSES => WSAENOBUFS,
        STATUS_ADDRESS_ALREADY_EXISTS | STATUS_SHARING_VIOLATION => WSAEADDRINUSE,
        STATUS_INVALID_ADDRESS | STATUS_INVALID_ADDRESS_COMPONENT => WSAEADDRNOTAVAIL,
        STATUS_CONNECTION_ACTIVE => WSAEISCONN,
        STATUS_INVALID_CONNECTION => WSAENOTCONN,
        // Of a pipe it is another error: the meaning depends on the kind of handle.
        STATUS_PIPE_DISCONNECTED => WSAESHUTDOWN,
        STATUS_GRACEFUL_DISCONNECT => WSAEDISCON,
        STATUS_INVALID_HANDLE | STATUS_OBJECT_TYPE_MISMATCH => WSAENOTSOCK,
        STATUS_BUFFER_TOO_SMALL | STATUS_ACCESS_VIOLATION | STATUS_DATATYPE_MISALIGNMENT_ERROR => {
            WSAEFAULT
        }
        STATUS_DEVICE_NOT_READY | STATUS_REQUEST_NOT_ACCEPTED => WSAEWOULDBLOCK,
        STATUS_NETWORK_BUSY
        | STATUS_INVALID_NETWORK_RESPONSE
        | STATUS_UNEXPECTED_NETWORK_ERROR
        | STATUS_NO_SUCH_DEVICE
        | STATUS_NO_SUCH_FILE
        | STATUS_OBJECT_NAME_NOT_FOUND
        | STATUS_OBJECT_PATH_NOT_FOUND => WSAENETDOWN,
        STATUS_NOT_SUPPORTED | STATUS_NOT_IMPLEMENTED => WSAEOPNOTSUPP,
        STATUS_ACCESS_DENIED => WSAEACCES,
        // Files and pipes, which have no Winsock code.
        STATUS_END_OF_FILE => ERROR_HANDLE_EOF as i32,
        STATUS_PIPE_BROKEN => ERROR_BROKEN_PIPE as i32,
        STATUS_PIPE_EMPTY => ERROR_NO_DATA as i32,
        // A Win32 error, which somebody has made an NTSTATUS of: it is the low half.
        wrapped if wrapped as u32 >> 16 == 0xC007 => wrapped & 0xFFFF,
        _ => return None,
    })
}

/// A status that has no code in Winsock or Win32, as the message of an `io::Error`.
#[derive(Debug)]
struct UnknownStatus(NTSTATUS);

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the operation failed with NTSTATUS {:#010X}, for which there is no code of Windows; \
             ntstatus.h explains the number",
            self.0
        )
    }
}

impl std::error::Error for UnknownStatus {}

impl Failure {
    /// Whether the operation was cancelled, and did not fail for another reason.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    /// The kind of the error: that of the [`io::Error`] which this `Failure` turns into. So it is
    /// [`Interrupted`](io::ErrorKind::Interrupted) for an operation that was cancelled, and
    /// otherwise the kind that std gives to the system's error.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Cancelled => io::ErrorKind::Interrupted,
            Self::Error(error) => error.kind(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the operation was cancelled"),
            Self::Error(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Cancelled => None,
            Self::Error(error) => error.source(),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Error(error)
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Cancelled => Self::new(failure.kind(), failure),
            Failure::Error(error) => error,
        }
    }
}

#[cfg(test)]
mod tests;
