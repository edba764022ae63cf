//! Operations that are ended in the system's place, by packets of ours.

#![allow(unsafe_code, reason = "it says how operations have ended")]

use std::io;

use super::super::ffi::types::OVERLAPPED;
use super::super::in_flight::mark_ended;
use super::super::port::Key;
use super::super::status::Status;
use super::super::sync::{Mutex, PoisonError};
use super::{Control, END_OWED};

/// Ends that could not be posted, and that nobody else comes back for.
#[derive(Debug)]
pub(super) struct OwedEnds {
    list: Mutex<Vec<OwedEnd>>,
}

#[derive(Debug)]
struct OwedEnd {
    overlapped: *mut OVERLAPPED,
    status: Status,
}

// SAFETY: it is the address of an operation that is lent, and that whoever has the entry is to end:
// any thread may do that.
unsafe impl Send for OwedEnd {}

impl OwedEnds {
    pub(super) const fn new() -> Self {
        Self { list: Mutex::new(Vec::new()) }
    }
}

impl Control {
    /// Ends an operation in the system's place: says how, and posts its packet. After an error it
    /// is still in flight, and can be ended again, also in another way. Its key stands in the
    /// operation, so the packet has none that means something.
    ///
    /// # Safety
    ///
    /// * The `OVERLAPPED` is that of an operation which is lent on this port, or the call that was
    ///   given it has not been said to be over. The kernel does not work on it, now or later, and
    ///   no call writes to it.
    /// * Nobody else ends it.
    pub(in super::super) unsafe fn end(
        &self,
        overlapped: *mut OVERLAPPED,
        status: Status,
    ) -> io::Result<()> {
        // SAFETY: the caller's promises, passed on.
        let Some(address) = (unsafe { mark_ended(overlapped, status) }) else { return Ok(()) };
        // SAFETY: the packet says that the operation has ended, which is so.
        unsafe { self.port.post_overlapped(Key(0), 0, address) }
    }

    /// Leaves it to the next wait to [`end`](Self::end) an operation.
    ///
    /// # Safety
    ///
    /// * As of `end`, from now on.
    #[cold]
    pub(in super::super) unsafe fn owe_end(&self, overlapped: *mut OVERLAPPED, status: Status) {
        let mut list = self.owed_ends.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(OwedEnd { overlapped, status });
        drop(list);
        self.owe(END_OWED);
    }

    /// Ends the operations of which that is owed, up to the first for which there is no memory.
    #[cold]
    pub(in super::super) fn pay_ends(&self) -> io::Result<()> {
        let mut list = self.owed_ends.list.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(OwedEnd { overlapped, status }) = list.pop() {
            // SAFETY: who has put it there vouches for it, and an entry is taken out once. That its
            // packet may be dequeued at once does not matter, for it is touched no more.
            if let Err(error) = unsafe { self.end(overlapped, status) } {
                list.push(OwedEnd { overlapped, status });
                return Err(error);
            }
        }
        Ok(())
    }
}
