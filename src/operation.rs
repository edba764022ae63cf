//! What is lent to the kernel along with an `OVERLAPPED`, and how it is told when that has ended.
//!
//! [`OperationKind`] is the one place that knows all the kinds of operations there are, as
//! [`Completion`] is for the program. What belongs to one kind alone, its memory and what has to be
//! done at its end, stands with the sockets or files that it is about.

#![allow(unsafe_code, reason = "it vouches for received bytes")]

mod outcome;
mod owner;

use std::sync::Arc;

use super::buffer::{Buffer, Parts, array, one_spare};
use super::completion::{Completion, Content, Datagram};
use super::in_flight::{Completed, OperationId};
use super::port::Key;
use super::socket::AddressRoom;
use super::socket::{Accepting, Connecting};
use super::status::Status;

pub(super) use self::outcome::SubmitOutcome;
use self::owner::End;
pub(super) use self::owner::{Canceller, Owner, Owners};

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
    /// A receive that is told the sender, in the annex of its slot.
    ReceiveFrom(B),
    /// Reads of what: of a file, of a pipe that brings bytes, of one that brings messages.
    ReadFile(B),
    ReadBytes(B),
    ReadMessage(B),
    Write(B),
    ConnectClient,
    Raw(B),
    Wait,
}

impl<B: Buffer> Operation<B> {
    /// Says how an operation has ended, and gives back what was lent for it. The caller's code runs
    /// here: a buffer counts what it has received.
    #[inline(always)]
    pub(super) fn completion(ended: Completed<Self>, owners: &Owners) -> Completion<B> {
        let Completed { id, status, count, value: Self { owner, kind } } = ended;
        let key = owner.key;
        match kind {
            OperationKind::Receive(mut buffer) => {
                let result = status.result();
                if result.is_ok() {
                    // SAFETY: the system reports that it wrote so many bytes, and it was given the
                    // front of the spare room, at its length or less.
                    unsafe { buffer.advance(count) };
                }
                Completion::Received { key, id, buffer, result: result.map(|()| count) }
            }
            OperationKind::Readable => Completion::Readable { key, id, result: status.result() },
            OperationKind::Send(buffer) => {
                Completion::Sent { key, id, buffer, count, result: status.result() }
            }
            rarer => rarer.completion(End { owner: &owner, owners, status }, id, count),
        }
    }

    /// Whether the operation was told more than fits in its slot.
    #[inline(always)]
    pub(super) fn has_annex(&self) -> bool {
        matches!(self.kind, OperationKind::ReceiveFrom(_))
    }

    /// As [`completion`](Self::completion), of one that was.
    pub(super) fn completion_with(
        ended: Completed<Self>,
        annex: [u64; 4],
        owners: &Owners,
    ) -> Completion<B> {
        let Completed { id, status, count, value: Self { owner, kind } } = ended;
        let OperationKind::ReceiveFrom(mut buffer) = kind else {
            return kind.completion(End { owner: &owner, owners, status }, id, count);
        };
        let truncated = status == Status::CUT;
        let ended = if truncated { Ok(()) } else { status.result() };
        let result = ended.and_then(|()| {
            // First, for after a failure the buffer is as it was.
            let from = AddressRoom::sender_in(annex)?;
            // That the datagram was cut is a warning: then the room is full, and nothing is
            // promised of the count.
            let count = if truncated { count.min(room_of(&mut buffer)) } else { count };
            // SAFETY: the system reports that it wrote so many bytes, and it was given the front of
            // the spare room, at its length or less.
            unsafe { buffer.advance(count) };
            Ok(Datagram { from, count, truncated })
        });
        Completion::ReceivedFrom { key: owner.key, id, buffer, result }
    }
}

impl<B: Buffer> OperationKind<B> {
    /// As [`Operation::completion`], apart, so that it is not a part of every loop over a batch.
    #[inline(never)]
    fn completion(self, end: End<'_>, id: OperationId, count: usize) -> Completion<B> {
        let (key, status) = (end.owner.key, end.status);
        match self {
            // One line for each kind that has a file of its own for its memory and its end.
            Self::Accept(it) => Completion::Accepted { key, id, result: end.of(it) },
            Self::Connect(it) => Completion::Connected { key, id, result: end.of(it) },
            Self::ReadFile(buffer) => read((key, id), buffer, status, count, |count| {
                if count == 0 { Content::End } else { Content::Bytes(count) }
            }),
            Self::ReadBytes(buffer) => read((key, id), buffer, status, count, Content::Bytes),
            Self::ReadMessage(buffer) => read((key, id), buffer, status, count, Content::Message),
            Self::Write(buffer) => {
                Completion::Written { key, id, buffer, count, result: status.result_of_file() }
            }
            Self::ConnectClient => {
                Completion::ClientConnected { key, id, result: status.result_of_file() }
            }
            Self::Raw(buffer) => {
                Completion::Raw { key, id, buffer, count, result: status.result_of_file() }
            }
            Self::Wait => Completion::Signalled { key, id, result: status.result_of_file() },
            Self::Receive(_) | Self::Readable | Self::Send(_) | Self::ReceiveFrom(_) => {
                unreachable!("`Operation` has them")
            }
        }
    }
}

/// How many bytes a receive into a buffer was given.
#[cold]
fn room_of<B: Buffer>(buffer: &mut B) -> usize {
    Parts::spare(buffer, &mut array()).len()
}

/// What a read has brought. After a success `whole` makes it of the count.
fn read<B: Buffer>(
    (key, id): (Key, OperationId),
    mut buffer: B,
    status: Status,
    count: usize,
    whole: impl FnOnce(usize) -> Content,
) -> Completion<B> {
    let count = count.min(one_spare(&mut buffer).1 as usize);
    let result = match status {
        Status::CUT => Ok(Content::Part(count)),
        // Of a file, and of a pipe of which the other end is closed.
        Status::END_OF_FILE | Status::PIPE_BROKEN => Ok(Content::End),
        _ => status.result_of_file().map(|()| whole(count)),
    };
    if let Ok(content) = &result {
        // SAFETY: the system reports that it wrote so many bytes, and it was given the front of the
        // spare room, at its length or less. That a message was cut is a warning: then it wrote
        // what fitted, and nothing is promised of the count.
        unsafe { buffer.advance(content.count()) };
    }
    Completion::Read { key, id, buffer, result }
}

/// The kinds that lend a buffer, with the buffer.
macro_rules! lending {
    ($buffer:ident) => {
        OperationKind::Receive($buffer)
            | OperationKind::Send($buffer)
            | OperationKind::ReceiveFrom($buffer)
            | OperationKind::ReadFile($buffer)
            | OperationKind::ReadBytes($buffer)
            | OperationKind::ReadMessage($buffer)
            | OperationKind::Write($buffer)
            | OperationKind::Raw($buffer)
    };
}

impl<B> OperationKind<B> {
    /// The buffer of a kind that lends one.
    pub(super) fn into_buffer(self) -> B {
        match self {
            lending!(buffer) => buffer,
            _ => unreachable!("asked only by those who put a buffer in"),
        }
    }

    /// As [`into_buffer`](Self::into_buffer), where it rests.
    #[inline]
    pub(super) fn buffer(&mut self) -> &mut B {
        match self {
            lending!(buffer) => buffer,
            _ => unreachable!("asked only by those who put a buffer in"),
        }
    }
}
