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
//! The packet can be dequeued, on another thread, before the system call that was given the slot
//! returns, and until it returns that call may write: success at once updates the flags and the
//! count. So a slot serves its next operation only when the packet has come *and* the call is back.
//!
//! Each slot has a *generation*, counted up when an operation leaves it, and an
//! [`OperationId`] names slot and generation. An id is therefore good for one operation alone,
//! though the slot serves many. Generations have 50 bits: at ten million operations a second in
//! one slot, more than system calls allow, they last three years and a half.
//!
//! A packet is believed only after three questions, none of which reads through its address:
//! does a slot of ours begin there, is that slot lent, and has the system written a final status
//! in it? The last one turns away a forged or outdated packet that hits a slot in use.
//!
//! Cost: submitting and completing are two atomic read-modify-writes each, when nobody contends: the
//! slot is taken, the call is back; the packet is there, the slot is released. The module needs atomics of 64 bits, and nothing else from the target; so it is tested, with
//! sanitizers, on systems that have no completion ports.

#![cfg_attr(
    not(windows),
    allow(dead_code, unused_imports, reason = "tested everywhere, used on Windows")
)]
#![allow(unsafe_code, reason = "it hands memory to the kernel and takes it back")]

mod lending;
mod slot;

use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release, SeqCst};

use super::ffi::types::OVERLAPPED;
use super::slots::{Place, Slots};
use super::status::Status;
use super::sync::{AtomicBool, AtomicU64, yield_now};

pub(super) use self::lending::{Lent, Reserved};
use self::slot::{GENERATION, HOLDS_VALUE, LENT, MOST_PINS, PIN, Slot, USES};

/// Names one submitted operation, for good: an id that is out of date, or of another queue,
/// names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationId {
    index: u32,
    /// The low 32 bits of the table's number.
    table: u32,
    /// The generation, as it stands in the state of a slot, and below it the rest of the number.
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
    /// No two tables have the same: 46 bits of it are in an id, enough for a table a microsecond
    /// during two years.
    number: u64,
}

/// An operation whose packet has come, or that has ended without one.
pub(super) struct Completed<T> {
    pub(super) id: OperationId,
    pub(super) status: Status,
    /// Bytes moved, as the system wrote them in the operation.
    pub(super) count: usize,
    pub(super) value: T,
}

impl<T> InFlight<T> {
    pub(super) fn new() -> Self {
        static TABLES: AtomicU64 = AtomicU64::new(0);
        let number = TABLES.fetch_add(1, Relaxed);
        Self { slots: ManuallyDrop::new(Slots::new()), closed: AtomicBool::new(false), number }
    }

    /// Takes a slot, near slot `near` if one is free there, and moves the value into it. When there
    /// is no memory for one more slot the value comes back.
    #[inline]
    pub(super) fn reserve(&self, near: u32, value: T) -> Result<Reserved<'_, T>, T> {
        let Some(place) = self.slots.take(near) else {
            return Err(value);
        };
        // SAFETY: the slot is taken by this call and not lent, so nobody else touches its value.
        unsafe { place.slot.value().write(value) };
        Ok(Reserved::new(self, place))
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
        let state = slot.take_from_kernel(0, || slot.status() != Status::PENDING)?;
        let (status, overlapped) = (slot.status(), slot.overlapped());
        // SAFETY: clearing `LENT` made this call the only owner of what was lent, and the caller
        // vouches that the kernel is done with it.
        let count = unsafe { (*overlapped).InternalHigh };
        let id = self.id(place.index, state);
        // SAFETY: `LENT` was set, and this call has cleared it.
        let value = unsafe { move_out(&place, state) };
        Some(Completed { id, status, count, value })
    }

    /// Calls `act` with the address of an operation, if it is still in flight. Until `act`
    /// returns, the slot serves no other operation, even if this one completes meanwhile: so
    /// what `act` asks of the system for this address can not hit a newer operation.
    pub(super) fn while_lent<R>(
        &self,
        id: OperationId,
        act: impl FnOnce(*mut OVERLAPPED) -> R,
    ) -> Option<R> {
        let place = self.slots.get(id.index)?;
        // Several may name the same operation at once, each for a reason of its own, so one that
        // does nothing does not stand in the way of one that cancels.
        let is_meant = |state| state & LENT != 0 && self.id(id.index, state) == id;
        let pin = |state| {
            (is_meant(state) && state & MOST_PINS != MOST_PINS).then(|| state.wrapping_add(PIN))
        };
        while let Err(state) = place.slot.state.fetch_update(AcqRel, Relaxed, pin) {
            if !is_meant(state) {
                return None;
            }
            // Two thousand others name it at this moment, and each soon lets go.
            yield_now();
        }
        let pin = Pin { place };
        Some(act(pin.place.slot.overlapped()))
    }

    /// How many operations are in flight: those that are being submitted, and those whose packet has
    /// not been seen. Exact when no other thread submits or completes one meanwhile.
    pub(super) fn count(&self) -> usize {
        self.slots.not_ended()
    }

    /// From now on nothing is lent. What is reserved before is counted by whoever counts after.
    pub(super) fn close(&self) {
        self.closed.store(true, SeqCst);
    }

    /// The id of the operation in a slot of this state.
    #[inline]
    fn id(&self, index: u32, state: u64) -> OperationId {
        let generation = state & !USES | self.number >> 32 & USES;
        OperationId { index, table: self.number as u32, generation }
    }
}

/// Moves the value out of a slot, and frees the slot if nobody else uses it.
///
/// # Safety
///
/// * The caller has cleared `LENT`, which left `state`, and calls this once.
#[inline]
unsafe fn move_out<T>(place: &Place<'_, Slot<T>>, state: u64) -> T {
    // SAFETY: `reserve` wrote the value. Only the one who cleared `LENT` comes here, once,
    // and nobody refills the slot while it holds a value.
    let value = unsafe { place.slot.value().read() };
    // Only a slot that is lent gets pinned, and only one that is not begins a call: so when nobody
    // else used it at the moment when it was taken from the kernel, nobody does now.
    if state & USES == HOLDS_VALUE {
        recycle(place, state);
    } else {
        // The operation has ended, and whoever waits for the last one shall not wait for this.
        Slots::mark_ended(place);
        let_go(place, HOLDS_VALUE);
    }
    value
}

/// Ends one use of a slot. Whoever ends the last one is alone with the slot, and frees it.
#[inline]
fn let_go<T>(place: &Place<'_, Slot<T>>, used: u64) {
    let before = place.slot.state.fetch_sub(used, AcqRel);
    if before & USES == used {
        recycle(place, before);
    }
}

/// Called by the last one to let go of a slot, which is therefore alone with it.
#[inline]
fn recycle<T>(place: &Place<'_, Slot<T>>, state: u64) {
    place.slot.state.store((state & !USES).wrapping_add(GENERATION), Release);
    Slots::release(place);
}

impl<T> Drop for InFlight<T> {
    fn drop(&mut self) {
        // A slot still taken may be one that the kernel writes to. Memory that is leaked can be
        // written to for ever; memory that is freed is somebody else's.
        if self.slots.is_empty() {
            // SAFETY: dropped once, here, and not used after.
            unsafe { ManuallyDrop::drop(&mut self.slots) };
        }
    }
}

/// Keeps a slot from serving another operation.
struct Pin<'a, T> {
    place: Place<'a, Slot<T>>,
}

impl<T> Drop for Pin<'_, T> {
    fn drop(&mut self) {
        let_go(&self.place, PIN);
    }
}

#[cfg(test)]
mod tests;
