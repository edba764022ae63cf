//! Reading and writing, by the two calls that files and pipes have in common.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system calls that read and write")]

use std::io;
use std::os::windows::io::AsRawHandle;

use super::buffer::{Buffer, one_filled, one_spare};
use super::ffi;
use super::ffi::constants::*;
use super::operation::{OperationKind, SubmitOutcome};
use super::registration::{Mode, Registration, Rejected, Source, buffer_of, count, refuse};
use super::status::Status;

/// The offset of a write that means the end of the file, wherever it is then.
pub(super) const APPEND: u64 = u64::MAX;

impl<S: Source, B: Buffer, M: Mode> Registration<S, B, M> {
    /// Reads once, into the first spare room of the buffer of a kind that reads.
    pub(super) fn start_read(
        &self,
        kind: OperationKind<B>,
        offset: u64,
    ) -> Result<M::Answer<B>, Rejected<B>> {
        let mut reserved = self.association.reserve(kind).map_err(buffer_of)?;
        let (room, length) = one_spare(reserved.value().kind.buffer());
        let refused = if length == 0 { Some(FULL) } else { out_of_range(offset, length) };
        if let Some(why) = refused {
            return Err(refuse(reserved, invalid(why)));
        }
        let lent = self.association.lend_at(reserved, offset).map_err(buffer_of)?;
        // SAFETY: the handle is open, for `self` owns it. The memory is lent: it rests in the
        // operation, or in the buffer there, until the packet is dequeued. The count and the
        // `OVERLAPPED` are the slot's, which is the call's until it returns.
        let read = unsafe {
            let (count, overlapped) = (count::<M, _>(&lent), lent.overlapped());
            ffi::kernel32::ReadFile(self.raw_handle(), room.cast(), length, count, overlapped)
        };
        let outcome = outcome_of_read(read != FALSE);
        // SAFETY: this was the call, on this handle, which skips packets if its mode does. By the
        // two errors that say how it has ended, the system has refused it: they are no warnings.
        unsafe { self.association.settle::<M>(lent, outcome) }.map_err(buffer_of)
    }

    /// Writes the filled bytes of the buffer, which are in one part of it.
    pub(super) fn start_write(&self, buffer: B, offset: u64) -> Result<M::Answer<B>, Rejected<B>> {
        let kind = OperationKind::Write(buffer);
        let mut reserved = self.association.reserve(kind).map_err(buffer_of)?;
        let (bytes, length) = match one_filled(reserved.value().kind.buffer()) {
            Some(part) if offset == APPEND => part,
            Some(part) if out_of_range(offset, part.1).is_none() => part,
            part => {
                let why = if part.is_none() { SCATTERED } else { FAR };
                return Err(refuse(reserved, invalid(why)));
            }
        };
        let lent = self.association.lend_at(reserved, offset).map_err(buffer_of)?;
        // SAFETY: as for a read.
        let written = unsafe {
            let (count, overlapped) = (count::<M, _>(&lent), lent.overlapped());
            ffi::kernel32::WriteFile(self.raw_handle(), bytes.cast(), length, count, overlapped)
        };
        // SAFETY: this was the call, on this handle, which skips packets if its mode does.
        unsafe { self.association.settle::<M>(lent, outcome(written != FALSE)) }.map_err(buffer_of)
    }

    pub(super) fn raw_handle(&self) -> ffi::types::HANDLE {
        self.get_ref().handle().as_raw_handle()
    }
}

/// What a call has answered that has just returned, and that leaves its error where those of files
/// do.
pub(super) fn outcome(succeeded: bool) -> SubmitOutcome {
    if succeeded {
        return SubmitOutcome::Done;
    }
    let error = io::Error::last_os_error();
    if brings_packet(&error) { SubmitOutcome::Pending } else { SubmitOutcome::Failed(error) }
}

/// Whether a call that has failed with this error has started an operation: it is pending, or has
/// ended with a warning, or with the one success that Microsoft lists as an error of a call, of
/// `ReadDirectoryChangesW`. What else there is are the codes that the system makes of the NTSTATUS
/// 0x80000000 to 0xBFFFFFFF, by `RtlNtStatusToDosError`, without the four that it also makes of
/// errors.
pub(super) fn brings_packet(error: &io::Error) -> bool {
    const PENDING: i32 = ERROR_IO_PENDING as i32;
    const CUT: i32 = ERROR_MORE_DATA as i32;
    const LOST: i32 = ERROR_NOTIFY_ENUM_DIR as i32;
    matches!(
        error.raw_os_error(),
        Some(
            PENDING
            | CUT
            | LOST
            | WSAEMSGSIZE
            | 18
            | 28
            | 254
            | 259
            | 299
            | 675..=687
            | 1100..=1104
            | 1110
            | 1111
            | 1165
            | 1166
            | 1391
            | 1794
            | 1811
            | 2402
            | 4340
            | 5061..=5065,
        )
    )
}

/// As [`outcome`], of a read: at the end the system refuses to read.
fn outcome_of_read(succeeded: bool) -> SubmitOutcome {
    let outcome = outcome(succeeded);
    let SubmitOutcome::Failed(error) = &outcome else { return outcome };
    match error.raw_os_error().map(|code| code as u32) {
        Some(ERROR_HANDLE_EOF) => SubmitOutcome::Ended(Status::END_OF_FILE),
        Some(ERROR_BROKEN_PIPE) => SubmitOutcome::Ended(Status::PIPE_BROKEN),
        _ => outcome,
    }
}

/// Why no file has these bytes, if none can.
fn out_of_range(offset: u64, length: u32) -> Option<&'static str> {
    let end = offset.checked_add(u64::from(length));
    end.is_none_or(|end| end > i64::MAX as u64).then_some(FAR)
}

const FULL: &str = "the buffer has no spare room, so nothing could be read into it; clear it, or give \
                    it more capacity";
pub(super) const FAR: &str = "no file has bytes at this offset: with the length of the buffer it is beyond \
                   9,223,372,036,854,775,807; a negative number may have been made an offset";
pub(super) const SCATTERED: &str = "the bytes are in several parts of the buffer, and files and pipes are \
                         written from one; write the parts one after the other";

pub(super) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
