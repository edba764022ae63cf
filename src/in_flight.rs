//! The table of operations that the kernel works on: the unsafe heart of the crate, without one
//! system call in it.
//!
//! The documentation of [`OperationId`] tells how it works.

#![cfg_attr(
    not(windows),
    allow(dead_code, unused_imports, reason = "tested everywhere, used on Windows")
)]
#![allow(unsafe_code, reason = "it hands memory to the kernel and takes it back")]

mod lending;
mod slot;
mod slots;

use std::fmt;
use std::mem::ManuallyDrop;

use super::ffi::types::OVERLAPPED;
use super::status::Status;
use super::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use super::sync::{AtomicBool, AtomicU64, yield_now};

pub(super) use self::lending::{Lent, Reserved, Vacant};
pub(super) use self::slot::{Annex, mark_ended};
use self::slot::{ENDED, GENERATION, HOLDS_VALUE, LENT, MAX_PINS, PIN, Slot, USES};
use self::slots::{SlotRef, Slots};

/// Says which operation is meant. No two operations have the same id, also not one after the other.
/// An id whose operation has ended, or that is of another queue, is accepted everywhere and has no
/// effect.
///
/// # Where operations live
///
/// How the crate does it; nothing of this is needed to use an id.
///
/// A submitted operation lends the kernel two things: an
/// [`OVERLAPPED`](super::ffi::types::OVERLAPPED), in which the system writes how it ended, and a
/// buffer. Both stay the kernel's until a packet with the address of the `OVERLAPPED` comes out of
/// the port. In between, nothing in this process may move, read or free them, whatever becomes of
/// the objects that a program holds. So they are in a table, each in a *slot*, which never moves.
/// An operation goes this way, and so does what is lent for it:
///
/// 1. It is the *caller's*, until `take_slot` and `fill` have moved it into a slot.
/// 2. It is *reserved*: the caller can still look at it, and dropping it frees the slot.
/// 3. It is the *kernel's*, from `lend` on. If no packet comes of it, `take_back` or `take_done`
///    makes it the caller's.
/// 4. It is *claimed*, by `claim`, when its packet has come.
/// 5. It is the caller's again: `collect` moves it out of the slot.
///
/// An operation is *claimed* when its packet has been dequeued: from then on it is in flight no
/// more, and what was lent waits in its slot for the one who has claimed it. Only *collecting*
/// moves the value out, and a value can have code of the caller's, which may panic; claiming runs
/// none.
///
/// The packet can be dequeued, on another thread, before the system call that was given the slot
/// returns, and until it returns that call may write: success at once updates the flags and the
/// count. So a slot serves its next operation only when its value is out *and* the call is back.
///
/// Each slot has a *generation*, counted up when an operation leaves it, and an
/// id names slot and generation. An id is therefore good for one operation alone,
/// though the slot serves many. Generations have 50 bits: at ten million operations a second in
/// one slot, more than system calls allow, they last three years and a half.
///
/// A packet is believed only after three questions, none of which reads through its address:
/// does a slot of ours begin there, is that slot lent, and has the system written a final status
/// in it? The last one turns away a forged or outdated packet that hits a slot in use. What no
/// system ends, a wait say, is marked as ended and then ended by a packet of ours, with the odd
/// address one byte further on, and by no other; there the last question is for the mark.
///
/// Cost, when nobody contends: submitting takes a slot, makes it the kernel's, and ends the call;
/// completing claims the slot and releases it. Each of these five is one atomic instruction. The
/// module needs atomics of 64 bits, and nothing else from the target; so it is tested, with
/// sanitizers, on systems that have no completion ports.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationId {
    /// The number of the slot, and above it the low 32 bits of the table's number.
    slot: u64,
    /// The generation, as it stands in the state of a slot, and below it the rest of the number.
    generation: u64,
}

impl OperationId {
    /// The number of the slot, a good guess for where the next operation finds a free one.
    #[inline]
    pub(super) fn slot(self) -> u32 {
        self.slot as u32
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationId")
            .field("index", &self.slot())
            .field("generation", &(self.generation / GENERATION))
            .finish_non_exhaustive()
    }
}

/// The operations in flight, each with a value of `T` that is lent along with it.
pub(super) struct InFlight<T> {
    /// Freed only when no slot is taken; see `drop`.
    slots: ManuallyDrop<Slots<Slot<T>>>,
    /// For each slot that has needed one. They are freed with the slots.
    annexes: ManuallyDrop<Slots<Annex>>,
    closed: AtomicBool,
    /// No two tables have the same: 46 bits of it are in an id, enough for a table a microsecond
    /// during two years.
    number: u64,
}

/// An operation whose packet has come, and whose value still rests in its slot.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    /// The address of the slot's group, which stays for as long as the table does.
    pub(super) group: *const (),
    /// The number of the slot.
    pub(super) index: u32,
}

impl Claim {
    #[inline]
    fn of<T>(place: SlotRef<'_, Slot<T>>) -> Self {
        let (group, index) = place.into_raw();
        Self { group, index }
    }
}

/// An operation that has ended, and what was lent for it.
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
        let (slots, annexes) = (Slots::new(), Slots::new());
        let (slots, annexes) = (ManuallyDrop::new(slots), ManuallyDrop::new(annexes));
        Self { slots, annexes, closed: AtomicBool::new(false), number }
    }

    /// Takes a slot, number `hint` or near it if one is free there. `None` when there is no memory
    /// for one more.
    #[inline]
    pub(super) fn take_slot(&self, hint: u32) -> Option<Vacant<'_, T>> {
        Some(Vacant::new(self, self.slots.take(hint)?))
    }

    /// Claims the operation of a packet. `None` means that the packet is not one of ours, and that
    /// nothing was read through its address.
    ///
    /// # Safety
    ///
    /// * `packet` came out of the port on which this table's operations complete. (An address
    ///   from elsewhere is turned away unless it is that of an operation which has its final
    ///   status, or the odd one of an operation that is marked as ended, and whose real packet is
    ///   still to come.)
    #[inline]
    pub(super) unsafe fn claim(&self, packet: *mut OVERLAPPED) -> Option<Claim> {
        let Some(place) = self.slots.find(packet.addr()) else { return self.claim_ended(packet) };
        let is_over = |state| state & ENDED == 0 && place.slot().status() != Status::PENDING;
        place.slot().take_from_kernel(0, is_over)?;
        Some(Claim::of(place))
    }

    /// Claims the operation of a packet of ours, which has an odd address.
    #[cold]
    fn claim_ended(&self, packet: *mut OVERLAPPED) -> Option<Claim> {
        let place = self.slots.find(packet.addr().wrapping_sub(1))?;
        place.slot().take_ended()?;
        Some(Claim::of(place))
    }

    /// What was lent for an operation that was claimed, where it rests.
    ///
    /// # Safety
    ///
    /// * `claim` is what this table has answered to `claim`, and nobody collects it meanwhile.
    #[inline]
    pub(super) unsafe fn claimed(&self, claim: Claim) -> &T {
        // SAFETY: the caller vouches that the group is one of this table.
        let place = unsafe { SlotRef::<Slot<T>>::from_raw(claim.group, claim.index) };
        // SAFETY: `fill` wrote the value, and whoever has claimed the operation is its only owner.
        unsafe { &*place.slot().value() }
    }

    /// Moves out what was lent for an operation that was claimed, and gives its slot back.
    ///
    /// # Safety
    ///
    /// * `claim` is what this table has answered to `claim`, and nobody else collects it.
    #[inline]
    pub(super) unsafe fn collect(&self, claim: Claim) -> Completed<T> {
        // SAFETY: the caller vouches that the group is one of this table.
        let place = unsafe { SlotRef::<Slot<T>>::from_raw(claim.group, claim.index) };
        let (slot, overlapped) = (place.slot(), place.slot().overlapped());
        // SAFETY: the kernel is done with the operation when its packet has been dequeued, and
        // whoever has claimed it is its only owner.
        let count = unsafe { (*overlapped).InternalHigh };
        let (state, status) = (slot.state.load(Acquire), slot.status());
        // SAFETY: the claim cleared `LENT`, and is collected once.
        let value = unsafe { move_out(place, state) };
        Completed { id: self.id(place.index, state), status, count, value }
    }

    /// What is in the annex of an operation that was claimed. Zeros if it was given none.
    ///
    /// # Safety
    ///
    /// * `claim` is what this table has answered to `claim`, and nobody collects it meanwhile.
    pub(super) unsafe fn annex(&self, claim: Claim) -> [u64; 4] {
        let Some(place) = self.annexes.get(claim.index) else { return [0; 4] };
        // Volatile: a call that has not returned may write there again what it has written, so
        // this is read once and no more.
        // SAFETY: until the operation is collected the annex is its own, and the kernel is done
        // with it, says the packet.
        unsafe { place.slot().as_ptr().read_volatile() }
    }

    /// Calls `act` with the address of an operation, if it is still in flight. Until `act`
    /// returns, the slot serves no other operation, even if this one completes meanwhile: so
    /// what `act` asks of the system for this address can not hit a newer operation.
    pub(super) fn while_lent<R>(
        &self,
        id: OperationId,
        act: impl FnOnce(*mut OVERLAPPED) -> R,
    ) -> Option<R> {
        let place = self.slots.get(id.slot())?;
        // Several may name the same operation at once, each for a reason of its own, so one that
        // does nothing does not stand in the way of one that cancels.
        let is_meant = |state| state & LENT != 0 && self.id(id.slot(), state) == id;
        let pin = |state| {
            (is_meant(state) && state & MAX_PINS != MAX_PINS).then(|| state.wrapping_add(PIN))
        };
        while let Err(state) = place.slot().state.fetch_update(AcqRel, Relaxed, pin) {
            if !is_meant(state) {
                return None;
            }
            // A thousand others name it at this moment, and each soon lets go.
            yield_now();
        }
        let pin = Pin { place };
        Some(act(pin.place.slot().overlapped()))
    }

    /// How many operations are in flight: lent, and not claimed. Exact when no other thread submits
    /// or completes one meanwhile.
    pub(super) fn count(&self) -> usize {
        self.slots.taken().filter(|slot| slot.is_lent()).count()
    }

    /// Whether the count is 0.
    pub(super) fn is_empty(&self) -> bool {
        !self.slots.taken().any(Slot::is_lent)
    }

    /// From now on nothing is lent. What was lent before is counted by whoever counts after.
    pub(super) fn close(&self) {
        self.closed.store(true, SeqCst);
    }

    /// The id of the operation in a slot of this state.
    #[inline]
    fn id(&self, index: u32, state: u64) -> OperationId {
        let generation = state & !USES | self.number >> 32 & USES;
        OperationId { slot: self.number << 32 | u64::from(index), generation }
    }
}

/// Moves the value out of a slot, and gives the slot back if nobody else uses it.
///
/// # Safety
///
/// * `LENT` is clear since the caller, or whoever gave it the claim, has cleared it, and `state`
///   was read after that. This is called once.
#[inline]
unsafe fn move_out<T>(place: SlotRef<'_, Slot<T>>, state: u64) -> T {
    // SAFETY: `fill` wrote the value. Only the one who cleared `LENT` comes here, once,
    // and nobody refills the slot while it holds a value.
    let value = unsafe { place.slot().value().read() };
    // Only a slot that is lent gets pinned, and only one that is not begins a call: so when nobody
    // else used it at a moment after it was taken from the kernel, nobody does now.
    if state & USES == HOLDS_VALUE {
        recycle(place, state);
    } else {
        let_go(place, HOLDS_VALUE);
    }
    value
}

/// Ends one use of a slot. Whoever ends the last one is alone with the slot, and frees it.
#[inline]
fn let_go<T>(place: SlotRef<'_, Slot<T>>, used: u64) {
    let before = place.slot().state.fetch_sub(used, AcqRel);
    if before & USES == used {
        recycle(place, before);
    }
}

/// Called by the last one to let go of a slot, which is therefore alone with it.
#[inline]
fn recycle<T>(place: SlotRef<'_, Slot<T>>, state: u64) {
    place.slot().state.store((state & !USES).wrapping_add(GENERATION), Release);
    place.release();
}

impl<T> Drop for InFlight<T> {
    fn drop(&mut self) {
        // A slot still taken may be one that the kernel writes to. Memory that is leaked can be
        // written to for ever; memory that is freed is somebody else's.
        if self.slots.taken().next().is_none() {
            // SAFETY: dropped once, here, and not used after.
            unsafe { ManuallyDrop::drop(&mut self.slots) };
            // SAFETY: as above.
            unsafe { ManuallyDrop::drop(&mut self.annexes) };
        }
    }
}

/// Keeps a slot from serving another operation.
struct Pin<'a, T> {
    place: SlotRef<'a, Slot<T>>,
}

impl<T> Drop for Pin<'_, T> {
    fn drop(&mut self) {
        let_go(self.place, PIN);
    }
}

#[cfg(test)]
mod tests;
