//! Who ends a wait: the signal, or whoever cancels it. One word says so, and there is no system
//! call here.
//!
//! A wait is an operation that no kernel works on. It is lent like any other, and it ends when its
//! packet is posted, which two can do: the callback of the system's pool, when the handle is
//! signalled, and a canceller. The word is one of three:
//!
//! * `NOBODY`: no operation is there to be ended, or somebody has it in hand.
//! * The address of the operation: it is there. `arm` writes it. Who takes it out, by an exchange
//!   for `NOBODY`, posts the packet, which ends the operation, or puts the address back.
//! * `LEFT`: the registration has left. `leave` writes it, whatever was there, and only `arm`
//!   changes it.
//!
//! What follows from this:
//!
//! * Of those who try to end a wait one takes the address out, by an exchange that succeeds once.
//!   So there is one packet for a wait.
//! * Who has posted the packet touches neither the word nor the operation any more: with the packet
//!   another thread may already have ended the wait and armed the next.
//! * A canceller takes the address that it was given, and no other one. While an operation is being
//!   named its slot serves no other, so a request that comes late does not meet the next wait.
//! * When it has the address it stops the pool, before it posts: an event that resets itself would
//!   be reset by a wait that goes on, and nobody would hear of it. If the callback has run by then,
//!   the handle was signalled, and the wait ends so.
//! * Who could not post puts the address back, for the wait is as it was. If nobody would come to
//!   end it then, since the registration has left or the pool does not wait, what is left to do is
//!   owed to the queue, which does it with the next wait of a thread.
//! * `arm` is called when no operation of the registration is in flight: then nobody has an address
//!   in hand that could be put back.

use std::io;
use std::ptr::{null_mut, without_provenance_mut};
use std::time::Duration;

use super::super::ffi::types::OVERLAPPED;
use super::super::status::Status;
use super::super::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
use super::super::sync::{AtomicBool, AtomicPtr, sleep};

/// How long a signal that could not be told waits until it tries again. The system has no memory
/// for the packet, which mostly passes.
const PAUSE: Duration = Duration::from_millis(1);

/// In place of the address: there is none, or somebody has it in hand.
const NOBODY: *mut OVERLAPPED = null_mut();
/// In place of the address: the registration has left.
const LEFT: *mut OVERLAPPED = without_provenance_mut(1);

/// The word, and whether the callback has run since it was armed.
pub(crate) struct Arming {
    armed: AtomicPtr<OVERLAPPED>,
    has_fired: AtomicBool,
}

/// What waits for the handle, and how the operation of a wait is ended.
pub(crate) trait Pool {
    /// The right to change what is waited for.
    type Turn<'a>
    where
        Self: 'a;

    /// Posts the packet of an operation. After an error that is still to be ended.
    fn end(&self, operation: *mut OVERLAPPED, status: Status) -> io::Result<()>;

    /// Leaves it to the queue to post the packet.
    fn owe(&self, operation: *mut OVERLAPPED, status: Status);

    /// Ends the wait. The callback runs no more when this returns.
    fn stop(&self) -> Self::Turn<'_>;

    /// Waits again, after that.
    fn resume(turn: &mut Self::Turn<'_>) -> io::Result<()>;
}

impl Arming {
    pub(crate) const fn new() -> Self {
        Self { armed: AtomicPtr::new(NOBODY), has_fired: AtomicBool::new(false) }
    }

    /// From now on the operation can be ended. Called when none of the registration is in flight
    /// but this, and nothing waits.
    pub(crate) fn arm(&self, operation: *mut OVERLAPPED) {
        self.has_fired.store(false, Relaxed);
        self.armed.store(operation, Release);
    }

    /// The handle is signalled: this is the callback.
    pub(crate) fn signal(&self, pool: &impl Pool) {
        self.has_fired.store(true, Release);
        while let Some(operation) = self.take(NOBODY) {
            if pool.end(operation, Status::SUCCESS).is_ok() {
                return;
            }
            if !self.put_back(operation) {
                return pool.owe(operation, Status::SUCCESS);
            }
            // The signal comes once, and must not be lost. It can be cancelled meanwhile.
            sleep(PAUSE);
        }
    }

    /// Cancels the wait of this operation, or whichever there is with NULL. Says whether there was
    /// one. After an error it goes on.
    pub(crate) fn cancel<P: Pool>(&self, which: *mut OVERLAPPED, pool: &P) -> io::Result<bool> {
        let Some(operation) = self.take(which) else { return Ok(false) };
        let mut turn = pool.stop();
        let has_fired = self.has_fired.load(Acquire);
        let status = if has_fired { Status::SUCCESS } else { Status::CANCELLED };
        let Err(error) = pool.end(operation, status) else { return Ok(true) };
        if !has_fired && self.put_back(operation) {
            // If it does not wait again, it is to be ended all the same, and if another canceller
            // has it by then, that one does.
            if P::resume(&mut turn).is_ok() || self.take(operation).is_none() {
                return Err(error);
            }
        }
        pool.owe(operation, status);
        Ok(true)
    }

    /// Says that nobody will come for the wait any more: the registration goes, or the system has
    /// not made the wait. What was armed is the caller's. Nothing else is: then it has ended, or
    /// the one who has it in hand ends it.
    pub(crate) fn leave(&self) -> Option<*mut OVERLAPPED> {
        let armed = self.armed.swap(LEFT, AcqRel);
        (armed != NOBODY && armed != LEFT).then_some(armed)
    }

    fn take(&self, which: *mut OVERLAPPED) -> Option<*mut OVERLAPPED> {
        let operation = if which.is_null() { self.armed.load(Acquire) } else { which };
        if operation == NOBODY || operation == LEFT {
            return None;
        }
        self.armed.compare_exchange(operation, NOBODY, AcqRel, Relaxed).ok()
    }

    /// Whether somebody can still come for it.
    fn put_back(&self, operation: *mut OVERLAPPED) -> bool {
        self.armed.compare_exchange(NOBODY, operation, AcqRel, Relaxed).is_ok()
    }
}
