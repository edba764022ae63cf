//! The rules about ownership, each with tests that fail when it is broken; CONTRIBUTING.md says how
//! they were seen to fail. In short: each buffer comes back once, and none is freed while the
//! kernel may write to it.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the buffers that count are shared with other tests")]

use std::io::{ErrorKind, Read, Write};
use std::mem::{self, MaybeUninit};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Buffer, Completion, CompletionQueue, Completions, Key, Registration};

mod support;
use support::{DEADLINE, collect, dequeue_by_hand, registered, until, within_deadline};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{gather_in_port, sweep};

type Queue = CompletionQueue<Counted>;
type Stream = Registration<TcpStream, Counted>;

fn queue() -> Queue {
    CompletionQueue::new().expect("a queue")
}

// Rule 1: the kernel owns it until the packet is dequeued.

#[test]
fn a_buffer_outlives_its_registration_until_the_packet_is_dequeued() {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, _peer) = registered(&queue, Key(1));
    stream.receive(drops.buffer()).expect("submitted");
    drop(stream);
    assert_eq!((drops.count(), queue.in_flight()), (0, 1), "cancelled is not given back");
    sweep(&queue);
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_buffer_outlives_a_cancellation_until_the_packet_is_dequeued() {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, _peer) = registered(&queue, Key(1));
    let id = stream.receive(drops.buffer()).expect("submitted");
    assert!(stream.cancel(id).expect("cancelled"));
    assert_eq!((drops.count(), queue.in_flight()), (0, 1));
    drop(collect(&queue, 1));
    assert_eq!((drops.count(), queue.in_flight()), (1, 0));
}

// Rule 4: everything comes back exactly once.

#[test]
fn a_registration_that_is_forgotten_keeps_talking() {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(drops.buffer()).expect("submitted");
    mem::forget(stream);
    peer.write_all(b"hello").expect("sent");
    let completions = collect(&queue, 1);
    assert!(matches!(completions[0], Completion::Received { key: Key(1), .. }));
    drop(completions);
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_queue_that_is_dropped_finds_the_operations_of_a_forgotten_registration() {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, _peer) = registered(&queue, Key(1));
    stream.receive(drops.buffer()).expect("submitted");
    mem::forget(stream);
    drop(queue);
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_queue_that_is_forgotten_frees_nothing() {
    let drops = Drops::default();
    let queue = mem::ManuallyDrop::new(queue());
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(drops.buffer()).expect("submitted");
    peer.write_all(b"hello").expect("sent");
    drop(stream);
    assert_eq!(drops.count(), 0);
}

#[test]
fn completions_outlive_the_queue() {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(drops.buffer()).expect("submitted");
    peer.write_all(b"hello").expect("sent");
    let kept = collect(&queue, 1);
    drop((queue, stream));
    assert_eq!(drops.count(), 0);
    assert!(matches!(&kept[0], Completion::Received { buffer, .. } if buffer.bytes == b"hello"));
    drop(kept);
    assert_eq!(drops.count(), 1);
}

#[test]
fn what_is_left_in_a_batch_is_dropped_with_it() {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(drops.buffer()).expect("submitted");
    peer.write_all(b"hello").expect("sent");
    let mut batch = Completions::with_capacity(8);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 1);
    assert_eq!((drops.count(), queue.in_flight()), (0, 0));
    drop(batch);
    assert_eq!(drops.count(), 1);
}

// Rule 5: nothing more is said under a key after its registration is gone.

#[test]
fn nothing_is_said_about_a_registration_that_is_gone() {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(drops.buffer()).expect("submitted");
    peer.write_all(b"hello").expect("sent");
    drop(stream);
    sweep(&queue);
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_handler_that_drops_a_registration_hears_no_more_of_it_in_the_same_batch() {
    let (queue, drops) = (queue(), Drops::default());
    let mut streams: Vec<Option<Stream>> = Vec::new();
    let mut peers = Vec::new();
    for key in 0..2 {
        let (stream, mut peer) = registered(&queue, Key(key));
        stream.receive(drops.buffer()).expect("submitted");
        peer.write_all(b"hello").expect("sent");
        streams.push(Some(stream));
        peers.push(peer);
    }
    gather_in_port(&queue, 2);
    let (mut batch, mut told) = (Completions::with_capacity(8), Vec::new());
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 2);
    for completion in batch.by_ref() {
        let Completion::Received { key, .. } = completion else { panic!("{completion:?}") };
        told.push(key);
        streams[1 - key.0] = None;
    }
    sweep(&queue);
    assert_eq!((told.len(), drops.count()), (1, 2), "one was told of: {told:?}");
}

#[test]
fn a_socket_that_was_taken_out_says_nothing_more_and_lives_on() {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(drops.buffer()).expect("submitted");
    let mut socket = stream.into_inner();
    sweep(&queue);
    assert_eq!(drops.count(), 1);
    socket.write_all(b"still here").expect("sent");
    let mut bytes = [0; 10];
    peer.read_exact(&mut bytes).expect("received");
    assert_eq!(&bytes, b"still here");
}

// Rule 7: dropping the queue waits, and then leaks rather than frees.

#[test]
fn a_queue_that_is_dropped_cancels_and_takes_everything_back() {
    let (queue, drops) = (queue(), Drops::default());
    let connections: Vec<_> = (0..100).map(|key| registered(&queue, Key(key))).collect();
    for (stream, _) in &connections {
        stream.receive(drops.buffer()).expect("submitted");
    }
    let start = Instant::now();
    drop(queue);
    assert_eq!(drops.count(), 100);
    assert!(start.elapsed() < DEADLINE);
}

#[test]
fn a_registration_without_its_queue_gives_buffers_back() {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, _peer) = registered(&queue, Key(1));
    drop(queue);
    let rejected = stream.receive(drops.buffer()).expect_err("there is no queue");
    assert_eq!(rejected.error.kind(), ErrorKind::BrokenPipe);
    assert_eq!((rejected.returned.bytes.capacity(), drops.count()), (16, 0));
}

/// An operation whose packet was taken out of the port by hand never ends for the queue. Then the
/// queue gives up after its time, and its buffer stays where the kernel could write to it.
#[test]
fn what_does_not_come_back_is_leaked_and_not_freed() {
    within_deadline(|| {
        let (queue, drops) = (queue(), Drops::default());
        let (stream, mut peer) = registered(&queue, Key(1));
        stream.receive(drops.buffer()).expect("submitted");
        peer.write_all(b"hello").expect("sent");
        dequeue_by_hand(&queue.port(), 1);
        let start = Instant::now();
        drop((queue, stream));
        assert!(start.elapsed() > Duration::from_secs(1), "it waited {:?}", start.elapsed());
        assert_eq!(drops.count(), 0);
    });
}

/// A buffer whose own code takes its time, while the queue goes.
struct Slow {
    buffer: Counted,
    dropped: Option<Receiver<()>>,
}

// SAFETY: the methods are those of the buffer within, which nothing else can reach.
unsafe impl Buffer for Slow {
    fn filled(&self, part: usize) -> &[u8] {
        self.buffer.filled(part)
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        if let Some(dropped) = self.dropped.take() {
            dropped.recv_timeout(DEADLINE).expect("the queue is dropped in the meantime");
        }
        self.buffer.spare(part)
    }

    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.buffer.advance(count) }
    }
}

/// The queue does not wait for an operation whose buffer is still being asked for its memory.
/// Nothing is lent to it any more, for nobody would ever take it back.
#[test]
fn a_buffer_that_takes_longer_than_its_queue_comes_back() {
    within_deadline(|| {
        let (queue, drops) = (CompletionQueue::<Slow>::new().expect("a queue"), Drops::default());
        let (stream, _peer) = registered(&queue, Key(1));
        let (sender, dropped) = channel();
        let slow = Slow { buffer: drops.buffer(), dropped: Some(dropped) };
        let rejected = thread::scope(|scope| {
            let submitting = scope.spawn(|| stream.receive(slow));
            until("the operation is being submitted", || stream.in_flight() == 1);
            drop(queue);
            sender.send(()).expect("the buffer waits for this");
            submitting.join().expect("no panic").expect_err("the queue is gone")
        });
        assert_eq!(rejected.error.kind(), ErrorKind::BrokenPipe);
        assert_eq!((drops.count(), stream.in_flight()), (0, 0), "the buffer is here");
    });
}
