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
use super::socket::{Accepting, AddressRoom, Connecting};
use super::status::{Failure, Status};

pub(super) use self::outcome::SubmitOutcome;
use self::owner::End;
pub(super) use self::owner::{Canceller, Owner, Owners};

/// One operation, at its place in the table while the kernel has it.
pub(super) struct Operation<B> {
    pub(super) owner: Arc<Owner>,
    pub(super) kind: OperationKind<B>,
}

/// What the operation is to do, with the memory that it lends.
#[allow(dead_code, reason = "a room can be left out that submits some")]
pub(super) enum OperationKind<B> {
    Receive(B),
    /// A receive of no bytes, which lends no memory.
    Readable,
    Send(B),
    Accept(Accepting),
    Connect(Connecting),
    ReceiveFrom(B, Arc<AddressRoom>),
    SendTo(B, Arc<AddressRoom>),
    Read(B, Reads),
    Write(B),
    ConnectClient,
    Raw(B),
    Wait,
}

/// What a read is of.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "a room can be left out that reads")]
pub(super) enum Reads {
    File,
    Bytes,
    Messages,
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
            Self::ReceiveFrom(mut buffer, room) => {
                let truncated = status == Status::CUT;
                let ended = if truncated { Ok(()) } else { status.result() };
                let result = ended.and_then(|()| {
                    let count = count.min(Parts::spare(&mut buffer, &mut array()).len());
                    // SAFETY: the system reports that it wrote so many bytes, and it was given the
                    // front of the spare room, at its length or less. That the datagram was cut is
                    // a warning: then it wrote what fitted, and nothing is promised of the count.
                    unsafe { buffer.advance(count) };
                    Ok(Datagram { from: room.sender()?, count, truncated })
                });
                Completion::ReceivedFrom { key, id, buffer, result }
            }
            Self::SendTo(buffer, _) => {
                Completion::Sent { key, id, buffer, count, result: status.result() }
            }
            Self::Read(mut buffer, of) => {
                let result = of.content(status, count.min(one_spare(&mut buffer).1 as usize));
                if let Ok(content) = &result {
                    // SAFETY: as for datagrams.
                    unsafe { buffer.advance(content.count()) };
                }
                Completion::Read { key, id, buffer, result }
            }
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
            Self::Receive(_) | Self::Readable | Self::Send(_) => {
                unreachable!("`Operation::completion` has them")
            }
        }
    }
}

impl Reads {
    /// What a read has brought that has ended so.
    fn content(self, status: Status, count: usize) -> Result<Content, Failure> {
        match (self, status) {
            (_, Status::CUT) => Ok(Content::Part(count)),
            (_, Status::END_OF_FILE) => Ok(Content::End),
            (Self::Bytes | Self::Messages, Status::PIPE_BROKEN) => Ok(Content::End),
            (Self::File, Status::SUCCESS) if count == 0 => Ok(Content::End),
            (Self::Messages, _) => status.result_of_file().map(|()| Content::Message(count)),
            (_, _) => status.result_of_file().map(|()| Content::Bytes(count)),
        }
    }
}

impl<B> OperationKind<B> {
    /// The buffer of a kind that lends one.
    pub(super) fn into_buffer(self) -> B {
        match self {
            Self::Receive(buffer)
            | Self::Send(buffer)
            | Self::ReceiveFrom(buffer, _)
            | Self::SendTo(buffer, _)
            | Self::Read(buffer, _)
            | Self::Write(buffer)
            | Self::Raw(buffer) => buffer,
            _ => unreachable!("asked only by those who put a buffer in"),
        }
    }

    /// As [`into_buffer`](Self::into_buffer), where it rests.
    #[inline]
    pub(super) fn buffer(&mut self) -> &mut B {
        match self {
            Self::Receive(buffer)
            | Self::Send(buffer)
            | Self::ReceiveFrom(buffer, _)
            | Self::SendTo(buffer, _)
            | Self::Read(buffer, _)
            | Self::Write(buffer)
            | Self::Raw(buffer) => buffer,
            _ => unreachable!("asked only by those who put a buffer in"),
        }
    }
}
