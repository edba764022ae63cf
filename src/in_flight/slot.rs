//! One slot of the table: an `OVERLAPPED`, the value that is lent with it, two words for what a
//! call reports besides, and a word that says whose they are.

#![allow(unsafe_code, reason = "it shares memory with the kernel")]

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use super::super::ffi::ntstatus::STATUS_PENDING;
use super::super::ffi::types::OVERLAPPED;
use super::super::status::Status;
use super::super::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use super::super::sync::{AtomicU32, AtomicU64, AtomicUsize};
use super::slots::Zeroed;

// The state of a slot: its generation above fourteen bits. A slot that is taken serves its next
// operation when all of them are clear, and whoever clears the last one releases it.
/// The kernel has the slot, and nobody has claimed it by its packet.
pub(super) const LENT: u64 = 1;
/// The value is in the slot: whoever clears this bit has moved it out.
pub(super) const HOLDS_VALUE: u64 = 2;
/// The system call that was given this slot has not returned, and may still write to it.
pub(super) const IN_CALL: u64 = 4;
/// A packet of ours ends the operation, and no other.
pub(super) const ENDED: u64 = 8;
/// How many threads are about to name this slot to the system, counted in steps of this.
pub(super) const PIN: u64 = 16;
pub(super) const MAX_PINS: u64 = 0x3FF0;
/// One more generation.
pub(super) const GENERATION: u64 = 0x4000;
/// All but the generation.
pub(super) const USES: u64 = GENERATION - 1;

/// One operation. The `OVERLAPPED` stands first, so the address in a packet is the slot's.
#[repr(C)]
pub(super) struct Slot<T> {
    overlapped: UnsafeCell<OVERLAPPED>,
    pub(super) state: AtomicU64,
    reported: Reported,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// What a call writes besides the `OVERLAPPED`: at any moment until it returns, even when the
/// packet of its operation has been dequeued. So these words serve for nothing else as long as it
/// has not returned. Threads use them in turns, in an order that the state gives them; they are
/// atomics because these can be written without more ado.
#[repr(C)]
struct Reported {
    count: AtomicU32,
    /// Of an operation that we end: its status.
    flags: AtomicU32,
}

/// Memory beside a slot, for operations that are told more than fits in it: an address. It is used
/// as long as the slot is, so what a call writes there, even late, is never another operation's.
#[repr(C)]
pub(crate) struct Annex(UnsafeCell<[u64; 4]>);

impl Annex {
    pub(crate) fn as_ptr(&self) -> *mut [u64; 4] {
        self.0.get()
    }
}

// SAFETY: four numbers, of which zeros are a value.
unsafe impl Zeroed for Annex {}

// SAFETY: it is used by whoever has taken its slot, and by the kernel that was given it, in turns.
unsafe impl Sync for Annex {}

// SAFETY: zeros are a valid `OVERLAPPED`, the state "free, generation 0", and two numbers, and a
// `MaybeUninit` may be anything; none of them does something when dropped.
unsafe impl<T> Zeroed for Slot<T> {}

// SAFETY: a slot moves a `T` from the thread that submits to the one that completes, so `T` must
// be `Send`. No two threads ever have `&T`: the value is touched by whoever took the slot until
// it is lent, and then by the one who cleared `LENT`. The words that a call reports in are touched
// by the thread that makes the call, and by the call; of an operation that we end one of them is
// written by whoever ends it, and then read by the one who cleared `LENT`, and they are atomics. The
// pointers inside the `OVERLAPPED` are numbers to us.
unsafe impl<T: Send> Send for Slot<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Slot<T> {}

impl<T> Slot<T> {
    /// The address that the kernel is given. It is made of the whole slot, for by it
    /// [`mark_ended`] finds the rest.
    pub(super) fn overlapped(&self) -> *mut OVERLAPPED {
        (&raw const *self).cast_mut().cast()
    }

    /// Where a call reports how many bytes it has moved, if that is asked of it.
    pub(super) fn count(&self) -> *mut u32 {
        self.reported.count.as_ptr()
    }

    /// Where a call reads and writes flags.
    pub(super) fn flags(&self) -> *mut u32 {
        self.reported.flags.as_ptr()
    }

    /// What the call has reported there, which has returned.
    pub(super) fn counted(&self) -> u32 {
        self.reported.count.load(Relaxed)
    }

    pub(super) fn value(&self) -> *mut T {
        self.value.get().cast()
    }

    /// Makes the memory that a call is given as new, for a place in a file. `Internal` is written
    /// as an atomic, since a stray packet can lead another thread to this field at any time; a
    /// packet that comes while it says "pending" is not the system's.
    ///
    /// # Safety
    ///
    /// * The caller has taken the slot, and the kernel does not have it.
    #[inline]
    pub(super) unsafe fn prepare(&self, offset: u64) {
        self.internal().store(STATUS_PENDING as usize, Relaxed);
        let overlapped = self.overlapped();
        // SAFETY: this slot's own `OVERLAPPED`, which is the caller's alone.
        unsafe { (*overlapped).InternalHigh = 0 };
        // Of a socket they are 0: service providers may leave something there, says Microsoft, and
        // a call finds it.
        // SAFETY: as above.
        unsafe { (*overlapped).Offset = offset as u32 };
        // SAFETY: as above.
        unsafe { (*overlapped).OffsetHigh = (offset >> 32) as u32 };
        self.reported.count.store(0, Relaxed);
        self.reported.flags.store(0, Relaxed);
    }

    /// `OVERLAPPED.Internal`, the one field that is read while the kernel may write it.
    pub(super) fn internal(&self) -> &AtomicUsize {
        // SAFETY: this slot's own `OVERLAPPED`, which lives as long as the slot.
        unsafe { internal(self.overlapped()) }
    }

    pub(super) fn status(&self) -> Status {
        Status::from_internal(self.internal().load(Acquire))
    }

    /// What a call that has failed leaves, if that is all that comes of the operation.
    ///
    /// What was refused before it began still reads "pending". What has failed in the kernel at
    /// once can read as an error, the one case in which the status is written without a packet,
    /// says Microsoft. Anything else, a warning or a success, has run, and ends with a packet even
    /// when the call says that it has failed, as with a datagram that was cut. (If there is no
    /// memory for that packet, the layer posts one.)
    pub(super) fn is_refused(&self) -> bool {
        let status = self.status();
        status == Status::PENDING || status.is_error()
    }

    /// Whether the kernel has the slot, and nobody has claimed it.
    pub(super) fn is_lent(&self) -> bool {
        self.state.load(SeqCst) & LENT != 0
    }

    /// Clears `LENT`, and with it `ENDED` and `also`, if it is set and `belongs` agrees, and gives
    /// the state as it is then. Of any number of threads that try, one succeeds, and what was lent
    /// is its alone.
    #[inline]
    pub(super) fn take_from_kernel(&self, also: u64, belongs: impl Fn(u64) -> bool) -> Option<u64> {
        let taken = |state: u64| state & !(LENT | ENDED | also);
        let take = |state| (state & LENT != 0 && belongs(state)).then(|| taken(state));
        // Sequentially consistent, so that of two threads, one that takes the last operation and
        // then looks who waits, and one that waits and then looks whether there is one, either sees
        // the other.
        self.state.fetch_update(SeqCst, Acquire, take).ok().map(taken)
    }

    /// Takes an operation of which [`mark_ended`] has said how it ended, and writes that where the
    /// kernel would have.
    pub(super) fn take_ended(&self) -> Option<u64> {
        let state = self.take_from_kernel(0, |state| state & ENDED != 0)?;
        self.internal().store(self.reported.flags.load(Relaxed) as usize, Release);
        Some(state)
    }
}

/// The field of an `OVERLAPPED` in which the status is written.
///
/// # Safety
///
/// * The `OVERLAPPED` is that of a slot, which lives for `'a`.
unsafe fn internal<'a>(overlapped: *mut OVERLAPPED) -> &'a AtomicUsize {
    // SAFETY: the caller vouches that the pointer is to the `OVERLAPPED` of a slot.
    let field = unsafe { &raw mut (*overlapped).Internal };
    // SAFETY: the field is aligned and lives as long as the slot; this process touches it only
    // through this function, and the kernel writes it as one word.
    unsafe { AtomicUsize::from_ptr(field) }
}

/// Says how an operation has ended that the kernel does not have, and gives the address for the
/// packet that is to end it: one within the slot, which is odd. It can be said again, and otherwise.
/// `None` if the operation is in flight no more.
///
/// The status is not written into the `OVERLAPPED`. For a stray packet with that address would end
/// the operation then, also one whose own packet could not be posted; and whoever has failed to post
/// it would go on with an operation that is over. From now on only the packet of ours ends it.
///
/// # Safety
///
/// * The `OVERLAPPED` is that of an operation which is lent, or the call that was given it has not
///   been said to be over. The kernel does not work on it, now or later, and no call writes to it.
/// * Nobody else says how it has ended.
pub(crate) unsafe fn mark_ended(
    overlapped: *mut OVERLAPPED,
    status: Status,
) -> Option<*mut OVERLAPPED> {
    // What stands before the value stands there whatever the value is.
    // SAFETY: the pointer is made of a slot, which stays while its operation is lent or in a call.
    let slot = unsafe { &*overlapped.cast::<Slot<()>>() };
    slot.reported.flags.store(status.to_internal() as u32, Relaxed);
    let mark = |state| (state & LENT != 0).then_some(state | ENDED);
    slot.state.fetch_update(AcqRel, Relaxed, mark).ok()?;
    Some(overlapped.wrapping_byte_add(1))
}
