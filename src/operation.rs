//! What is lent to the kernel along with an `OVERLAPPED`.

#![cfg(windows)]

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};

use super::accepting::Accepting;
use super::address::RawAddress;
use super::port::Key;
use super::sync::AtomicBool;

/// What an operation knows of the registration that submitted it. The registration holds one
/// reference and each operation in flight another, so the count says how many there are.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) key: Key,
    /// Open until the registration has left the queue; see `Core::while_open`.
    pub(super) handle: usize,
    gone: AtomicBool,
}

impl Owner {
    pub(super) fn new(key: Key, handle: usize) -> Arc<Self> {
        Arc::new(Self { key, handle, gone: AtomicBool::new(false) })
    }

    /// The registration is being dropped: nothing is said under its key from now on.
    pub(super) fn leave(&self) {
        self.gone.store(true, Release);
    }

    #[inline]
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Acquire)
    }
}

/// One operation, at its place in the table while the kernel has it.
pub(super) struct Operation<B> {
    pub(super) owner: Arc<Owner>,
    pub(super) work: Work<B>,
}

/// What the operation is to do, with the memory that it lends.
pub(super) enum Work<B> {
    Receive(B),
    /// A receive of no bytes, which lends no memory.
    Readable,
    Send(B),
    Accept(Accepting),
    /// The address on the heap, since connections are fewer than messages. Whoever makes the call has
    /// the other reference, for as long as the call may look at it.
    Connect(#[allow(dead_code, reason = "it is kept, and not read")] Arc<RawAddress>),
}

impl<B> Work<B> {
    /// The buffer of work that lends one.
    pub(super) fn into_buffer(self) -> B {
        match self {
            Self::Receive(buffer) | Self::Send(buffer) => buffer,
            _ => unreachable!("asked only by those who put a buffer in"),
        }
    }

    /// As [`into_buffer`](Self::into_buffer), where it rests.
    #[inline]
    pub(super) fn buffer(&mut self) -> &mut B {
        match self {
            Self::Receive(buffer) | Self::Send(buffer) => buffer,
            _ => unreachable!("asked only by those who put a buffer in"),
        }
    }
}
