//! A buffer that says when it is dropped.

#![allow(unsafe_code, reason = "it is a buffer")]

use std::mem::MaybeUninit;
use std::sync::Arc;

use overlapped::Buffer;

use super::events::{Events, Whose};

pub struct Seen {
    bytes: Vec<u8>,
    events: Arc<Events>,
}

impl Seen {
    pub fn with_capacity(capacity: usize, events: &Arc<Events>) -> Self {
        Self { bytes: Vec::with_capacity(capacity), events: Arc::clone(events) }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.events.say(Whose::Nobody, "the buffer is dropped");
    }
}

// SAFETY: the methods are those of the vector, which nothing else can reach; the list of events is
// no part of it.
unsafe impl Buffer for Seen {
    fn filled(&self, part: usize) -> &[u8] {
        self.bytes.filled(part)
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        self.bytes.spare(part)
    }

    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.bytes.advance(count) }
    }
}
