//! What the models of the table have in common: they play the kernel, and look at what comes back.

#![allow(unsafe_code, reason = "it writes in place of the kernel")]

use std::sync::atomic::Ordering::Release;

use super::super::ffi::types::OVERLAPPED;
use super::super::in_flight::{InFlight, Lent};
use super::super::sync::AtomicUsize;

pub const SUCCESS: usize = 0;
pub const RESET: usize = 0xC000_020D;

/// Lent in place of a buffer: a number, by which it is known again.
pub type Table = InFlight<u32>;

/// The address of an operation, which goes from thread to thread as it does in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub *mut OVERLAPPED);

// SAFETY: it is used as the kernel uses it: the memory is written to while it is lent, and else
// compared.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

impl Address {
    pub fn of(lent: &Lent<'_, u32>) -> Self {
        Self(lent.overlapped())
    }

    /// What the system does at the end of an operation, before it queues the packet.
    pub fn end(self, status: usize) {
        // SAFETY: the operation is in flight, so its slot is there, and the model is its kernel.
        unsafe { (*self.0).InternalHigh = 0 };
        // SAFETY: as above.
        let internal = unsafe { &raw mut (*self.0).Internal };
        // SAFETY: the field is aligned, and everybody touches it as an atomic.
        unsafe { AtomicUsize::from_ptr(internal) }.store(status, Release);
    }
}

/// Makes an operation the kernel's, in slot `hint` if it is free. `None` if the table is closed.
#[track_caller]
pub fn lend(table: &Table, hint: u32, value: u32) -> Option<Lent<'_, u32>> {
    table.take_slot(hint).expect("there is memory").fill(value).lend(0).ok()
}

/// The same, by a call that has returned.
#[track_caller]
pub fn submit(table: &Table, hint: u32, value: u32) -> Option<Address> {
    lend(table, hint, value).map(|lent| Address::of(&lent))
}

/// What a thread does that has dequeued a packet: the value comes out, if it is the table's.
#[track_caller]
pub fn complete(table: &Table, packet: Address) -> Option<u32> {
    // SAFETY: what the model has not ended is turned away, and what it has ended it touches no
    // more.
    let claim = unsafe { table.claim(packet.0) }?;
    // SAFETY: it is this table's, and was given to this call alone.
    Some(unsafe { table.collect(claim) }.value)
}

/// After the threads: the system ends what is in flight, and its packets are dequeued.
pub fn clean_up(table: &Table, in_flight: impl IntoIterator<Item = Address>) {
    for address in in_flight {
        address.end(SUCCESS);
        assert!(complete(table, address).is_some(), "it was in flight");
    }
    assert_eq!(table.count(), 0, "nothing is left");
}

/// After the threads, in a table with nothing in flight: the first slot, whose address this is,
/// serves the next operation.
pub fn is_free(table: &Table, first: Address) {
    assert_eq!(submit(table, 0, 9), Some(first), "nobody uses the slot any more");
    clean_up(table, [first]);
}
