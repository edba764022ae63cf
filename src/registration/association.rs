//! What a registration is to its queue, and the way of an operation to the kernel and back.
//!
//! Every submission is four lines in a row, whatever it submits: [`reserve`](Association::reserve),
//! in which the value moves to its place; [`lend`](Association::lend), from which on it is the
//! kernel's; the system call; and [`settle`](Association::settle), which draws the consequence of
//! what the call has answered.

#![allow(unsafe_code, reason = "it takes back what the system refuses, and cancels by address")]

use std::io;
use std::ptr::null_mut;
use std::sync::Arc;
use std::time::Duration;

use super::super::buffer::Buffer;
use super::super::ffi::constants::{ERROR_NO_SYSTEM_RESOURCES, WSAENOBUFS};
use super::super::ffi::types::OVERLAPPED;
use super::super::in_flight::{Completed, Lent, OperationId, Reserved};
use super::super::operation::{Canceller, Operation, OperationKind, Owner, Owners, SubmitOutcome};
use super::super::port::Key;
use super::super::shared::Core;
use super::super::status::Status;
use super::super::sync::Ordering::Relaxed;
use super::super::sync::{AtomicU32, sleep};
use super::mode::Mode;
use super::rejected::Rejected;

/// What a registration is to the queue. Dropping it leaves the queue.
pub(crate) struct Association<B: Buffer> {
    core: Arc<Core<B>>,
    /// Its canceller is there for as long as this is: `Registration` drops it before memo and
    /// source.
    owner: Arc<Owner>,
    /// The slot that the last operation had, where the next one looks first.
    hint: AtomicU32,
}

impl<B: Buffer> Association<B> {
    pub(super) fn new(core: Arc<Core<B>>, canceller: Canceller, key: Key) -> Self {
        let owner = core.owners.insert(key, canceller);
        Self { core, owner, hint: AtomicU32::new(0) }
    }

    pub(super) fn key(&self) -> Key {
        self.owner.key
    }

    pub(super) fn in_flight(&self) -> usize {
        self.owner.operations()
    }

    /// Puts an operation in its place, from where it can be lent.
    #[inline(always)]
    pub(crate) fn reserve(
        &self,
        kind: OperationKind<B>,
    ) -> Result<Reserved<'_, Operation<B>>, Rejected<OperationKind<B>>> {
        let Some(vacant) = self.core.in_flight.take_slot(self.hint.load(Relaxed)) else {
            return Err(Rejected::new(no_room(), kind));
        };
        Ok(vacant.fill(Operation { owner: Arc::clone(&self.owner), kind }))
    }

    /// Makes a reserved operation the kernel's. The call that starts it comes next, and after that
    /// [`settle`](Self::settle).
    #[inline(always)]
    pub(crate) fn lend<'a>(
        &self,
        reserved: Reserved<'a, Operation<B>>,
    ) -> Result<Lent<'a, Operation<B>>, Rejected<OperationKind<B>>> {
        self.lend_at(reserved, 0)
    }

    /// As [`lend`](Self::lend), of an operation on a file at this offset.
    #[inline(always)]
    pub(crate) fn lend_at<'a>(
        &self,
        reserved: Reserved<'a, Operation<B>>,
        offset: u64,
    ) -> Result<Lent<'a, Operation<B>>, Rejected<OperationKind<B>>> {
        match reserved.lend(offset) {
            Ok(lent) => {
                self.hint.store(lent.id().slot(), Relaxed);
                Ok(lent)
            }
            Err(operation) => Err(Rejected::new(queue_is_gone(), operation.kind)),
        }
    }

    /// Draws the consequence of what the call has answered: the operation goes on, or it is over
    /// and comes back.
    ///
    /// # Safety
    ///
    /// * The call was one that starts an operation of this handle with what `lent` names, and of
    ///   what the call may write to, everything is the slot's or outlives the call. It has
    ///   returned, and `outcome` is what it has answered.
    /// * If `M` skips packets, so does the handle, and the call was given the count to write to.
    /// * If the outcome is that the operation has ended, the system queues no packet of it.
    #[inline(always)]
    pub(crate) unsafe fn settle<M: Mode>(
        &self,
        lent: Lent<'_, Operation<B>>,
        outcome: SubmitOutcome,
    ) -> Result<M::Answer<B>, Rejected<OperationKind<B>>> {
        let id = lent.id();
        match outcome {
            SubmitOutcome::Done if M::SKIPS => {
                // SAFETY: the caller vouches that it has succeeded, and that no packet comes then.
                if let Some(ended) = unsafe { lent.take_done() } {
                    return Ok(self.told_at_once::<M>(ended));
                }
            }
            SubmitOutcome::Done | SubmitOutcome::Pending => {}
            // It has run all the same, and its packet comes.
            SubmitOutcome::Ended(_) if !lent.is_refused() => {}
            SubmitOutcome::Ended(status) if M::SKIPS => {
                // SAFETY: the caller vouches that it has, and that no packet comes.
                if let Some(ended) = unsafe { lent.take_ended(status) } {
                    return Ok(self.told_at_once::<M>(ended));
                }
            }
            // SAFETY: as above.
            SubmitOutcome::Ended(status) => unsafe { self.settle_ended(lent, status) }?,
            // SAFETY: the caller vouches that the call has failed.
            SubmitOutcome::Failed(error) => unsafe { self.settle_failed(lent, error) }?,
        }
        // A packet comes, or has come, and with it goes the buffer.
        Ok(M::pending(id))
    }

    /// The answer about an operation that has ended, and for which no packet comes.
    #[inline(always)]
    fn told_at_once<M: Mode>(&self, ended: Completed<Operation<B>>) -> M::Answer<B> {
        self.core.ended_without_packet();
        M::done(Operation::completion(ended, &self.core.owners))
    }

    /// Takes back an operation whose call has failed, if that is all that comes of it.
    ///
    /// # Safety
    ///
    /// * The call has returned this error, and it is not that the operation is pending.
    #[cold]
    unsafe fn settle_failed(
        &self,
        lent: Lent<'_, Operation<B>>,
        error: io::Error,
    ) -> Result<(), Rejected<OperationKind<B>>> {
        if is_out_of_memory(&error) && !lent.is_refused() {
            // SAFETY: the status is final, and the call has returned.
            unsafe { self.settle_lost(&lent) };
            return Ok(());
        }
        // SAFETY: the caller vouches that the call has failed.
        if let Some(operation) = unsafe { lent.take_back() } {
            self.core.ended_without_packet();
            return Err(Rejected::new(error, operation.kind));
        }
        Ok(())
    }

    /// Tells the end of an operation that has run although its call has failed for lack of memory.
    /// What there was none for can only be its packet: of a call that has failed none comes, says
    /// Microsoft. It is not taken back, for bytes were moved.
    ///
    /// # Safety
    ///
    /// * The call has returned, and was one that has ended with the status that stands there.
    #[cold]
    unsafe fn settle_lost(&self, lent: &Lent<'_, Operation<B>>) {
        let (overlapped, status) = (lent.overlapped(), lent.status());
        // A shortage mostly passes, and those who wait may all be asleep: of what is owed they
        // would not hear.
        for _ in 0..TRIES {
            // SAFETY: the kernel is done with it, says the caller, and its call was not said to be
            // over.
            if unsafe { self.core.control.end(overlapped, status) }.is_ok() {
                return;
            }
            sleep(PAUSE);
        }
        // SAFETY: as above, and marked as it is now only this ends it.
        unsafe { self.core.control.owe_end(overlapped, status) };
    }

    /// Tells the end of an operation for which no packet comes: by a packet of ours.
    ///
    /// # Safety
    ///
    /// * The call has returned, and was one that has ended with this status, in which no bytes were
    ///   moved. The system queues no packet of it.
    #[cold]
    unsafe fn settle_ended(
        &self,
        lent: Lent<'_, Operation<B>>,
        status: Status,
    ) -> Result<(), Rejected<OperationKind<B>>> {
        // SAFETY: its call was not said to be over, and the kernel is done with it, says the caller.
        let told = unsafe { self.core.control.end(lent.overlapped(), status) };
        if let Err(error) = told {
            // SAFETY: as above; and no packet was posted.
            if let Some(ended) = unsafe { lent.take_ended(status) } {
                self.core.ended_without_packet();
                return Err(Rejected::new(error, ended.value.kind));
            }
        }
        Ok(())
    }

    pub(super) fn cancel_one(&self, id: OperationId) -> io::Result<bool> {
        let cancelled = |overlapped| self.cancel(overlapped);
        self.core.in_flight.while_lent(id, cancelled).unwrap_or(Ok(false))
    }

    pub(super) fn cancel(&self, overlapped: *mut OVERLAPPED) -> io::Result<bool> {
        // SAFETY: the registration leaves the list when `self` is dropped.
        unsafe { self.owner.cancel(overlapped) }
    }
}

/// How often the end of an operation is posted that has run, whose own packet the system had no
/// memory for, before it is owed.
const TRIES: u32 = 100;
/// And the time between two of these.
const PAUSE: Duration = Duration::from_millis(1);

/// Whether the system has had no memory of its own, as files are told and as sockets are.
fn is_out_of_memory(error: &io::Error) -> bool {
    const OF_FILES: i32 = ERROR_NO_SYSTEM_RESOURCES as i32;
    matches!(error.raw_os_error(), Some(OF_FILES | WSAENOBUFS))
}

#[cold]
fn queue_is_gone() -> io::Error {
    let gone = "the completion queue of this registration has been dropped, so no completion could \
                come; register a new socket with a new queue";
    io::Error::new(io::ErrorKind::BrokenPipe, gone)
}

#[cold]
fn no_room() -> io::Error {
    let full = "there is no memory for another operation in flight; wait for some of those to \
                complete";
    io::Error::new(io::ErrorKind::OutOfMemory, full)
}

/// As the caller of a submission gets it: the error, and the buffer that was put in.
#[inline]
pub(crate) fn buffer_of<B>(rejected: Rejected<OperationKind<B>>) -> Rejected<B> {
    rejected.map(OperationKind::into_buffer)
}

/// Gives the buffer of a reserved operation back, for which no call was made.
#[cold]
pub(crate) fn refuse<B>(reserved: Reserved<'_, Operation<B>>, error: io::Error) -> Rejected<B> {
    Rejected::new(error, reserved.into_value().kind.into_buffer())
}

/// Where a call is to count the bytes at once. Microsoft asks for NULL where that is not used.
#[inline]
pub(crate) fn count<M: Mode, T>(lent: &Lent<'_, T>) -> *mut u32 {
    if M::SKIPS { lent.count() } else { null_mut() }
}

impl<B: Buffer> Drop for Association<B> {
    fn drop(&mut self) {
        Owners::leave(&self.owner);
        // Without operations there is nothing to cancel, which saves a call for each connection.
        if self.in_flight() > 0 {
            // Should it fail, closing the socket cancels them, unless there is a duplicate; and
            // then they are the kernel's for longer, in memory that waits for them.
            let _ = self.cancel(null_mut());
        }
        self.core.owners.remove(&self.owner);
    }
}
