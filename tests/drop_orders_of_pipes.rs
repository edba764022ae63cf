//! Whatever of pipes is dropped, in whatever order: each buffer is dropped once, no handle is left,
//! and it ends in bounded time.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the buffers that count are shared with other tests")]

use std::any::Any;
use std::mem;

use overlapped::{CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, collect, within_deadline};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops, Parts, drop_in_order, drop_on_two_threads, orders};

#[path = "support/pipes.rs"]
mod pipes;
use pipes::{bytes, connected, messages, new_name, server};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::gather_in_port;

#[path = "support/handles.rs"]
mod handles;
use handles::{LAZY_HANDLES, handles, more_handles_than};

/// What operations of each kind in flight, two in a batch, one in the port and one whose completion
/// was kept can meet with.
struct Scene {
    parts: Parts,
    drops: Drops,
}

const BUFFERS: usize = 7;
const PARTS: usize = 6;

fn scene() -> Scene {
    let queue = CompletionQueue::<Counted>::new().expect("a queue");
    let drops = Drops::default();
    let filled = |count: usize| {
        let mut buffer = drops.buffer();
        buffer.bytes = vec![7; count];
        buffer
    };
    let (near, far) = connected(&queue, &messages());
    far.write(filled(5)).expect("submitted");
    let completion = collect(&queue, 1);
    near.read(drops.buffer()).expect("submitted");
    far.write(filled(5)).expect("submitted");
    gather_in_port(&queue, 2);
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert_eq!(batch.len(), 2);
    // For the first of them the message is there, so its packet lies in the port when things are
    // dropped.
    (0..3).for_each(|_| assert!(near.read(drops.buffer()).is_ok()));
    let waiting = server(&queue, Key(3), &new_name(), &bytes());
    waiting.connect_client().expect("submitted");
    // More than the pipe keeps.
    let (narrow, peer) = within(&queue);
    narrow.write(filled(100_000)).expect("submitted");
    let parts: [Box<dyn Any + Send>; PARTS] = [
        Box::new(queue),
        Box::new((near, narrow)),
        Box::new((far, peer)),
        Box::new(waiting),
        Box::new(batch),
        Box::new(completion),
    ];
    Scene { parts: parts.map(Some).into(), drops }
}

/// A pipe that keeps little.
fn within(queue: &CompletionQueue<Counted>) -> (pipes::Pipe<Counted>, overlapped::NamedPipe) {
    let (name, options) = (new_name(), bytes().buffer_sizes(64, 64));
    let near = server(queue, Key(4), &name, &options);
    (near, overlapped::NamedPipe::client(&name, &options).expect("a client"))
}

#[test]
fn in_each_order_of_dropping_each_buffer_is_dropped_once_and_no_handle_is_left() {
    drop(within_deadline(scene));
    let before = handles();
    for order in orders(PARTS) {
        within_deadline(move || {
            let mut scene = scene();
            drop_in_order(&mut scene.parts, &order);
            assert_eq!(scene.drops.count(), BUFFERS, "dropped in the order {order:?}");
        });
    }
    let more = more_handles_than(before);
    assert!(more <= LAZY_HANDLES, "{more} handles are left");

    // On two threads, and with each part forgotten; in the same test, for handles are the
    // process's.
    for order in orders(PARTS).into_iter().step_by(7) {
        within_deadline(move || {
            let mut scene = scene();
            drop_on_two_threads(mem::take(&mut scene.parts), &order, 3);
            assert_eq!(scene.drops.count(), BUFFERS, "dropped in the order {order:?}");
        });
    }
    for forgotten in 0..PARTS {
        within_deadline(move || {
            let mut scene = scene();
            mem::forget(scene.parts[forgotten].take());
            scene.parts.clear();
            let dropped = scene.drops.count();
            // A queue that is forgotten waits for nothing; a batch keeps its two buffers, and the
            // completion its one.
            let least = [BUFFERS - 4, BUFFERS, BUFFERS, BUFFERS, BUFFERS - 2, BUFFERS - 1];
            assert!(
                (least[forgotten]..=BUFFERS).contains(&dropped),
                "{dropped} were dropped when part {forgotten} was forgotten"
            );
        });
    }
}
