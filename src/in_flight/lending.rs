//! The states of an operation on its way to the kernel: [`Vacant`], a slot that is taken;
//! [`Reserved`], in which the caller can still look at the value; and [`Lent`], which the thread
//! holds that makes the system call.
//!
//! None can be skipped or used twice, for each is made of the one before. Each gives the slot back
//! when it is dropped, but a vacant one, which is filled as soon as it is there.

#![allow(unsafe_code, reason = "it hands memory to the kernel and takes it back")]

use std::mem::ManuallyDrop;

use super::super::ffi::types::OVERLAPPED;
use super::super::status::Status;
use super::super::sync::Ordering::{Relaxed, SeqCst};
use super::slot::{HOLDS_VALUE, IN_CALL, LENT, Slot, USES};
use super::slots::SlotRef;
use super::{Annex, Completed, InFlight, OperationId, let_go, move_out};

/// A slot without a value.
pub(crate) struct Vacant<'a, T> {
    table: &'a InFlight<T>,
    place: SlotRef<'a, Slot<T>>,
}

impl<'a, T> Vacant<'a, T> {
    /// Of a slot that the caller has taken.
    #[inline]
    pub(super) fn new(table: &'a InFlight<T>, place: SlotRef<'a, Slot<T>>) -> Self {
        Self { table, place }
    }

    /// Moves the value to its place.
    #[inline]
    pub(crate) fn fill(self, value: T) -> Reserved<'a, T> {
        // SAFETY: the slot is taken and not lent, so nobody else touches its value.
        unsafe { self.place.slot().value().write(value) };
        Reserved { table: self.table, place: self.place }
    }
}

/// A slot with its value in place, before the kernel gets it. Dropping it drops the value.
pub(crate) struct Reserved<'a, T> {
    table: &'a InFlight<T>,
    place: SlotRef<'a, Slot<T>>,
}

impl<'a, T> Reserved<'a, T> {
    /// The value, at the address that it keeps until it is completed: pointers into it, taken
    /// here, are what the kernel is given.
    #[inline]
    pub(crate) fn value(&mut self) -> &mut T {
        // SAFETY: `fill` wrote the value, and until `lend` this guard is its only owner.
        unsafe { &mut *self.place.slot().value() }
    }

    /// Memory beside the slot, for what the call is to report besides. It is this operation's until
    /// the call has returned and the value has been collected. `None` when memory has run out.
    #[inline]
    pub(crate) fn annex(&self) -> Option<&'a Annex> {
        Some(self.table.annexes.get_or_add(self.place.index)?.slot())
    }

    /// Undoes the reservation: the value comes back.
    pub(crate) fn into_value(self) -> T {
        let this = ManuallyDrop::new(self);
        // SAFETY: the guard is forgotten, so its drop does not read the value a second time.
        unsafe { this.give_back() }
    }

    /// Moves the value out and frees the slot.
    ///
    /// # Safety
    ///
    /// * Called once, by the last use of the guard.
    unsafe fn give_back(&self) -> T {
        // SAFETY: `fill` wrote the value, nobody was lent it, and this is the only reading.
        let value = unsafe { self.place.slot().value().read() };
        self.place.release();
        value
    }

    /// Makes the operation the kernel's, for the system call that comes next, at an offset that is
    /// 0 for all but files. Everything that a thread which completes it reads has been written when
    /// this returns, for the packet can be dequeued on another thread before that call comes back.
    /// When the table has been closed the value comes back.
    #[inline(always)]
    pub(crate) fn lend(self, offset: u64) -> Result<Lent<'a, T>, T> {
        let slot = self.place.slot();
        // SAFETY: the slot is taken, and not lent.
        unsafe { slot.prepare(offset) };
        let generation = slot.state.load(Relaxed) & !USES;
        // It counts as in flight, and then it looks whether the table is closed; who closes the
        // table counts after. So either this sees that it is closed, or it is among those that are
        // waited for.
        slot.state.store(generation | LENT | HOLDS_VALUE | IN_CALL, SeqCst);
        if self.table.closed.load(SeqCst) {
            // Nobody has touched it: no packet is believed while it is pending, and its id is
            // unknown.
            slot.state.store(generation, Relaxed);
            return Err(self.into_value());
        }
        let this = ManuallyDrop::new(self);
        Ok(Lent { id: this.table.id(this.place.index, generation), place: this.place })
    }
}

impl<T> Drop for Reserved<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this is the last use of the guard; `lend` and `into_value` forget it.
        drop(unsafe { self.give_back() });
    }
}

/// An operation that is the kernel's, as the thread holds it that makes the call: up to the moment
/// when that call has returned. What the call is given to write to is the slot's, and the slot
/// serves no other operation while this is there. It may be completed, though, at any time.
pub(crate) struct Lent<'a, T> {
    id: OperationId,
    place: SlotRef<'a, Slot<T>>,
}

impl<T> Lent<'_, T> {
    #[inline]
    pub(crate) fn id(&self) -> OperationId {
        self.id
    }

    #[inline]
    pub(crate) fn overlapped(&self) -> *mut OVERLAPPED {
        self.place.slot().overlapped()
    }

    /// Where the call can report how many bytes it has moved at once. It holds 0.
    #[inline]
    pub(crate) fn count(&self) -> *mut u32 {
        self.place.slot().count()
    }

    /// Where the call can read flags, and write others. It holds 0.
    #[inline]
    pub(crate) fn flags(&self) -> *mut u32 {
        self.place.slot().flags()
    }

    /// Takes back an operation that the system has refused. `None` if a packet of it comes in spite
    /// of that, or has come.
    ///
    /// # Safety
    ///
    /// * The call has returned an error, and it is not that the operation is pending.
    #[cold]
    pub(crate) unsafe fn take_back(self) -> Option<T> {
        let slot = self.place.slot();
        // SAFETY: with one of these the call's error is all that comes of it.
        unsafe { self.take(|_| slot.is_refused()) }
    }

    /// How it has ended, or that it is pending.
    pub(crate) fn status(&self) -> Status {
        self.place.slot().status()
    }

    /// Whether a call that has failed is all that comes of the operation.
    pub(crate) fn is_refused(&self) -> bool {
        self.place.slot().is_refused()
    }

    /// Takes back an operation that has succeeded at once, without a packet. `None` if a packet
    /// came all the same.
    ///
    /// # Safety
    ///
    /// * The call has returned and said that it has succeeded, on a handle that queues no packet
    ///   then.
    #[inline]
    pub(crate) unsafe fn take_done(self) -> Option<Completed<T>> {
        // SAFETY: the caller vouches that it has ended, and that no packet will come.
        unsafe { self.take_ended(Status::SUCCESS) }
    }

    /// As [`take_done`](Self::take_done), of one that has ended with this status.
    ///
    /// # Safety
    ///
    /// * The call has returned, the operation has ended so, and the system queues no packet of it.
    #[inline]
    pub(crate) unsafe fn take_ended(self, status: Status) -> Option<Completed<T>> {
        let id = self.id;
        let count = self.place.slot().counted() as usize;
        // SAFETY: the caller vouches that the operation has ended, and that no packet will come.
        let value = unsafe { self.take(|_| true) }?;
        Some(Completed { id, status, count, value })
    }

    /// Takes the operation from the kernel, whose call is over, if `when` and if it is still there.
    ///
    /// # Safety
    ///
    /// * The call has returned. If `when`, the kernel does not have the operation, and no packet of
    ///   it will come.
    #[inline]
    unsafe fn take(self, when: impl Fn(u64) -> bool) -> Option<T> {
        // While the call's bit stands the slot serves no other operation, so no generation is
        // compared.
        let state = self.place.slot().take_from_kernel(IN_CALL, when)?;
        let this = ManuallyDrop::new(self);
        // SAFETY: `LENT` was set, and this call has cleared it.
        Some(unsafe { move_out(this.place, state) })
    }
}

impl<T> Drop for Lent<'_, T> {
    /// The call has returned, or was never made: then the operation stays, for nobody ends it.
    #[inline]
    fn drop(&mut self) {
        let_go(self.place, IN_CALL);
    }
}
