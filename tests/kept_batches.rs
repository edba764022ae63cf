//! A batch that is not read at once: what is in it is in flight no more, and waits there for as
//! long as it has to, whatever becomes of its queue and its registrations meanwhile.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the buffers that count are shared with other tests")]

use std::io::Write;
use std::mem;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use overlapped::{Completion, CompletionQueue, Completions, Key, OperationId, Registration};

mod support;
use support::{DEADLINE, Received, one, registered, within_deadline};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::gather_in_port;

type Queue = CompletionQueue<Counted>;
type Batch = Completions<Counted>;

fn queue() -> Queue {
    CompletionQueue::new().expect("a queue")
}

/// A receive that has ended and lies in a batch, with all that it has come from.
struct Kept {
    queue: Queue,
    stream: Registration<TcpStream, Counted>,
    batch: Batch,
    drops: Drops,
    id: OperationId,
    _peer: TcpStream,
}

#[track_caller]
fn kept() -> Kept {
    let (queue, drops) = (queue(), Drops::default());
    let (stream, mut peer) = registered(&queue, Key(7));
    let id = stream.receive(drops.buffer()).expect("submitted");
    peer.write_all(b"kept").expect("sent");
    let mut batch = Completions::with_capacity(8);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 1);
    Kept { queue, stream, batch, drops, id, _peer: peer }
}

/// The receive comes out, as it was when it was dequeued.
#[track_caller]
fn assert_whole(batch: Batch, id: OperationId) {
    let mut read: Vec<_> = batch.collect();
    assert_eq!(read.len(), 1, "{read:?}");
    let received = Received::of(read.remove(0));
    assert_eq!((received.key, received.id, received.count()), (Key(7), id, 4));
    assert_eq!(received.buffer.bytes, b"kept");
}

#[test]
fn a_batch_is_read_after_its_queue_has_gone() {
    let Kept { queue, stream, batch, drops, id, .. } = kept();
    drop(queue);
    assert_eq!((drops.count(), stream.in_flight()), (0, 1));
    assert_whole(batch, id);
    assert_eq!((drops.count(), stream.in_flight()), (1, 0));
}

#[test]
fn a_batch_is_read_on_another_thread_after_its_queue_has_gone() {
    let Kept { queue, stream, batch, drops, id, .. } = kept();
    drop(queue);
    thread::spawn(move || assert_whole(batch, id)).join().expect("it is read");
    assert_eq!((drops.count(), stream.in_flight()), (1, 0));
}

/// Of a registration that has gone nothing is given out; the batch knows that without the queue.
#[test]
fn a_batch_that_is_read_after_its_queue_and_its_registration_drops_the_buffer() {
    for queue_first in [true, false] {
        let Kept { queue, stream, mut batch, drops, .. } = kept();
        if queue_first {
            drop(queue);
            drop(stream);
        } else {
            drop(stream);
            drop(queue);
        }
        assert_eq!((drops.count(), batch.len()), (0, 1));
        assert!(batch.next().is_none());
        assert_eq!(drops.count(), 1);
        drop(batch);
        assert_eq!(drops.count(), 1);
    }
}

/// The places of registrations that have gone are taken by others, while their operations lie in a
/// batch: each is told, or not told, of its own.
#[test]
fn registrations_that_come_later_have_no_part_in_what_lies_in_a_batch() {
    let Kept { queue, stream, mut batch, drops, .. } = kept();
    drop(stream);
    let others: Vec<_> = (0..100).map(|key| registered(&queue, Key(key))).collect();
    for (other, _) in &others {
        assert_eq!(other.in_flight(), 0);
        other.receive(drops.buffer()).expect("submitted");
    }
    assert!(batch.next().is_none());
    assert!(others.iter().all(|(other, _)| other.in_flight() == 1));
    drop(queue);
    assert_eq!(drops.count(), 101);
}

/// Nobody frees what is in it, and nobody waits for it: were it in flight, the queue would.
#[test]
fn a_batch_that_is_forgotten_leaks_its_buffers_and_holds_up_nobody() {
    within_deadline(|| {
        let Kept { queue, stream, batch, drops, .. } = kept();
        mem::forget(batch);
        assert_eq!(queue.in_flight(), 0);
        drop((queue, stream));
        assert_eq!(drops.count(), 0);
    });
}

#[test]
fn a_batch_that_is_dropped_unread_drops_each_of_its_buffers_once() {
    let (queue, drops) = (queue(), Drops::default());
    let mut connections: Vec<_> = (0..5).map(|key| registered(&queue, Key(key))).collect();
    for (stream, peer) in &mut connections {
        stream.receive(drops.buffer()).expect("submitted");
        peer.write_all(b"!").expect("sent");
    }
    gather_in_port(&queue, 5);
    let mut batch = Completions::with_capacity(8);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 5);
    // One is read, and its buffer kept; and one has lost its registration.
    let first = batch.next();
    connections.pop();
    drop(batch);
    assert_eq!((drops.count(), queue.in_flight()), (4, 0));
    assert!(connections.iter().all(|(stream, _)| stream.in_flight() == 0));
    drop(first);
    drop(queue);
    assert_eq!(drops.count(), 5);
}

/// Another queue lets the batch keep what it has, and fills it when that has been read.
#[test]
fn an_unread_batch_can_be_used_with_another_queue() {
    let Kept { queue: first, stream: _stream, mut batch, drops, .. } = kept();
    let second = queue();
    let (stream, mut peer) = registered(&second, Key(8));
    let id = stream.receive(drops.buffer()).expect("submitted");
    let received = second.wait(&mut batch, Some(Duration::ZERO)).expect("a look").next();
    assert_eq!(Received::of(received.expect("one was kept")).key, Key(7));
    drop(first);
    peer.write_all(b"more").expect("sent");
    let received = second.wait(&mut batch, Some(DEADLINE)).expect("waiting").next();
    let received = Received::of(received.expect("it has come"));
    assert_eq!((received.key, received.id), (Key(8), id));
    assert_eq!(received.buffer.bytes, b"more");
}

/// The wake-up is given back to the queue that it has come from.
#[test]
fn a_wake_up_in_a_batch_that_is_dropped_comes_again() {
    let (queue, other) = (queue(), queue());
    let mut batch = Batch::with_capacity(8);
    assert!(other.wait(&mut batch, Some(Duration::ZERO)).expect("a look").is_empty());
    queue.waker().wake().expect("posted");
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 1);
    drop(batch);
    assert!(matches!(one(&queue), Completion::Woken));
    // One that has been read does not.
    let mut batch = Batch::with_capacity(8);
    queue.waker().wake().expect("posted");
    assert!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").next().is_some());
    drop(batch);
    let mut batch = Batch::with_capacity(8);
    assert!(queue.wait(&mut batch, Some(Duration::ZERO)).expect("a look").is_empty());
}

/// Both counts, while it goes from the kernel to the batch and to the program.
#[test]
fn what_lies_in_a_batch_counts_for_its_registration_and_not_for_the_queue() {
    let Kept { queue, stream, mut batch, .. } = kept();
    assert_eq!((queue.in_flight(), stream.in_flight()), (0, 1));
    let completion = batch.next().expect("one was kept");
    assert_eq!((queue.in_flight(), stream.in_flight()), (0, 0));
    drop(completion);
}

#[test]
fn what_lies_in_a_batch_cannot_be_cancelled_and_comes_as_it_was() {
    let Kept { queue: _queue, stream, batch, id, .. } = kept();
    assert!(!stream.cancel(id).expect("nothing to cancel is no error"));
    assert_whole(batch, id);
}
