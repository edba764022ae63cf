//! What comes out of a queue.

use std::net::{SocketAddr, TcpStream};

use super::in_flight::OperationId;
use super::port::{Key, Packet};
use super::status::Failure;

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
        /// `Ok` if a receive would not have to wait, be it for bytes or for the end of the stream.
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
        /// can. A send that fails can have sent a part; Microsoft promises a count for successes
        /// alone, so after a failure it is what the system has left there, and may be wrong.
        count: usize,
        /// `Ok` if the system has taken all bytes that one operation can send. It does not say that
        /// the peer has them.
        result: Result<(), Failure>,
    },
    /// An [`accept`](super::Registration::accept) has ended.
    Accepted {
        /// The key of the listener's registration.
        key: Key,
        /// What `accept` returned.
        id: OperationId,
        /// The new connection, not registered yet, and the address of the peer. An error of the
        /// kind `ConnectionReset`, `ConnectionAborted` or `NotConnected` means that a client has
        /// gone before it was accepted: nothing is wrong with the listener, so accept again. Every
        /// other error is about the listener.
        result: Result<(TcpStream, SocketAddr), Failure>,
    },
    /// A [`connect`](super::CompletionQueue::connect) has ended.
    Connected {
        /// The key of the registration.
        key: Key,
        /// The id of the operation.
        id: OperationId,
        /// `Ok` if the stream is connected. After an error drop the registration: nothing can be
        /// done with it.
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
    /// The queue has been [shut down](super::CompletionQueue::shut_down). Each batch that is waited
    /// with brings this once, behind everything else in it.
    ShutDown,
    /// A packet that belongs to no operation of this queue: one of an operation that was pending
    /// before its socket was registered, or that was started through a duplicate; a notification of
    /// a job object; a packet posted by other code. It is handed over as it came, and nothing was
    /// read through the address in it.
    Foreign(Packet),
}

impl<B> Completion<B> {
    /// The key under which it came; none for a wake-up and a shutdown, which belong to the whole
    /// queue. The key of a [`Foreign`](Self::Foreign) packet is whatever others have given, and can
    /// be that of a registration: look at the variant first.
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

    /// What the submission has returned; none for what was not submitted: wake-ups, posted values,
    /// the shutdown and foreign packets.
    pub fn id(&self) -> Option<OperationId> {
        match self {
            Self::Received { id, .. }
            | Self::Readable { id, .. }
            | Self::Sent { id, .. }
            | Self::Accepted { id, .. }
            | Self::Connected { id, .. } => Some(*id),
            Self::Posted { .. } | Self::Foreign(_) | Self::Woken | Self::ShutDown => None,
        }
    }

    /// The buffer that comes back with it, however the operation has ended: that of a receive or a
    /// send.
    pub fn into_buffer(self) -> Option<B> {
        match self {
            Self::Received { buffer, .. } | Self::Sent { buffer, .. } => Some(buffer),
            _ => None,
        }
    }
}
