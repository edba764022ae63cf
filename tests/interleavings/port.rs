//! Stands in the place of `src/port/completion_port.rs`: a queue of packets, in which the threads
//! of a model sleep as they do in the kernel, and which can refuse a packet as the system does that
//! has no memory for it.

#![allow(unsafe_code, reason = "a packet is made as the system makes it")]

use std::collections::VecDeque;
use std::io;
use std::mem::transmute;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::ffi::types::{OVERLAPPED, OVERLAPPED_ENTRY};
use super::{Deadline, Key, Packet};
use crate::plan::Access;
use crate::turns::{Gate, step};

#[derive(Debug, Default)]
pub struct CompletionPort {
    packets: Mutex<VecDeque<Packet>>,
    /// How many packets there are, in a place that the scheduler can look at.
    count: Arc<AtomicUsize>,
    posts: AtomicUsize,
    refused: Mutex<Range<usize>>,
}

impl CompletionPort {
    /// The posts of these numbers fail, whichever thread makes them. They are counted from 0, from
    /// now on.
    pub fn refuse(&self, posts: Range<usize>) {
        self.posts.store(0, SeqCst);
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = posts;
    }

    /// As the port's.
    ///
    /// # Safety
    ///
    /// * As of the port's.
    #[track_caller]
    pub unsafe fn post_overlapped(
        &self,
        key: Key,
        bytes: u32,
        overlapped: *mut OVERLAPPED,
    ) -> io::Result<()> {
        step("a post", self.access(), Gate::Open);
        let number = self.posts.fetch_add(1, SeqCst);
        if self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(&number) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.add(key, bytes, overlapped);
        Ok(())
    }

    /// What the system does when an operation has ended: it has kept the memory for that packet.
    #[track_caller]
    pub fn queue(&self, key: Key, overlapped: *mut OVERLAPPED) {
        step("a packet of the system", self.access(), Gate::Open);
        self.add(key, 0, overlapped);
    }

    fn add(&self, key: Key, bytes: u32, overlapped: *mut OVERLAPPED) {
        let entry = OVERLAPPED_ENTRY {
            lpCompletionKey: key.0,
            lpOverlapped: overlapped,
            Internal: 0,
            dwNumberOfBytesTransferred: bytes,
        };
        let mut packets = self.packets();
        // SAFETY: a packet is an entry, transparently.
        packets.push_back(unsafe { transmute::<OVERLAPPED_ENTRY, Packet>(entry) });
        self.count.store(packets.len(), SeqCst);
    }

    /// Takes out as many packets as are there and have room, and sleeps until there is one, or does
    /// not sleep at all: there is no time here.
    #[track_caller]
    pub(in super::super) fn dequeue_within(
        &self,
        packets: &mut Vec<Packet>,
        deadline: &Deadline,
    ) -> io::Result<usize> {
        if deadline.is_over() {
            step("a look into the port", self.access(), Gate::Open);
        } else {
            step("a wait in the port", self.access(), Gate::NotZero(Arc::clone(&self.count)));
        }
        let mut there = self.packets();
        let taken = there.len().min(packets.capacity() - packets.len());
        packets.extend(there.drain(..taken));
        self.count.store(there.len(), SeqCst);
        Ok(taken)
    }

    /// For a model, after its threads: how many packets there are.
    pub fn len(&self) -> usize {
        self.count.load(SeqCst)
    }

    fn access(&self) -> Access {
        Access::Write(Arc::as_ptr(&self.count).addr())
    }

    fn packets(&self) -> MutexGuard<'_, VecDeque<Packet>> {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
