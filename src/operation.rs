//! What is lent to the kernel along with an `OVERLAPPED`, and how it is told when that has ended.
//!
//! [`OperationKind`] is the one place that knows all the kinds of operations there are, as
//! [`Completion`] is for the program. What belongs to one kind alone, its memory and what has to be
//! done at its end, stands with the sockets or files that it is about.

#![allow(unsafe_code, reason = "it vouches for received bytes")]

mod outcome;
mod owner;

use std::sync::Arc;

use super::buffer::Buffer;
use super::completion::Completion;
use super::in_flight::Completed;
use super::socket::{Accepting, Connecting};

pub(super) use self::outcome::SubmitOutcome;
use self::owner::End;
pub(super) use self::owner::{Owner, Owners};

/// One operation, at its place in the table while the kernel has it.
pub(super) struct Operation<B> {
    pub(super) owner: Arc<Owner>,
    pub(super) kind: OperationKind<B>,
}

/// What the operation is to do, with the memory that it lends.
pub(super) enum OperationKind<B> {
    Receive(B),
    /// A receive of no bytes, which lends no memory.
    Readable,
    Send(B),
    Accept(Accepting),
    Connect(Connecting),
}

impl<B: Buffer> Operation<B> {
    /// Says how an operation has ended, and gives back what was lent for it. The caller's code runs
    /// here: a buffer counts what it has received.
    #[inline(always)]
    pub(super) fn completion(ended: Completed<Self>, owners: &Owners) -> Completion<B> {
        let Completed { id, status, count, value: Self { owner, kind } } = ended;
        let key = owner.key;
        let end = End { owner: &owner, owners, result: status.result() };
        match kind {
            OperationKind::Receive(mut buffer) => {
                if end.result.is_ok() {
                    // SAFETY: the system reports that it wrote so many bytes, and it was given the
                    // front of the spare room, at its length or less.
                    unsafe { buffer.advance(count) };
                }
                Completion::Received { key, id, buffer, result: end.result.map(|()| count) }
            }
            OperationKind::Readable => Completion::Readable { key, id, result: end.result },
            OperationKind::Send(buffer) => {
                Completion::Sent { key, id, buffer, count, result: end.result }
            }
            // One line for each kind that has a file of its own for its memory and its end.
            OperationKind::Accept(it) => Completion::Accepted { key, id, result: end.of(it) },
            OperationKind::Connect(it) => Completion::Connected { key, id, result: end.of(it) },
        }
    }
}

impl<B> OperationKind<B> {
    /// The buffer of a kind that lends one.
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
