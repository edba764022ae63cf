//! A buffer that uses the crate while it is told what it has received: it waits, submits, and drops
//! what the completion has come from.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the buffers that act are shared with other tests")]

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use overlapped::{Completion, Completions, Key, Registration};

mod support;
use support::{DEADLINE, one, registered, within_deadline};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::gather_in_port;

#[path = "support/acting.rs"]
mod acting;
use acting::{Acting, Queue, received, told};

fn queue() -> Arc<Queue> {
    Arc::new(Queue::new().expect("a queue"))
}

/// A batch that so many packets have come into.
#[track_caller]
fn filled(queue: &Queue, count: usize) -> Completions<Acting> {
    let mut batch = Completions::with_capacity(16);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), count);
    batch
}

#[test]
fn a_buffer_may_wait_with_another_batch() {
    within_deadline(|| {
        let (queue, (sender, came)) = (queue(), channel());
        let act = {
            let queue = Arc::clone(&queue);
            move || {
                let mut batch = Completions::with_capacity(1);
                let posted = queue.wait(&mut batch, None).expect("waiting").next();
                sender.send(posted).expect("somebody asks");
            }
        };
        let _connections = received(&queue, [Acting::in_advance(act), Acting::idle()]);
        let mut batch = filled(&queue, 2);
        queue.post(Key(9), 7).expect("posted");
        assert_eq!(told(&mut batch), ["received"; 2]);
        let posted = came.recv().expect("the buffer has acted");
        assert!(matches!(posted, Some(Completion::Posted { value: 7, .. })), "{posted:?}");
    });
}

#[test]
fn a_buffer_may_submit_operations() {
    within_deadline(|| {
        let queue = queue();
        let (other, mut peer) = registered(&queue, Key(9));
        let act = move || {
            other.receive(Acting::idle()).expect("submitted");
            // It is gone with the registration otherwise.
            std::mem::forget(other);
        };
        let _connections = received(&queue, [Acting::in_advance(act), Acting::idle()]);
        assert_eq!(told(&mut filled(&queue, 2)), ["received"; 2]);
        assert_eq!(queue.in_flight(), 1);
        peer.write_all(b"?").expect("sent");
        let completion = one(&queue);
        assert_eq!(completion.key(), Some(Key(9)));
        assert_eq!(completion.into_buffer().expect("that of a receive").bytes, b"?");
    });
}

/// The batch keeps what it needs of the queue.
#[test]
fn a_buffer_may_drop_the_last_reference_of_its_queue() {
    within_deadline(|| {
        let (queue, (give, last)) = (queue(), channel::<Arc<Queue>>());
        let act = move || drop(last.recv().expect("it was given before"));
        let connections = received(&queue, [Acting::in_advance(act), Acting::idle()]);
        // One is pending, for the drop to cancel.
        connections[0].0.receive(Acting::idle()).expect("submitted");
        let mut batch = filled(&queue, 2);
        give.send(queue).expect("the buffer waits for it");
        assert_eq!(told(&mut batch), ["received"; 2]);
        let rejected = connections[0].0.receive(Acting::idle()).expect_err("there is no queue");
        assert_eq!(rejected.error.kind(), ErrorKind::BrokenPipe);
        assert_eq!(connections[0].0.in_flight(), 0);
    });
}

/// Its own completion has begun to come, and comes; what lies behind it is not given out.
#[test]
fn a_buffer_may_drop_its_registration() {
    within_deadline(|| {
        let (queue, (give, own)) = (queue(), channel::<Registration<TcpStream, Acting>>());
        let act = move || drop(own.recv().expect("it was given before"));
        let (stream, mut peer) = registered(&queue, Key(1));
        stream.receive(Acting::in_advance(act)).expect("submitted");
        peer.write_all(b"!").expect("sent");
        gather_in_port(&queue, 1);
        stream.receive(Acting::idle()).expect("submitted");
        peer.write_all(b"?").expect("sent");
        gather_in_port(&queue, 2);
        queue.post(Key(9), 7).expect("posted");
        let mut batch = filled(&queue, 3);
        give.send(stream).expect("the buffer waits for it");
        assert_eq!(told(&mut batch), ["received", "posted"]);
        assert_eq!(queue.in_flight(), 0);
        let quiet = queue.wait(&mut batch, Some(Duration::ZERO)).expect("a look");
        assert!(quiet.is_empty());
    });
}

/// A buffer that is dropped can have a registration of its own, as part of a connection.
#[test]
fn a_buffer_that_is_dropped_may_drop_other_registrations_of_its_queue() {
    within_deadline(|| {
        let queue = queue();
        let (other, _peer) = registered(&queue, Key(9));
        other.receive(Acting::idle()).expect("submitted");
        let (stream, _other_peer) = registered(&queue, Key(1));
        stream.receive(Acting::in_drop(move || drop(other))).expect("submitted");
        drop(Arc::into_inner(queue).expect("the only reference"));
        assert_eq!(stream.in_flight(), 0);
    });
}
