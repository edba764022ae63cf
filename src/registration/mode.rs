//! Whether an operation that ends at once is told at once, or through the port like all others.
//!
//! Often there are bytes to receive already, and there is always room to send a little. Such an
//! operation has ended when the call that starts it returns, and still its packet goes through the
//! port. A socket can be told to leave these packets out. That saves a packet and its share of a
//! wait; in return each submission has two answers. The two ways have types of their own, so that
//! nobody can overlook the second answer.

use super::super::completion::Completion;
use super::super::in_flight::OperationId;

/// How a [`Registration`](super::super::Registration) tells of operations that end at once:
/// [`Queued`] or [`Inline`].
pub trait Mode: sealed::Answers {}

/// Every operation ends with a completion from the queue. A submission answers with its
/// [`OperationId`].
#[derive(Debug)]
pub enum Queued {}

/// An operation that ends at once is told by the submission itself, which answers [`Submitted`].
///
/// Made by [`Registration::inline`](super::super::Registration::inline).
#[derive(Debug)]
pub enum Inline {}

/// What became of an operation on an [`Inline`] registration.
///
/// A loop that goes on while it gets `Done` keeps all other connections from being served as long
/// as its peer sends fast enough. Give it a bound, and after that put the completion into the batch
/// with [`push`](super::super::Completions::push) and wait again.
#[derive(Debug)]
#[must_use = "`Done` holds the buffer, and no other completion will come"]
pub enum Submitted<B = Vec<u8>> {
    /// It is pending; its completion will come from the queue.
    Pending(OperationId),
    /// It has ended, and no other completion of it comes.
    Done(Completion<B>),
}

impl Mode for Queued {}
impl Mode for Inline {}

pub(crate) mod sealed {
    use super::{Completion, Inline, OperationId, Queued, Submitted};

    pub trait Answers {
        /// What a submission answers.
        type Answer<B>;
        /// Whether success at once brings no packet.
        const SKIPS: bool;
        fn pending<B>(id: OperationId) -> Self::Answer<B>;
        fn done<B>(completion: Completion<B>) -> Self::Answer<B>;
    }

    impl Answers for Queued {
        type Answer<B> = OperationId;
        const SKIPS: bool = false;

        fn pending<B>(id: OperationId) -> OperationId {
            id
        }

        fn done<B>(_: Completion<B>) -> OperationId {
            unreachable!("without skipping, every success brings a packet")
        }
    }

    impl Answers for Inline {
        type Answer<B> = Submitted<B>;
        const SKIPS: bool = true;

        fn pending<B>(id: OperationId) -> Submitted<B> {
            Submitted::Pending(id)
        }

        fn done<B>(completion: Completion<B>) -> Submitted<B> {
            Submitted::Done(completion)
        }
    }
}
