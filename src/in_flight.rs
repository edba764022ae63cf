//! The table of operations that the kernel works on: the unsafe heart of the crate, without one
//! system call in it.
//!
//! A submitted operation lends the kernel two things: an [`OVERLAPPED`], in which the system
//! writes how it ended, and a buffer. Both stay the kernel's until a packet with the address of
//! the `OVERLAPPED` comes out of the port. In between, nothing in this process may move, read or
//! free them, whatever becomes of the objects that a program holds. So they live here:
//!
//! ```text
//!             reserve            lend                complete, or take_back
//!   caller's ────────▶ reserved ──────▶ the kernel's ───────────────────────▶ caller's
//!                         │ drop
//!                         └────────────▶ caller's
//! ```
//!
//! Each slot has a *generation*, counted up when an operation leaves it, and an
//! [`OperationId`] names slot and generation. An id is therefore good for one operation alone,
//! though the slot serves many. Generations have 61 bits: at a thousand million operations a
//! second in one slot they last 73 years.
//!
//! A packet is believed only after three questions, none of which reads through its address:
//! does a slot of ours begin there, is that slot lent, and has the system written a final status
//! in it? The last one turns away a forged or outdated packet that hits a slot in use.
//!
//! Cost: submitting and completing are two atomic read-modify-writes each, when nobody contends. The
//! module needs atomics of 64 bits, and nothing else from the target; so it is tested, with
//! sanitizers, on systems that have no completion ports.

#![cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]
#![allow(unsafe_code, reason = "it hands memory to the kernel and takes it back")]

mod slot;

use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32};

use super::ffi::ntstatus::STATUS_PENDING;
use super::ffi::types::OVERLAPPED;
use super::slots::{Place, Slots};
use super::status::Status;

use self::slot::{GENERATION_SHIFT, HOLDS_VALUE, LENT, PINNED, Slot};

/// Names one submitted operation, for good: an id that is out of date, or of another queue,
/// names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationId {
    table: u32,
    index: u32,
    generation: u64,
}

impl OperationId {
    /// The number of the slot, a good guess for where the next operation finds a free one.
    #[inline]
    pub(super) fn slot(self) -> u32 {
        self.index
    }
}

/// The operations in flight, each with a value of `T` that is lent along with it.
pub(super) struct InFlight<T> {
    /// Freed only when no slot is taken; see `drop`.
    slots: ManuallyDrop<Slots<Slot<T>>>,
    closed: AtomicBool,
    number: u32,
}

/// Why a value was not taken in. It comes back.
pub(super) enum Refused<T> {
    Closed(T),
    OutOfMemory(T),
}

/// What the caller of a system call needs of a lent slot.
pub(super) struct Lent {
    pub(super) id: OperationId,
    pub(super) overlapped: *mut OVERLAPPED,
}

/// An operation whose packet has come.
pub(super) struct Completed<T> {
    pub(super) id: OperationId,
    pub(super) status: Status,
    /// Bytes moved, as the system wrote them in the operation.
    pub(super) count: usize,
    pub(super) value: T,
}

impl<T> InFlight<T> {
    pub(super) fn new() -> Self {
        static TABLES: AtomicU32 = AtomicU32::new(0);
        let number = TABLES.fetch_add(1, Relaxed);
        Self { slots: ManuallyDrop::new(Slots::new()), closed: AtomicBool::new(false), number }
    }

    /// Takes a slot, near slot `near` if one is free there, and moves the value into it.
    #[inline]
    pub(super) fn reserve(&self, near: u32, value: T) -> Result<Reserved<'_, T>, Refused<T>> {
        let Some(place) = self.slots.take(near) else {
            return Err(Refused::OutOfMemory(value));
        };
        // Looked at after the slot is taken: so whoever closes the table and then counts the
        // taken slots either counts this one, or this one sees that the table is closed.
        if self.closed.load(SeqCst) {
            Slots::release(&place);
            return Err(Refused::Closed(value));
        }
        // SAFETY: the slot is taken by this call and not lent, so nobody else touches its value.
        unsafe { place.slot.value().write(value) };
        Ok(Reserved { table: self, place })
    }

    /// Takes the operation of a packet out of the table. `None` means that the packet is not
    /// one of ours, and that nothing was read through its address.
    ///
    /// # Safety
    ///
    /// * `packet` came out of the port on which this table's operations complete. (An address
    ///   from elsewhere is turned away unless it is that of an operation which has its final
    ///   status, and whose real packet is still to come.)
    #[inline]
    pub(super) unsafe fn complete(&self, packet: *mut OVERLAPPED) -> Option<Completed<T>> {
        let place = self.slots.find(packet.addr())?;
        let slot = place.slot;
        let state = slot.take_from_kernel(|_| slot.status() != Status::PENDING)?;
        let (status, overlapped) = (slot.status(), slot.overlapped());
        // SAFETY: clearing `LENT` made this call the only owner of what was lent, and the caller
        // vouches that the kernel is done with it.
        let count = unsafe { (*overlapped).InternalHigh };
        // SAFETY: `LENT` was set, and this call has cleared it.
        let value = unsafe { Self::move_out(&place, state) };
        Some(Completed {
            id: self.id(place.index, state >> GENERATION_SHIFT),
            status,
            count,
            value,
        })
    }

    /// Takes back an operation that the system refused. `None` if it is in the table no more.
    ///
    /// # Safety
    ///
    /// * The system call to which the operation was lent has failed in a way that says that no
    ///   packet will come, so the kernel does not have it.
    pub(super) unsafe fn take_back(&self, id: OperationId) -> Option<T> {
        let place = self.slots.get(id.index)?;
        let ours = |state| self.id(id.index, state >> GENERATION_SHIFT) == id;
        let state = place.slot.take_from_kernel(ours)?;
        // SAFETY: `LENT` was set, and this call has cleared it.
        Some(unsafe { Self::move_out(&place, state) })
    }

    /// Calls `act` with the address of an operation, if it is still in flight. Until `act`
    /// returns, the slot serves no other operation, even if this one completes meanwhile: so
    /// what `act` asks of the system for this address can not hit a newer operation.
    pub(super) fn while_lent<R>(
        &self,
        id: OperationId,
        act: impl FnOnce(*mut OVERLAPPED) -> R,
    ) -> Option<R> {
        let place = self.slots.get(id.index).filter(|_| id.table == self.number)?;
        let slot = place.slot;
        let lent = id.generation << GENERATION_SHIFT | LENT | HOLDS_VALUE;
        // Fails for an operation that is over, and for one that somebody has pinned already: a
        // second request to cancel it would add nothing to the first.
        slot.state.compare_exchange(lent, lent | PINNED, AcqRel, Relaxed).ok()?;
        let _pin = Pin { place };
        Some(act(slot.overlapped()))
    }

    /// How many slots are taken: the operations in flight, and those being submitted.
    pub(super) fn count(&self) -> usize {
        self.slots.taken()
    }

    /// From now on nothing is taken in.
    pub(super) fn close(&self) {
        self.closed.store(true, SeqCst);
    }

    fn id(&self, index: u32, generation: u64) -> OperationId {
        OperationId { table: self.number, index, generation }
    }

    /// Moves the value out of a slot, and frees the slot unless it is pinned.
    ///
    /// # Safety
    ///
    /// * The caller has cleared `LENT` in `state`, and calls this once.
    #[inline]
    unsafe fn move_out(place: &Place<'_, Slot<T>>, state: u64) -> T {
        // SAFETY: `reserve` wrote the value. Only the one who cleared `LENT` comes here, once,
        // and nobody refills the slot while it holds a value.
        let value = unsafe { place.slot.value().read() };
        // Only a slot that is lent gets pinned: one that was not pinned then is not pinned now, and
        // nobody else changes its state.
        if state & PINNED == 0 {
            recycle(place, state);
            return value;
        }
        let before = place.slot.state.fetch_and(!HOLDS_VALUE, AcqRel);
        if before & PINNED == 0 {
            recycle(place, before);
        }
        value
    }
}

/// Called by the last one to let go of a slot, which is therefore alone with it.
#[inline]
fn recycle<T>(place: &Place<'_, Slot<T>>, state: u64) {
    let next = (state >> GENERATION_SHIFT) + 1;
    place.slot.state.store(next << GENERATION_SHIFT, Release);
    Slots::release(place);
}

impl<T> Drop for InFlight<T> {
    fn drop(&mut self) {
        // A slot still taken may be one that the kernel writes to. Memory that is leaked can be
        // written to for ever; memory that is freed is somebody else's.
        if self.count() == 0 {
            // SAFETY: dropped once, here, and not used after.
            unsafe { ManuallyDrop::drop(&mut self.slots) };
        }
    }
}

/// A slot with its value in place, before the kernel gets it. Dropping it drops the value.
pub(super) struct Reserved<'a, T> {
    table: &'a InFlight<T>,
    place: Place<'a, Slot<T>>,
}

impl<T> Reserved<'_, T> {
    /// The value, at the address that it keeps until it is completed: pointers into it, taken
    /// here, are what the kernel is given.
    #[inline]
    pub(super) fn value(&mut self) -> &mut T {
        // SAFETY: `reserve` wrote the value, and until `lend` this guard is its only owner.
        unsafe { &mut *self.place.slot.value() }
    }

    /// Thinks better of it: the value comes back.
    pub(super) fn into_value(self) -> T {
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
        // SAFETY: `reserve` wrote the value, nobody was lent it, and this is the only reading.
        let value = unsafe { self.place.slot.value().read() };
        Slots::release(&self.place);
        value
    }

    /// Makes the operation the kernel's. Everything that a thread which completes it reads has
    /// been written when this returns, for the packet can be dequeued on another thread before
    /// the system call that submits the operation comes back.
    #[inline]
    pub(super) fn lend(self) -> Lent {
        let this = ManuallyDrop::new(self);
        let (table, slot) = (this.table, this.place.slot);
        let overlapped = slot.overlapped();
        // Pending until the system says otherwise: a packet that comes while this stands here
        // is not the system's. Written as an atomic, since a stray packet can lead another
        // thread to this field at any time.
        slot.internal().store(STATUS_PENDING as usize, Relaxed);
        // The fields behind it are zeros from the start, and the system leaves them so.
        // SAFETY: this slot's own `OVERLAPPED`, which the kernel does not have yet.
        unsafe { (*overlapped).InternalHigh = 0 };
        let generation = slot.state.load(Relaxed) >> GENERATION_SHIFT;
        slot.state.store(generation << GENERATION_SHIFT | LENT | HOLDS_VALUE, Release);
        Lent { id: table.id(this.place.index, generation), overlapped }
    }
}

impl<T> Drop for Reserved<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this is the last use of the guard; `lend` and `into_value` forget it.
        drop(unsafe { self.give_back() });
    }
}

/// Keeps a slot from serving another operation.
struct Pin<'a, T> {
    place: Place<'a, Slot<T>>,
}

impl<T> Drop for Pin<'_, T> {
    fn drop(&mut self) {
        let before = self.place.slot.state.fetch_and(!PINNED, AcqRel);
        if before & HOLDS_VALUE == 0 {
            recycle(&self.place, before);
        }
    }
}

#[cfg(test)]
mod tests;
