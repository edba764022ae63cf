//! A message goes to the peer and comes back, both ends on one queue.

use std::io;
use std::net::TcpStream;

use overlapped::{Completion, CompletionQueue, Completions, Inline, Key, Registration, Submitted};

use super::super::message::{CAPACITY, SIZE, check, message, pair, set_number, wrong};

/// A registration of either mode. What a submission answers is the completion, if it has ended at
/// once.
trait Stream {
    fn receive(&self, buffer: Vec<u8>) -> io::Result<Option<Completion>>;
    fn send(&self, buffer: Vec<u8>) -> io::Result<Option<Completion>>;
}

impl Stream for Registration<TcpStream> {
    fn receive(&self, buffer: Vec<u8>) -> io::Result<Option<Completion>> {
        self.receive(buffer)?;
        Ok(None)
    }

    fn send(&self, buffer: Vec<u8>) -> io::Result<Option<Completion>> {
        self.send(buffer)?;
        Ok(None)
    }
}

impl Stream for Registration<TcpStream, Vec<u8>, Inline> {
    fn receive(&self, buffer: Vec<u8>) -> io::Result<Option<Completion>> {
        Ok(at_once(self.receive(buffer)?))
    }

    fn send(&self, buffer: Vec<u8>) -> io::Result<Option<Completion>> {
        Ok(at_once(self.send(buffer)?))
    }
}

fn at_once(submitted: Submitted) -> Option<Completion> {
    match submitted {
        Submitted::Pending(_) => None,
        Submitted::Done(completion) => Some(completion),
    }
}

/// Who counts the rounds. The other one sends back what it receives.
const FIRST: Key = Key(0);
const SECOND: Key = Key(1);
const IDLE: Key = Key(2);

/// The others are in flight on a connection on which nothing is said.
pub fn queued(count: u64, others: u64) -> io::Result<u64> {
    let (queue, (near, far), (idle, _silent)) = (CompletionQueue::new()?, pair()?, pair()?);
    let idle = queue.register(idle, IDLE)?;
    for _ in 0..others {
        idle.readable()?;
    }
    let ends = [queue.register(near, FIRST)?, queue.register(far, SECOND)?];
    play(&queue, ends, count)
}

pub fn inline(count: u64) -> io::Result<u64> {
    let (queue, (near, far)) = (CompletionQueue::new()?, pair()?);
    let ends = [queue.register(near, FIRST)?.inline()?, queue.register(far, SECOND)?.inline()?];
    play(&queue, ends, count)
}

struct Game<S> {
    ends: [Option<S>; 2],
    round: u64,
    count: u64,
    over: bool,
}

fn play<S: Stream>(queue: &CompletionQueue, ends: [S; 2], count: u64) -> io::Result<u64> {
    let mut game = Game { ends: ends.map(Some), round: 1, count, over: false };
    let (mut batch, mut waits) = (Completions::with_capacity(CAPACITY), 0);
    game.begin()?;
    while !game.over {
        waits += 1;
        for completion in queue.wait(&mut batch, None)? {
            game.went_on(completion)?;
        }
    }
    Ok(waits)
}

impl<S: Stream> Game<S> {
    fn begin(&mut self) -> io::Result<()> {
        if self.stream(SECOND)?.receive(Vec::with_capacity(SIZE))?.is_some() {
            return Err(wrong("something has come before it was sent"));
        }
        let mut first = message().to_vec();
        set_number(&mut first, self.round);
        match self.stream(FIRST)?.send(first)? {
            None => Ok(()),
            Some(completion) => self.went_on(completion),
        }
    }

    /// An operation has ended, and perhaps the next one of its connection ends at once.
    fn went_on(&mut self, mut completion: Completion) -> io::Result<()> {
        while let Some(another) = self.next(completion)? {
            completion = another;
        }
        Ok(())
    }

    fn next(&mut self, completion: Completion) -> io::Result<Option<Completion>> {
        match completion {
            Completion::Sent { key, mut buffer, count, result, .. } => {
                result?;
                if count != SIZE {
                    return Err(wrong("a part was sent"));
                }
                buffer.clear();
                self.stream(key)?.receive(buffer)
            }
            Completion::Received { key, mut buffer, result, .. } => {
                if result? == 0 {
                    self.over = true;
                    return Ok(None);
                }
                if buffer.len() < SIZE {
                    return self.stream(key)?.receive(buffer);
                }
                if key == FIRST && self.is_last(&mut buffer)? {
                    return Ok(None);
                }
                self.stream(key)?.send(buffer)
            }
            _ => Err(wrong("something else has happened than was asked for")),
        }
    }

    /// A round has ended at the first end: the next begins, or it hangs up.
    fn is_last(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        check(buffer, self.round)?;
        if self.round == self.count {
            self.ends[FIRST.0] = None;
            return Ok(true);
        }
        self.round += 1;
        set_number(buffer, self.round);
        Ok(false)
    }

    fn stream(&self, key: Key) -> io::Result<&S> {
        self.ends[key.0].as_ref().ok_or_else(|| wrong("this end has hung up"))
    }
}
