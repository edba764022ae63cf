//! What a call answers that starts an operation.

use std::io;

use super::super::ffi;
use super::super::ffi::constants::WSA_IO_PENDING;
use super::super::status::Status;

/// The answer of a call that starts an operation.
pub(crate) enum SubmitOutcome {
    /// The operation has succeeded. Its packet is in the port, unless the handle leaves such out.
    Done,
    Pending,
    Failed(io::Error),
    /// The call has failed, and by that said how the operation has ended, for which the system
    /// queues no packet: a file is at its end, say.
    Ended(Status),
}

impl SubmitOutcome {
    /// The answer of the call of Winsock that has just returned, by whether it says that it has
    /// succeeded.
    #[inline]
    pub(crate) fn of_call(succeeded: bool) -> Self {
        if succeeded {
            return Self::Done;
        }
        match ffi::ws2_32::WSAGetLastError() {
            WSA_IO_PENDING => Self::Pending,
            code => Self::Failed(io::Error::from_raw_os_error(code)),
        }
    }
}
