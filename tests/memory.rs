//! In the steady state nothing is allocated: the buffers go to the kernel and come back, and all
//! else has its place since the first round.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it counts what the allocator is asked for")]

use std::io::{self, Write};
use std::net::TcpStream;

use overlapped::{
    Completion, CompletionQueue, Completions, Failure, Key, OperationId, Registration, Waker,
};

mod support;
use support::{DEADLINE, Received, registered};

#[path = "support/allocations.rs"]
mod allocations;
use allocations::{allocations_of, count_this_thread};

/// A connection, and a buffer that goes to the kernel and back.
struct Program {
    queue: CompletionQueue,
    waker: Waker,
    batch: Completions,
    stream: Registration<TcpStream>,
    peer: TcpStream,
    buffer: Vec<u8>,
}

impl Program {
    fn next(&mut self) -> Completion {
        let batch = self.queue.wait(&mut self.batch, Some(DEADLINE)).expect("waiting");
        batch.next().expect("a completion before the deadline")
    }

    fn lend(&mut self) -> OperationId {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.stream.receive(buffer).expect("a receive on a connected stream")
    }

    fn take_back(&mut self) -> Result<usize, Failure> {
        let received = Received::of(self.next());
        self.buffer = received.buffer;
        received.result
    }

    fn send(&mut self) {
        self.peer.write_all(b"!").expect("sending one byte");
    }

    fn receive_what_comes_later(&mut self) {
        self.lend();
        self.send();
        assert!(matches!(self.take_back(), Ok(1)));
    }

    fn receive_what_is_there(&mut self) {
        self.send();
        self.stream.readable().expect("a connected stream");
        assert!(matches!(self.next(), Completion::Readable { result: Ok(()), .. }));
        self.lend();
        assert!(matches!(self.take_back(), Ok(1)));
    }

    fn cancel(&mut self) {
        let id = self.lend();
        assert!(self.stream.cancel(id).expect("cancelling"));
        assert!(matches!(self.take_back(), Err(Failure::Cancelled)));
    }

    fn wake(&mut self) {
        self.waker.wake().expect("waking");
        assert!(matches!(self.next(), Completion::Woken));
    }

    fn post(&mut self) {
        self.queue.post(Key(1), 2).expect("posting");
        assert!(matches!(self.next(), Completion::Posted { key: Key(1), value: 2 }));
    }
}

/// All is in one test, for the count is of one thread.
#[test]
fn after_the_first_round_nothing_is_allocated() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = registered(&queue, Key(0));
    let (waker, batch) = (queue.waker(), Completions::with_capacity(8));
    let mut program = Program { queue, waker, batch, stream, peer, buffer: Vec::with_capacity(64) };

    count_this_thread();
    type Round = fn(&mut Program);
    let rounds: [(&str, Round); 5] = [
        ("a receive that pends", Program::receive_what_comes_later),
        ("a receive that finds its bytes", Program::receive_what_is_there),
        ("a receive that is cancelled", Program::cancel),
        ("a wake-up", Program::wake),
        ("a post", Program::post),
    ];
    for (what, round) in rounds {
        let first = allocations_of(|| round(&mut program));
        let others = allocations_of(|| (0..1_000).for_each(|_| round(&mut program)));
        println!("{what}: {first} allocations in the first round");
        assert_eq!(others, 0, "{what}: allocations in 1000 later rounds");
    }

    // A full batch has a place for the shutdown too, which is no packet.
    program.queue.shut_down()?;
    let last = allocations_of(|| {
        (0..8).for_each(|value| program.queue.post(Key(0), value).expect("posting"));
        let batch = program.queue.wait(&mut program.batch, Some(DEADLINE)).expect("waiting");
        assert_eq!(batch.count(), 9);
    });
    assert_eq!(last, 0, "allocations for a shutdown behind a full batch");
    Ok(())
}
