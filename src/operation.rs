//! What is lent to the kernel along with an `OVERLAPPED`, and what becomes of it.

#![allow(unsafe_code, reason = "it counts received bytes as filled")]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};

use super::buffer::Buffer;
use super::completion::Completion;
use super::in_flight::Completed;
use super::port::Key;

/// What an operation knows of the registration that submitted it. The registration holds one
/// reference and each operation in flight another, so the count says how many there are.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) key: Key,
    gone: AtomicBool,
}

impl Owner {
    pub(super) fn new(key: Key) -> Arc<Self> {
        Arc::new(Self { key, gone: AtomicBool::new(false) })
    }

    /// The registration is being dropped: nothing is said under its key from now on.
    pub(super) fn leave(&self) {
        self.gone.store(true, Release);
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Acquire)
    }
}

/// One operation, at its place in the table while the kernel has it.
pub(super) struct Operation<B> {
    pub(super) owner: Arc<Owner>,
    /// `WSARecv` reads the flags here, and may write them when the operation ends.
    pub(super) flags: u32,
    pub(super) work: Work<B>,
}

pub(super) enum Work<B> {
    Receive(B),
    /// A receive of no bytes, which lends no memory.
    Readable,
}

impl<B: Buffer> Work<B> {
    /// The buffer of work that lends one.
    pub(super) fn into_buffer(self) -> B {
        match self {
            Self::Receive(buffer) => buffer,
            Self::Readable => unreachable!("asked only by those who put a buffer in"),
        }
    }

    /// Says how it ended, and gives the buffer back.
    pub(super) fn finish(ended: Completed<Operation<B>>) -> (Completion<B>, Arc<Owner>) {
        let Completed { id, status, count, value: Operation { owner, work, .. } } = ended;
        let (key, result) = (owner.key, status.result());
        let completion = match work {
            Self::Receive(mut buffer) => {
                if result.is_ok() {
                    // SAFETY: the system reports that it wrote so many bytes, and it was given the
                    // front of the spare room, at its length or less.
                    unsafe { buffer.advance(count) };
                }
                Completion::Received { key, id, buffer, result: result.map(|()| count) }
            }
            Self::Readable => Completion::Readable { key, id, result },
        };
        (completion, owner)
    }
}
