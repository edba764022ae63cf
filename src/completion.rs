//! What comes out of a queue.

#![cfg(windows)]

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use super::in_flight::OperationId;
use super::operation::Owner;
use super::port::{Key, Packet};
use super::status::Failure;
use super::waker::Signals;

/// One thing that has happened, with whatever had been lent for it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Completion<B = Vec<u8>> {
    /// A [`receive`](super::Registration::receive) has ended. Here is its buffer again.
    Received {
        /// The key of the registration.
        key: Key,
        /// What `receive` returned.
        id: OperationId,
        /// The buffer that was lent, with the bytes received counted as filled. After a failure it
        /// is as it was.
        buffer: B,
        /// How many bytes came, from 1 to the spare room of the buffer. 0 is the end of the stream,
        /// and nothing else, for a buffer without room is never lent.
        result: Result<usize, Failure>,
    },
    /// A [`readable`](super::Registration::readable) has ended: a receive would now find bytes, or
    /// the end of the stream, or the error.
    Readable {
        /// The key of the registration.
        key: Key,
        /// What `readable` returned.
        id: OperationId,
        /// Whether there is something to receive.
        result: Result<(), Failure>,
    },
    /// A [`send`](super::Registration::send) has ended. Here is its buffer again.
    Sent {
        /// The key of the registration.
        key: Key,
        /// What `send` returned.
        id: OperationId,
        /// The buffer that was lent, as it was.
        buffer: B,
        /// How many bytes the system took. After a success that is all, or as many as one operation
        /// can. A send that fails can have sent a part; Microsoft promises a count for successes alone,
        /// so after a failure it is what the system has left there, and no more than a hint.
        count: usize,
        /// Whether they were all taken. That the peer has them only the peer can say.
        result: Result<(), Failure>,
    },
    /// An [`accept`](super::Registration::accept) has ended.
    Accepted {
        /// The key of the listener's registration.
        key: Key,
        /// What `accept` returned.
        id: OperationId,
        /// The new connection, not registered yet, and the address of the peer. An error of the kind
        /// `ConnectionReset`, `ConnectionAborted` or `NotConnected` means that a client has gone
        /// before it was accepted: the listener is well, so accept again. Every other error is the
        /// listener's own.
        result: Result<(TcpStream, SocketAddr), Failure>,
    },
    /// A [`connect`](super::CompletionQueue::connect) has ended.
    Connected {
        /// The key of the registration.
        key: Key,
        /// The id of the operation.
        id: OperationId,
        /// Whether the stream is connected. If not, its registration is of no use any more.
        result: Result<(), Failure>,
    },
    /// A value that the program has sent to itself with
    /// [`post`](super::CompletionQueue::post).
    Posted {
        /// The key that was posted.
        key: Key,
        /// The value that was posted.
        value: u32,
    },
    /// A [`Waker`](super::Waker) was used, once or many times.
    Woken,
    /// The queue has been [shut down](super::CompletionQueue::shut_down). This comes last in its
    /// batch, and again in every later one.
    ShutDown,
    /// A packet that belongs to nobody here: one of an operation that was pending before its socket
    /// was registered, or that was started through a duplicate; a notification of a job object; a
    /// packet posted by other code. It is handed over as it came, and nothing was read through the
    /// address in it.
    Foreign(Packet),
}

impl<B> Completion<B> {
    /// The key under which it came; none for a wake-up and a shutdown, which belong to the whole queue.
    /// The key of a [`Foreign`](Self::Foreign) packet is whatever others have given, and can be that of a
    /// registration: look at the variant first.
    pub fn key(&self) -> Option<Key> {
        match self {
            Self::Received { key, .. }
            | Self::Readable { key, .. }
            | Self::Sent { key, .. }
            | Self::Accepted { key, .. }
            | Self::Connected { key, .. }
            | Self::Posted { key, .. } => Some(*key),
            Self::Foreign(packet) => Some(packet.key()),
            Self::Woken | Self::ShutDown => None,
        }
    }
}

/// A batch of completions: the room for them, and those that have not been looked at yet.
///
/// Each thread that waits has a batch of its own and uses it again and again, so that waiting
/// allocates nothing. It is an iterator, which
/// [`CompletionQueue::wait`](super::CompletionQueue::wait) fills and a `for` loop empties. What is
/// left when the loop breaks stays in it, and the next `wait` returns with that at once. The
/// completions of a registration that is dropped meanwhile are not given out.
///
/// Dropping a batch drops the completions in it, buffers and all. A wake-up among them is not lost:
/// it goes back to the queue. A completion that was taken out is the caller's, and outlives batch and
/// queue; what `wait` returns is the batch, and cannot outlive it:
///
/// ```compile_fail,E0505
/// # use overlapped::*;
/// # fn outlived(queue: &CompletionQueue, mut batch: Completions) -> std::io::Result<()> {
/// let unread = queue.wait(&mut batch, None)?;
/// drop(batch);
/// println!("{}", unread.len()); // of a batch that is gone
/// # Ok(())
/// # }
/// ```
pub struct Completions<B = Vec<u8>> {
    /// What the port hands over. Empty but during a wait.
    pub(super) packets: Vec<Packet>,
    /// The last one is read first, so that reading is no more than a pop.
    pub(super) unread: Vec<Unread<B>>,
}

/// A completion in a batch, and what decides whether it is still wanted.
pub(super) struct Unread<B> {
    pub(super) completion: Completion<B>,
    pub(super) origin: Origin,
}

pub(super) enum Origin {
    /// Wanted as long as its registration is there.
    Operation(Arc<Owner>),
    /// To be given back if nobody reads it.
    WakeUp(Arc<Signals>),
    Other,
}

impl<B> Completions<B> {
    /// A batch that takes at most `capacity` completions from one wait: the number of packets that
    /// one system call can bring. 64 is a good one to start with. A capacity of 0 is allowed, but
    /// waiting with it is an error.
    ///
    /// A place takes about 120 bytes with `B = Vec<u8>`, all allocated here.
    pub fn with_capacity(capacity: usize) -> Self {
        // A place more than packets, for the shutdown that may follow them.
        let unread = Vec::with_capacity(capacity.saturating_add(1));
        Self { packets: Vec::with_capacity(capacity), unread }
    }

    /// How many completions are in the batch. Fewer come out, if a registration has been dropped
    /// since they were put in.
    pub fn len(&self) -> usize {
        self.unread.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.unread.is_empty()
    }

    /// Whether there is one to read, after dropping what nobody wants any more.
    #[inline]
    pub(super) fn has_next(&mut self) -> bool {
        while self.unread.last().is_some_and(Unread::is_unwanted) {
            self.unread.pop();
        }
        !self.is_empty()
    }
}

impl<B> Unread<B> {
    #[inline]
    fn is_unwanted(&self) -> bool {
        matches!(&self.origin, Origin::Operation(owner) if owner.is_gone())
    }
}

impl<B> Iterator for Completions<B> {
    type Item = Completion<B>;

    #[inline]
    fn next(&mut self) -> Option<Completion<B>> {
        loop {
            let unread = self.unread.pop()?;
            // Looked at now and not only when the packet was dequeued: the handler of an earlier
            // completion in this batch may have dropped the registration since.
            if !unread.is_unwanted() {
                return Some(unread.completion);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.len()))
    }
}

impl<B> Drop for Completions<B> {
    fn drop(&mut self) {
        for unread in self.unread.drain(..) {
            if let Origin::WakeUp(signals) = unread.origin {
                // Fails if the queue is gone, and then nobody waits for it.
                let _ = signals.wake();
            }
        }
    }
}

impl<B> fmt::Debug for Completions<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completions").field("len", &self.len()).finish_non_exhaustive()
    }
}
