//! The connections by their numbers, for all threads.
//!
//! A completion says by its key whose it is. Numbers are counted up and never used again, so one
//! that is looked up late, on another thread, finds nothing rather than somebody else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub struct Table<T> {
    next: AtomicUsize,
    /// Looked at for each completion, and changed for each connection.
    entries: RwLock<HashMap<usize, Arc<T>>>,
}

impl<T> Table<T> {
    pub fn new() -> Self {
        Self { next: AtomicUsize::new(1), entries: RwLock::default() }
    }

    /// A number for a new connection, from 1.
    pub fn new_number(&self) -> usize {
        self.next.fetch_add(1, Relaxed)
    }

    pub fn insert(&self, number: usize, entry: Arc<T>) {
        self.write().insert(number, entry);
    }

    pub fn get(&self, number: usize) -> Option<Arc<T>> {
        self.read().get(&number).cloned()
    }

    /// Returns the entry, so that what its drop does is done when the lock has been given back.
    pub fn remove(&self, number: usize) -> Option<Arc<T>> {
        self.write().remove(&number)
    }

    /// All at this moment.
    pub fn all(&self) -> Vec<(usize, Arc<T>)> {
        self.read().iter().map(|(number, entry)| (*number, Arc::clone(entry))).collect()
    }

    // Whoever panics with the lock in hand leaves a table that is whole, so it may be used on.

    fn read(&self) -> RwLockReadGuard<'_, HashMap<usize, Arc<T>>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<usize, Arc<T>>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}
