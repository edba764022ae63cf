//! Code of the caller's that panics inside of the crate: a buffer that is told what it has
//! received, or one that is dropped. Each panic costs its own buffer, and nothing else.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the buffers that act are shared with other tests")]

use std::any::Any;
use std::io::Write;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use overlapped::{Completion, Completions, Key};

mod support;
use support::{DEADLINE, one, registered};

#[path = "support/tcp.rs"]
mod tcp;

#[path = "support/acting.rs"]
mod acting;
use acting::{Acting, Connection, Queue, received, told};

fn queue() -> Queue {
    Queue::new().expect("a queue")
}

/// A batch that so many packets have come into.
#[track_caller]
fn filled(queue: &Queue, count: usize) -> Completions<Acting> {
    let mut batch = Completions::with_capacity(16);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), count);
    batch
}

/// A buffer that panics when it is told what was received.
fn panics_in_advance() -> Acting {
    Acting::in_advance(|| panic!("on purpose: in advance"))
}

/// What panics with it panics too when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose: in the drop of what a panic carries");
    }
}

/// Buffers that count themselves when they are dropped, and then panic.
#[derive(Clone, Default)]
struct Panics(Arc<AtomicUsize>);

impl Panics {
    fn buffer(&self) -> Acting {
        self.buffer_with(|| "on purpose: in a drop")
    }

    fn buffer_with<T: Any + Send>(&self, payload: impl FnOnce() -> T + Send + 'static) -> Acting {
        let count = Arc::clone(&self.0);
        Acting::in_drop(move || {
            count.fetch_add(1, SeqCst);
            panic_any(payload());
        })
    }

    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// So many of them in flight.
fn in_flight(queue: &Queue, buffers: impl IntoIterator<Item = Acting>) -> Vec<Connection> {
    let submit = |(key, buffer)| {
        let connection = registered(queue, Key(key));
        connection.0.receive(buffer).expect("submitted");
        connection
    };
    buffers.into_iter().enumerate().map(submit).collect()
}

/// The panic with which something is dropped.
#[track_caller]
fn panic_of_drop<T>(dropped: T) -> Box<dyn Any + Send> {
    catch_unwind(AssertUnwindSafe(|| drop(dropped))).expect_err("the panic goes on")
}

#[test]
fn a_panic_in_advance_costs_its_own_buffer_alone() {
    let queue = queue();
    let buffer = |n| if n % 2 == 0 { panics_in_advance() } else { Acting::idle() };
    let connections = received(&queue, (0..6).map(buffer));
    let mut batch = filled(&queue, 6);
    assert_eq!(told(&mut batch), ["a panic", "received"].repeat(3));
    assert!(connections.iter().all(|(stream, _)| stream.in_flight() == 0));
    assert_eq!(queue.in_flight(), 0);
}

#[test]
fn what_lies_behind_a_panic_comes_in_order() {
    let queue = queue();
    let _connections = received(&queue, [panics_in_advance(), Acting::idle()]);
    queue.post(Key(0), 1).expect("posted");
    queue.waker().wake().expect("posted");
    queue.shut_down().expect("shut down");
    let mut batch = filled(&queue, 5);
    assert_eq!(told(&mut batch), ["a panic", "received", "posted", "woken", "shut down"]);
}

#[test]
fn the_next_wait_brings_what_lies_behind_a_panic() {
    let queue = queue();
    let _connections = received(&queue, [panics_in_advance(), Acting::idle()]);
    let mut batch = filled(&queue, 2);
    catch_unwind(AssertUnwindSafe(|| batch.next())).expect_err("a panic");
    let next = queue.wait(&mut batch, Some(Duration::ZERO)).expect("waiting");
    assert_eq!(told(next), ["received"]);
}

/// The stream whose buffer has panicked goes on.
#[test]
fn a_stream_receives_after_a_panic_in_advance() {
    let queue = queue();
    let mut connections = received(&queue, [panics_in_advance()]);
    assert_eq!(told(&mut filled(&queue, 1)), ["a panic"]);
    let (stream, peer) = &mut connections[0];
    stream.receive(Acting::idle()).expect("submitted");
    peer.write_all(b"?").expect("sent");
    let buffer = one(&queue).into_buffer().expect("the buffer of a receive");
    assert_eq!(buffer.bytes, b"?");
}

/// A buffer of a registration that has gone is dropped where it is met.
#[test]
fn a_panic_in_the_drop_of_a_buffer_comes_out_of_next_and_not_out_of_wait() {
    let (queue, panics) = (queue(), Panics::default());
    let mut connections = received(&queue, [panics.buffer(), Acting::idle()]);
    drop(connections.remove(0));
    let mut batch = filled(&queue, 2);
    assert_eq!(panics.count(), 0, "dropped by the wait");
    assert_eq!(told(&mut batch), ["a panic", "received"]);
    assert_eq!((panics.count(), queue.in_flight()), (1, 0));
}

/// Those that were put back are dropped too.
#[test]
fn a_panic_in_the_drop_of_a_batch_keeps_none_of_its_buffers() {
    let (queue, panics) = (queue(), Panics::default());
    let _connections = received(&queue, [(); 5].map(|()| panics.buffer()));
    let mut batch = filled(&queue, 5);
    let first = batch.next().expect("there are five");
    batch.push(first);
    let panic = panic_of_drop(batch);
    assert_eq!(panic.downcast_ref(), Some(&"on purpose: in a drop"));
    assert_eq!((panics.count(), queue.in_flight()), (5, 0));
}

#[test]
fn a_panic_in_the_drop_of_a_batch_keeps_no_wake_up() {
    let (queue, panics) = (queue(), Panics::default());
    let _connections = received(&queue, [panics.buffer()]);
    queue.waker().wake().expect("posted");
    panic_of_drop(filled(&queue, 2));
    assert!(matches!(one(&queue), Completion::Woken));
}

/// There are more than come out of the port at once.
#[test]
fn a_panic_in_the_drop_of_a_queue_keeps_none_of_its_buffers() {
    let (queue, panics) = (queue(), Panics::default());
    let _connections = in_flight(&queue, [(); 100].map(|()| panics.buffer()));
    let panic = panic_of_drop(queue);
    assert_eq!(panic.downcast_ref(), Some(&"on purpose: in a drop"));
    assert_eq!(panics.count(), 100);
}

/// What panics carry is dropped by whoever catches them, and that can panic once more.
#[test]
fn panics_that_carry_what_panics_when_it_is_dropped_keep_no_buffer_of_a_batch() {
    let (queue, panics) = (queue(), Panics::default());
    let _connections = received(&queue, [(); 4].map(|()| panics.buffer_with(|| Bomb)));
    mem::forget(panic_of_drop(filled(&queue, 4)));
    assert_eq!((panics.count(), queue.in_flight()), (4, 0));
}

#[test]
fn panics_that_carry_what_panics_when_it_is_dropped_keep_no_buffer_of_a_queue() {
    let (queue, panics) = (queue(), Panics::default());
    let _connections = in_flight(&queue, [(); 4].map(|()| panics.buffer_with(|| Bomb)));
    mem::forget(panic_of_drop(queue));
    assert_eq!(panics.count(), 4);
}

/// A second panic that left the drop would end the process.
#[test]
fn a_thread_that_panics_drops_its_batch_and_goes_on_with_its_own_panic() {
    let (queue, panics) = (queue(), Panics::default());
    let _connections = received(&queue, [(); 3].map(|()| panics.buffer_with(|| Bomb)));
    let batch = filled(&queue, 3);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _batch = batch;
        panic_any("on purpose: the program's own");
    }));
    let panic = panic.expect_err("a panic");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose: the program's own"));
    assert_eq!((panics.count(), queue.in_flight()), (3, 0));
}

#[test]
fn a_thread_that_panics_drops_its_queue_and_goes_on_with_its_own_panic() {
    let (queue, panics) = (queue(), Panics::default());
    let _connections = in_flight(&queue, [(); 3].map(|()| panics.buffer_with(|| Bomb)));
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _queue = queue;
        panic_any("on purpose: the program's own");
    }));
    let panic = panic.expect_err("a panic");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose: the program's own"));
    assert_eq!(panics.count(), 3);
}
