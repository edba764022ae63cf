//! Stands in the place of `src/port.rs`: a queue of packets, in which the threads of a model sleep as
//! they do in the kernel, and which can refuse a packet as the system does that has no memory for it.

#![allow(unsafe_code, reason = "posting an address is unsafe, as it is with the port")]

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ffi::types::OVERLAPPED;
use crate::baton::{Gate, step};
use crate::plan::Access;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub usize);

/// A packet: the address alone, for the rest has no part in what is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    overlapped: usize,
}

impl Packet {
    pub fn overlapped(&self) -> *mut OVERLAPPED {
        std::ptr::without_provenance_mut(self.overlapped)
    }
}

#[derive(Debug, Default)]
pub struct CompletionPort {
    packets: Mutex<VecDeque<Packet>>,
    /// How many packets there are, in a place that the scheduler can look at.
    count: Arc<AtomicUsize>,
    refused: AtomicUsize,
}

impl CompletionPort {
    /// So many of the posts that come next fail, whichever thread makes them.
    pub fn refuse(&self, posts: usize) {
        self.refused.store(posts, SeqCst);
    }

    /// As the port's.
    ///
    /// # Safety
    ///
    /// * As of the port's.
    #[track_caller]
    pub unsafe fn post_overlapped(
        &self,
        _key: Key,
        _bytes: u32,
        overlapped: *mut OVERLAPPED,
    ) -> io::Result<()> {
        step("a post", self.access(), Gate::Open);
        if self.refused.load(SeqCst) > 0 {
            self.refused.fetch_sub(1, SeqCst);
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let mut packets = self.packets();
        packets.push_back(Packet { overlapped: overlapped.addr() });
        self.count.store(packets.len(), SeqCst);
        Ok(())
    }

    /// Sleeps until there is a packet, and takes out as many as there are, but no more than `most`.
    #[track_caller]
    pub fn dequeue(&self, most: usize) -> Vec<Packet> {
        step("a wait in the port", self.access(), Gate::NotZero(Arc::clone(&self.count)));
        self.take(most)
    }

    /// As `dequeue`, for a caller that does not sleep.
    #[track_caller]
    pub fn dequeue_at_once(&self, most: usize) -> Vec<Packet> {
        step("a look into the port", self.access(), Gate::Open);
        self.take(most)
    }

    fn take(&self, most: usize) -> Vec<Packet> {
        let mut packets = self.packets();
        let taken = packets.len().min(most);
        let taken = packets.drain(..taken).collect();
        self.count.store(packets.len(), SeqCst);
        taken
    }

    fn access(&self) -> Access {
        Access::Write(Arc::as_ptr(&self.count).addr())
    }

    fn packets(&self) -> MutexGuard<'_, VecDeque<Packet>> {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
