//! What the models of waiting have in common: a queue without sockets, whose batches and whose wait
//! are the real ones.

use std::ops::Range;
use std::sync::Arc;

use super::super::completion::Completion;
use super::super::in_flight::Lent;
use super::super::operation::{Operation, Owner};
use super::super::port::{CompletionPort, Deadline, Key};
use super::super::queue::Completions;
use super::super::shared::Core;
use super::kit::{Address, SUCCESS};

pub type Batch = Completions<Vec<u8>>;

pub struct Queue {
    pub core: Arc<Core<Vec<u8>>>,
}

impl Queue {
    /// The posts of these numbers fail.
    pub fn new(refused: Range<usize>) -> Self {
        let port = CompletionPort::default();
        port.refuse(refused);
        Self { core: Arc::new(Core::new(port)) }
    }

    /// As the queue's, without a timeout.
    #[track_caller]
    pub fn wait<'a>(&self, batch: &'a mut Batch) -> std::io::Result<&'a mut Batch> {
        if batch.is_empty() {
            self.core.fill(batch, &Deadline::ENDLESS)?;
        }
        Ok(batch)
    }

    /// Waits until the queue is shut down, and does what the documentation says after an error.
    /// Gives how often it was woken, and how many operations it has got.
    pub fn wait_for_shutdown(&self, batch: &mut Batch) -> Told {
        let mut told = Told::default();
        while !told.shut_down {
            if let Ok(batch) = self.wait(batch) {
                told.read(batch);
            }
        }
        told
    }

    /// Goes on, after that, until nothing is in flight any more: then the batch is empty.
    pub fn collect(&self, batch: &mut Batch, told: &mut Told) {
        loop {
            match self.wait(batch) {
                Ok(batch) if batch.is_empty() => return,
                Ok(batch) => told.read(batch),
                Err(_) => {}
            }
        }
    }

    pub fn lend(&self) -> Lent<'_, Operation<Vec<u8>>> {
        let operation = Operation { owner: Owner, buffer: Vec::new() };
        let slot = self.core.in_flight.take_slot(0).expect("there is memory");
        slot.fill(operation).lend(0).ok().expect("it is open")
    }

    pub fn submit(&self) -> Address {
        Address(self.lend().overlapped())
    }

    /// The system ends an operation, and queues its packet.
    #[track_caller]
    pub fn end(&self, address: Address) {
        address.end(SUCCESS);
        self.core.control.port().queue(Key(0), address.0);
    }

    /// As a program that tries again until it succeeds.
    #[track_caller]
    pub fn shut_down(&self) {
        while self.core.control.shut_down().is_err() {}
    }

    /// After the threads: nothing is in flight, and nobody counts as one that waits.
    pub fn is_over(&self) {
        assert!(self.core.in_flight.is_empty());
        let needed = self.core.control.remind(true).expect("there is memory");
        assert!(!needed, "somebody still counts as one that waits");
    }
}

/// What a thread has found in its batches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub woken: usize,
    pub received: usize,
    pub shut_down: bool,
}

impl Told {
    pub fn read(&mut self, batch: &mut Batch) {
        for completion in batch {
            match completion {
                Completion::Woken => self.woken += 1,
                Completion::Received { .. } => self.received += 1,
                Completion::ShutDown => self.shut_down = true,
                other => panic!("{other:?} was not expected"),
            }
        }
    }
}
