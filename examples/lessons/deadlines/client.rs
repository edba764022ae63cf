//! The loop: it waits until the earliest deadline at the most, handles what has completed, and
//! cancels what is due.
//!
//! A deadline that passes only *asks* the system to end the receive. What became of it is decided by
//! its completion, so each question has one outcome, also if both happen at the same moment.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::Instant;

use overlapped::{
    Completion, CompletionQueue, Completions, Failure, Key, OperationId, Registration,
};

use super::heap::Deadlines;

const ROOM: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    TimedOut,
}

/// A connection on which an answer is awaited, and with it one receive in flight.
struct Asked {
    stream: Registration<TcpStream>,
    /// For the whole answer, in however many pieces it comes.
    deadline: Instant,
    receive: OperationId,
    /// The deadline has passed, and nothing more is received.
    late: bool,
}

pub struct Client<'a> {
    queue: &'a CompletionQueue,
    asked: BTreeMap<Key, Asked>,
    deadlines: Deadlines<Key>,
    /// Whose time was up, in that order.
    pub late: Vec<Key>,
    pub outcomes: BTreeMap<Key, Outcome>,
}

impl<'a> Client<'a> {
    pub fn new(queue: &'a CompletionQueue) -> Self {
        let (asked, outcomes) = (BTreeMap::new(), BTreeMap::new());
        Self { queue, asked, deadlines: Deadlines::new(), late: Vec::new(), outcomes }
    }

    /// Awaits one line, until the deadline.
    pub fn expect(&mut self, stream: TcpStream, key: Key, deadline: Instant) -> io::Result<()> {
        let stream = self.queue.register(stream, key)?;
        let receive = stream.receive(Vec::with_capacity(ROOM))?;
        self.asked.insert(key, Asked { stream, deadline, receive, late: false });
        self.deadlines.insert(deadline, key);
        Ok(())
    }

    /// Returns when each question has its outcome. Then nothing is in flight any more.
    pub fn collect(&mut self) -> io::Result<()> {
        let mut batch = Completions::with_capacity(64);
        while !self.asked.is_empty() {
            self.turn(&mut batch)?;
        }
        Ok(())
    }

    /// One wait, and what comes of it.
    pub fn turn(&mut self, batch: &mut Completions) -> io::Result<()> {
        match self.deadlines.earliest(|moment, key| counts(&self.asked, moment, key)) {
            Some(moment) => self.queue.wait_until(batch, moment)?,
            // What is left has been cancelled, and comes back by itself.
            None => self.queue.wait(batch, None)?,
        };
        for completion in batch.by_ref() {
            if let Completion::Received { key, buffer, result, .. } = completion {
                self.received(key, buffer, result)?;
            }
        }
        // Not only when the batch is empty: others may keep the queue busy all the time.
        self.cancel_what_is_due(Instant::now())
    }

    pub fn cancel_what_is_due(&mut self, now: Instant) -> io::Result<()> {
        let next =
            |client: &mut Self| client.deadlines.next_due(now, |m, k| counts(&client.asked, m, k));
        while let Some(key) = next(self) {
            if let Some(asked) = self.asked.get_mut(&key) {
                asked.late = true;
                self.late.push(key);
                // Whether there was something to cancel does not matter: if the receive has just
                // ended, its completion is on the way.
                asked.stream.cancel(asked.receive)?;
            }
        }
        Ok(())
    }

    fn received(
        &mut self,
        key: Key,
        mut buffer: Vec<u8>,
        result: Result<usize, Failure>,
    ) -> io::Result<()> {
        let Some(asked) = self.asked.get_mut(&key) else { return Ok(()) };
        let outcome = match result {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            // Also if it is late: it has come before it could be cancelled.
            Ok(_) if buffer.ends_with(b"\n") => Outcome::Answered,
            Ok(_) if !asked.late => {
                buffer.reserve(ROOM);
                asked.receive = asked.stream.receive(buffer)?;
                return Ok(());
            }
            Ok(_) | Err(Failure::Cancelled) => Outcome::TimedOut,
            Err(failure) => return Err(failure.into()),
        };
        // Nothing is in flight on this connection, so it can be closed. Its entry stays in the heap.
        self.asked.remove(&key);
        assert_eq!(self.outcomes.insert(key, outcome), None, "{key:?} has two outcomes");
        Ok(())
    }
}

/// Whether the entry is of a question that is open, and not of an earlier one under the same key. The
/// two may have had the same deadline: then the first entry counts, and the question is late by it.
fn counts(asked: &BTreeMap<Key, Asked>, moment: Instant, key: Key) -> bool {
    asked.get(&key).is_some_and(|asked| asked.deadline == moment && !asked.late)
}
