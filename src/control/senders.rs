//! Those that send packets without an operation, and are known by their keys: jobs.
//!
//! In the packet of a job the number of a process stands where the address of an operation stands
//! in others, and it can be the address of a slot. So such a packet is known by its key, before
//! anybody looks for a slot. The key is made for this: it is an address inside a [`Sender`],
//! memory that is given to nobody else as long as the port is there, and is never used for a
//! second sender. What the program calls the job is in there.
//!
//! A program may use every key itself, and often uses addresses of its own: of what it keeps for a
//! connection, say, and frees with it, while packets under that key are still to come. The
//! sender's memory can be that memory. So the key is not its address but one in the middle of a
//! word, which is that of nothing. (A program that puts the mark 5 into the lowest bits of such an
//! address, frees the memory, and then registers a job, can have the job's key. It gets the packets
//! under that key as messages of the job then, and the queue does not end what they are of.) And
//! should a program find such a key out, its handles are associated under
//! [another](Senders::key_in_port), and what it posts is known by the marks, which are odd: the
//! numbers of processes are multiples of four.
//!
//! Senders stand in blocks, each twice as large as the one before, which never move. So a key is
//! looked for by comparing it with a few ranges, without a lock, and only where there has been a
//! sender: until then that is one load and a branch.
//!
//! The atomics are not those of `sync`: a model in `tests/interleavings` has no senders, and would
//! be explored in more orders that make no difference.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, PoisonError};

use super::super::port::Key;

/// How many senders the first block has.
const FIRST: usize = 8;
/// Where in a sender its key points to.
const WITHIN: usize = 5;
/// Blocks of 8, 16, 32, ...: more than there are numbers for processes.
const BLOCKS: usize = 28;

/// One who sends packets under a key of its own.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    key: AtomicUsize,
    /// Whether its registration is there: not before, and not after.
    is_there: AtomicBool,
}

/// All there have been at this port.
#[derive(Debug)]
pub(crate) struct Senders {
    blocks: [OnceLock<Box<[Sender]>>; BLOCKS],
    /// How many have been given out.
    given: Mutex<usize>,
}

impl Senders {
    pub(super) const fn new() -> Self {
        Self { blocks: [const { OnceLock::new() }; BLOCKS], given: Mutex::new(0) }
    }

    /// Whether there has been one.
    #[inline]
    pub(crate) fn is_used(&self) -> bool {
        self.blocks[0].get().is_some()
    }

    /// A new one, whose packets are delivered under this key, and the key that these packets have
    /// in the port.
    pub(crate) fn add(&self, key: Key) -> io::Result<Key> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        // Blocks before number `k` have `FIRST * (2^k - 1)` senders.
        let k = (*given / FIRST + 1).ilog2() as usize;
        let within = *given - FIRST * ((1 << k) - 1);
        let block = self.blocks.get(k).ok_or_else(too_many)?;
        let sender = &block.get_or_init(|| senders(FIRST << k))[within];
        sender.key.store(key.0, Relaxed);
        sender.is_there.store(true, Release);
        *given += 1;
        const { assert!(WITHIN < size_of::<Sender>()) };
        Ok(Key((&raw const *sender).addr() + WITHIN))
    }

    /// The key under which a handle is associated with the port that the program calls by this one.
    /// It is the same if that is not a sender's. Completions have the key from their registration,
    /// and only what is foreign has that of the port.
    pub(crate) fn key_in_port(&self, key: Key) -> Key {
        if self.find(key).is_some() { Key(0) } else { key }
    }

    /// Nothing more is delivered of the one whose packets have this key.
    pub(crate) fn leave(&self, internal: Key) {
        if let Some(sender) = self.find(internal) {
            sender.is_there.store(false, Release);
        }
    }

    /// Whose packet it is that has this key, if it is a sender's.
    #[inline(never)]
    pub(crate) fn find(&self, internal: Key) -> Option<&Sender> {
        self.blocks.iter().map_while(OnceLock::get).find_map(|block| {
            let offset = internal.0.wrapping_sub(block.as_ptr().addr() + WITHIN);
            (offset % size_of::<Sender>() == 0).then(|| block.get(offset / size_of::<Sender>()))?
        })
    }
}

impl Sender {
    /// The key that the program knows it by. None when its registration is gone.
    pub(crate) fn key(&self) -> Option<Key> {
        self.is_there.load(Acquire).then(|| Key(self.key.load(Relaxed)))
    }
}

fn senders(count: usize) -> Box<[Sender]> {
    (0..count).map(|_| Sender::default()).collect()
}

#[cold]
fn too_many() -> io::Error {
    let many = "this queue has had two billion jobs, and can have no more; make a new queue";
    io::Error::new(io::ErrorKind::OutOfMemory, many)
}
