//! Deadlines, of which the earliest is at hand.
//!
//! Nothing is taken out of the middle of the heap when a question has been answered. Its entry stays
//! until it comes to the top, and then whoever asks for the earliest says that it does not count.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

pub struct Deadlines<T> {
    /// The largest is on top of a heap, and the reverse of it is the earliest. Of those at the same
    /// moment the smallest is.
    heap: BinaryHeap<Reverse<(Instant, T)>>,
}

impl<T: Ord + Copy> Deadlines<T> {
    pub fn new() -> Self {
        Self { heap: BinaryHeap::new() }
    }

    pub fn insert(&mut self, moment: Instant, whose: T) {
        self.heap.push(Reverse((moment, whose)));
    }

    /// The earliest moment of those that count, and so how long to wait. Drops what it passes over.
    pub fn earliest(&mut self, counts: impl Fn(Instant, T) -> bool) -> Option<Instant> {
        while let Some(&Reverse((moment, whose))) = self.heap.peek() {
            if counts(moment, whose) {
                return Some(moment);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes out one of those that count and whose moment has come, the earliest of them.
    pub fn next_due(&mut self, now: Instant, counts: impl Fn(Instant, T) -> bool) -> Option<T> {
        if self.earliest(counts)? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, whose))| whose)
    }
}
