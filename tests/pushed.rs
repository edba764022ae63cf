//! Completions that a program puts back into its batch, for later: the next wait brings them behind
//! what has come, and sleeps for nothing.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the buffers that count are shared with other tests")]

use std::io::Write;
use std::time::Duration;

use overlapped::{Buffer, Completion, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, Received, registered, within_deadline};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops};

type Queue = CompletionQueue<Counted>;
type Batch = Completions<Counted>;

fn queue() -> Queue {
    CompletionQueue::new().expect("a queue")
}

fn posted(value: u32) -> Completion<Counted> {
    Completion::Posted { key: Key(1), value }
}

/// What a wait brings that shall not sleep, though it has leave to for ever: the value of each.
/// `ShutDown` stands for 0.
#[track_caller]
fn values(queue: &Queue, batch: &mut Batch) -> Vec<u32> {
    let value = |completion| match completion {
        Completion::Posted { value, .. } => value,
        Completion::ShutDown => 0,
        other => panic!("{other:?}"),
    };
    queue.wait(batch, None).expect("waiting").map(value).collect()
}

/// A receive that has ended, and its batch.
#[track_caller]
fn received(queue: &Queue, batch: &mut Batch, drops: &Drops) -> Completion<Counted> {
    let (stream, mut peer) = registered(queue, Key(7));
    stream.receive(drops.buffer()).expect("submitted");
    peer.write_all(b"!").expect("sent");
    queue.wait(batch, Some(DEADLINE)).expect("waiting").next().expect("it has come")
}

#[test]
fn what_was_put_back_comes_with_the_next_wait_which_does_not_sleep() {
    within_deadline(|| {
        let (queue, mut batch) = (queue(), Batch::with_capacity(8));
        batch.push(posted(1));
        assert_eq!(values(&queue, &mut batch), [1]);
        batch.push(posted(2));
        assert_eq!(values(&queue, &mut batch), [2]);
        let nothing = queue.wait(&mut batch, Some(Duration::ZERO)).expect("a look");
        assert!(nothing.is_empty(), "once is enough");
    });
}

#[test]
fn several_that_were_put_back_keep_their_order() {
    within_deadline(|| {
        let (queue, mut batch) = (queue(), Batch::with_capacity(2));
        (1..=20).for_each(|value| batch.push(posted(value)));
        assert_eq!(values(&queue, &mut batch), (1..=20).collect::<Vec<_>>());
    });
}

/// So nobody who goes on with a connection over and over keeps another waiting.
#[test]
fn what_has_come_meanwhile_comes_before_what_was_put_back() {
    within_deadline(|| {
        let (queue, mut batch) = (queue(), Batch::with_capacity(2));
        (11..=15).for_each(|value| queue.post(Key(1), value).expect("posted"));
        batch.push(posted(1));
        let mut order = Vec::new();
        for _ in 0..3 {
            let came = values(&queue, &mut batch);
            // The last one goes on and on.
            assert_eq!(came.last(), Some(&1));
            batch.push(posted(1));
            order.extend(came);
        }
        assert_eq!(order, [11, 12, 1, 13, 14, 1, 15, 1]);
    });
}

/// What a loop puts in while it reads comes after the loop, so the loop ends.
#[test]
fn what_is_put_back_while_the_batch_is_read_comes_with_the_wait_after() {
    within_deadline(|| {
        let (queue, mut batch) = (queue(), Batch::with_capacity(8));
        queue.post(Key(1), 1).expect("posted");
        queue.post(Key(1), 2).expect("posted");
        let mut read = 0;
        queue.wait(&mut batch, None).expect("waiting");
        while let Some(completion) = batch.next() {
            batch.push(completion);
            read += 1;
        }
        assert_eq!(read, 2);
        assert_eq!(values(&queue, &mut batch), [1, 2]);
    });
}

#[test]
fn what_was_put_back_does_not_count_before_the_wait_that_brings_it() {
    let (queue, mut batch) = (queue(), Batch::with_capacity(8));
    batch.push(posted(1));
    assert_eq!((batch.len(), batch.is_empty(), batch.size_hint()), (0, true, (0, Some(0))));
    assert!(batch.next().is_none());
    queue.post(Key(1), 2).expect("posted");
    queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert_eq!((batch.len(), batch.is_empty(), batch.size_hint()), (2, false, (0, Some(2))));
    batch.next();
    assert_eq!((batch.len(), batch.is_empty()), (1, false));
    batch.next();
    assert_eq!((batch.len(), batch.is_empty()), (0, true));
}

#[test]
fn the_shutdown_comes_behind_what_was_put_back() {
    within_deadline(|| {
        let (queue, mut batch) = (queue(), Batch::with_capacity(8));
        batch.push(posted(1));
        queue.post(Key(1), 2).expect("posted");
        queue.shut_down().expect("shut down");
        assert_eq!(values(&queue, &mut batch), [2, 1, 0]);
    });
}

/// The empty batch is the end, and comes when all has been read.
#[test]
fn the_end_comes_when_nothing_more_is_put_back() {
    within_deadline(|| {
        let (queue, mut batch) = (queue(), Batch::with_capacity(8));
        queue.shut_down().expect("shut down");
        assert_eq!(values(&queue, &mut batch), [0]);
        for value in 1..4 {
            batch.push(posted(value));
            assert_eq!(values(&queue, &mut batch), [value]);
        }
        assert_eq!(values(&queue, &mut batch), []);
    });
}

/// It was given out once, so the batch does not ask whether somebody wants to hear of it.
#[test]
fn what_was_put_back_comes_again_though_its_registration_has_gone() {
    within_deadline(|| {
        let (queue, mut batch, drops) = (queue(), Batch::with_capacity(8), Drops::default());
        let completion = received(&queue, &mut batch, &drops);
        batch.push(completion);
        let again = queue.wait(&mut batch, None).expect("waiting").next();
        let received = Received::of(again.expect("it comes again"));
        assert_eq!((received.key, received.buffer.filled(0)), (Key(7), &b"!"[..]));
        assert_eq!(drops.count(), 0);
    });
}

#[test]
fn what_was_put_back_is_dropped_with_the_batch() {
    for waits in [false, true] {
        let (queue, mut batch, drops) = (queue(), Batch::with_capacity(8), Drops::default());
        let completion = received(&queue, &mut batch, &drops);
        batch.push(completion);
        if waits {
            assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 1);
        }
        drop(queue);
        assert_eq!(drops.count(), 0);
        drop(batch);
        assert_eq!(drops.count(), 1);
    }
}

#[test]
fn what_was_put_back_may_come_from_another_queue() {
    within_deadline(|| {
        let (first, second, mut batch) = (queue(), queue(), Batch::with_capacity(8));
        let drops = Drops::default();
        let completion = received(&first, &mut batch, &drops);
        batch.push(completion);
        drop(first);
        let again = second.wait(&mut batch, None).expect("waiting").next();
        assert_eq!(Received::of(again.expect("it comes again")).buffer.bytes, b"!");
    });
}

/// What is put back goes with the batch through all stages of a shutdown, and to another queue.
#[test]
fn what_was_put_back_goes_through_a_shutdown_and_to_another_queue() {
    let posted = |value| Completion::Posted { key: Key(0), value };
    let read = |queue: &CompletionQueue, batch: &mut Completions| -> Vec<String> {
        queue.wait(batch, Some(Duration::from_millis(50))).expect("waiting");
        let (mut seen, mut left) = (Vec::new(), batch.len());
        while let Some(completion) = batch.next() {
            left -= 1;
            assert_eq!(batch.len(), left);
            seen.push(match completion {
                Completion::Posted { value, .. } => value.to_string(),
                other => format!("{other:?}"),
            });
        }
        seen
    };
    let [one, two] = [(); 2].map(|()| CompletionQueue::new().expect("a queue"));
    let mut batch = Completions::with_capacity(2);
    batch.push(posted(1));
    assert_eq!(read(&one, &mut batch), ["1"]);
    batch.push(posted(2));
    one.shut_down().expect("told");
    assert_eq!(read(&one, &mut batch), ["2", "ShutDown"]);
    batch.push(posted(3));
    assert_eq!(read(&one, &mut batch), ["3"]);
    assert!(read(&one, &mut batch).is_empty(), "the end");
    batch.push(posted(4));
    assert_eq!(read(&one, &mut batch), ["4"]);
    batch.push(posted(5));
    (6..9).for_each(|value| two.post(Key(0), value).expect("posted"));
    assert_eq!(read(&two, &mut batch), ["6", "7", "5"]);
    batch.push(posted(9));
    two.shut_down().expect("told");
    assert_eq!(read(&two, &mut batch), ["8", "9", "ShutDown"]);
    batch.push(posted(10));
    drop((one, two));
    assert_eq!(batch.len(), 0, "it waits for the next wait");
}
