//! One slot of the table: an `OVERLAPPED`, the value that is lent with it, and a word that says whose
//! they are.

#![allow(unsafe_code, reason = "it shares memory with the kernel")]

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::sync::atomic::{AtomicU64, AtomicUsize};

use super::super::ffi::types::OVERLAPPED;
use super::super::slots::Zeroed;
use super::super::status::Status;

// The state of a slot: its generation above three bits.
/// The kernel has the slot, and its packet has not been seen.
pub(super) const LENT: u64 = 1;
/// The value is in the slot: whoever clears this bit has moved it out.
pub(super) const HOLDS_VALUE: u64 = 2;
/// Somebody is about to name this slot to the system, so it must not serve another operation.
pub(super) const PINNED: u64 = 4;
pub(super) const GENERATION_SHIFT: u32 = 3;

/// One operation. The `OVERLAPPED` stands first, so the address in a packet is the slot's.
#[repr(C)]
pub(super) struct Slot<T> {
    overlapped: UnsafeCell<OVERLAPPED>,
    pub(super) state: AtomicU64,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: zeros are a valid `OVERLAPPED`, the state "free, generation 0", and a `MaybeUninit` may
// be anything; none of the three does something when dropped.
unsafe impl<T> Zeroed for Slot<T> {}

// SAFETY: a slot moves a `T` from the thread that submits to the one that completes, so `T` must
// be `Send`. No two threads ever have `&T`: the value is touched by whoever took the slot until
// it is lent, and then by the one who cleared `LENT`. The pointers inside the `OVERLAPPED` are
// numbers to us.
unsafe impl<T: Send> Send for Slot<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Slot<T> {}

impl<T> Slot<T> {
    /// The address that the kernel is given.
    pub(super) fn overlapped(&self) -> *mut OVERLAPPED {
        self.overlapped.get()
    }

    pub(super) fn value(&self) -> *mut T {
        self.value.get().cast()
    }

    /// `OVERLAPPED.Internal`, the one field that is read while the kernel may write it.
    pub(super) fn internal(&self) -> &AtomicUsize {
        let overlapped = self.overlapped.get();
        // SAFETY: the pointer is to this slot's own `OVERLAPPED`.
        let field = unsafe { &raw mut (*overlapped).Internal };
        // SAFETY: the field is aligned and lives as long as the slot; this process touches it
        // only through this function, and the kernel writes it as one word.
        unsafe { AtomicUsize::from_ptr(field) }
    }

    pub(super) fn status(&self) -> Status {
        Status::from_internal(self.internal().load(Acquire))
    }

    /// Clears `LENT` if it is set and `belongs` agrees, and gives the state as it was. Of any
    /// number of threads that try, one succeeds, and what was lent is its alone.
    pub(super) fn take_from_kernel(&self, belongs: impl Fn(u64) -> bool) -> Option<u64> {
        let taken = |state| (state & LENT != 0 && belongs(state)).then_some(state & !LENT);
        self.state.fetch_update(AcqRel, Acquire, taken).ok()
    }
}
