//! Memory that a call is given to write an address to, used again and again.
//!
//! The call can write to it until it returns, and the one who reads what the operation has left
//! there may do so before. So a room has two references while an operation is in flight, that of
//! the operation and that of the function that makes the call, and serves the next one when both
//! are gone.

#![cfg(windows)]

use std::sync::{Arc, Mutex, PoisonError};

/// The rooms of a registration: as many as it has ever had operations in flight at once.
pub(crate) struct Rooms<R> {
    ring: Mutex<Ring<R>>,
}

struct Ring<R> {
    rooms: Vec<Arc<R>>,
    /// Where to look first: operations end in about the order in which they began, so this one has
    /// been in use for longest.
    next: usize,
}

impl<R> Default for Rooms<R> {
    fn default() -> Self {
        Self { ring: Mutex::new(Ring { rooms: Vec::new(), next: 0 }) }
    }
}

impl<R> Rooms<R> {
    /// One that nobody else uses: neither an operation in flight, nor a call that has not returned.
    /// If there is none, it is made.
    pub(crate) fn take(&self, make: impl FnOnce() -> R) -> Arc<R> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let Ring { rooms, next } = &mut *ring;
        let (behind, before) = rooms.split_at_mut(*next);
        let is_free = |room: &mut Arc<R>| Arc::get_mut(room).is_some();
        let place = match before.iter_mut().position(is_free) {
            Some(place) => Some(*next + place),
            None => behind.iter_mut().position(is_free),
        };
        let place = place.unwrap_or_else(|| {
            rooms.push(Arc::new(make()));
            rooms.len() - 1
        });
        *next = (place + 1) % rooms.len();
        Arc::clone(&rooms[place])
    }
}
