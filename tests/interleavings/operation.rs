//! Stands in the place of `src/operation.rs`: an operation that lends a buffer, of a registration
//! that is always there.

use super::buffer::Buffer;
use super::completion::Completion;
use super::in_flight::Completed;
use super::port::Key;

pub struct Operation<B> {
    pub owner: Owner,
    pub buffer: B,
}

pub struct Owner;

impl Owner {
    pub fn is_gone(&self) -> bool {
        false
    }
}

pub struct Owners;

impl Owners {
    pub fn new() -> Self {
        Self
    }
}

impl<B: Buffer> Operation<B> {
    pub(super) fn has_annex(&self) -> bool {
        false
    }

    pub(super) fn completion_with(
        ended: Completed<Self>,
        _annex: [u64; 4],
        owners: &Owners,
    ) -> Completion<B> {
        Self::completion(ended, owners)
    }

    pub(super) fn completion(ended: Completed<Self>, _owners: &Owners) -> Completion<B> {
        let Completed { id, status, count, value } = ended;
        let result = status.result().map(|()| count);
        Completion::Received { key: Key(0), id, buffer: value.buffer, result }
    }
}
