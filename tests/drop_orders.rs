//! Whatever is dropped, forgotten or sent to another thread, in whatever order: each buffer is
//! dropped once, and it ends in bounded time.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the buffers that count are shared with other tests")]

use std::any::Any;
use std::io::Write;
use std::mem;
use std::net::TcpStream;
use std::thread;

use overlapped::{CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, collect, one_received, registered, within_deadline};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops, Parts, drop_in_order, drop_on_two_threads, orders};

/// What two operations in flight, one in the port, one in a batch, one whose completion was kept
/// and one of which only the buffer was can meet with.
struct Scene {
    parts: Parts,
    drops: Drops,
    _peers: [TcpStream; 3],
}

const BUFFERS: usize = 6;
const PARTS: usize = 6;

fn scene() -> Scene {
    let queue = CompletionQueue::<Counted>::new().expect("a queue");
    let drops = Drops::default();
    let (idle, idle_peer) = registered(&queue, Key(1));
    idle.receive(drops.buffer()).expect("submitted");
    idle.receive(drops.buffer()).expect("submitted");
    let (kept, mut kept_peer) = registered(&queue, Key(2));
    let (unread, mut unread_peer) = registered(&queue, Key(3));
    kept.receive(drops.buffer()).expect("submitted");
    kept_peer.write_all(b"kept").expect("sent");
    let completion = collect(&queue, 1);
    kept.receive(drops.buffer()).expect("submitted");
    kept_peer.write_all(b"a buffer").expect("sent");
    let buffer = one_received(&queue).buffer;
    unread.receive(drops.buffer()).expect("submitted");
    unread_peer.write_all(b"unread").expect("sent");
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert_eq!(batch.len(), 1);
    // A packet that has come, and lies in the port when things are dropped.
    kept.receive(drops.buffer()).expect("submitted");
    kept_peer.write_all(b"more").expect("sent");
    let (waker, registrations) = (queue.waker(), (idle, kept, unread));
    waker.wake().expect("woken");
    let parts: [Box<dyn Any + Send>; PARTS] = [
        Box::new(queue),
        Box::new(registrations),
        Box::new(waker),
        Box::new(batch),
        Box::new(completion),
        Box::new(buffer),
    ];
    let peers = [idle_peer, kept_peer, unread_peer];
    Scene { parts: parts.map(Some).into(), drops, _peers: peers }
}

#[test]
fn in_each_order_of_dropping_each_buffer_is_dropped_once() {
    for order in orders(PARTS) {
        // A limit for each order: a machine that is busy with other things may take a minute for
        // all.
        within_deadline(move || {
            let mut scene = scene();
            drop_in_order(&mut scene.parts, &order);
            assert_eq!(scene.drops.count(), BUFFERS, "dropped in the order {order:?}");
        });
    }
}

#[test]
fn in_each_order_of_dropping_on_two_threads_each_buffer_is_dropped_once() {
    for order in orders(PARTS) {
        within_deadline(move || {
            let mut scene = scene();
            drop_on_two_threads(mem::take(&mut scene.parts), &order, 3);
            assert_eq!(scene.drops.count(), BUFFERS, "dropped in the order {order:?}");
        });
    }
}

/// On one thread, and on two.
#[test]
fn with_each_part_forgotten_nothing_is_dropped_twice() {
    for (forgotten, on_two) in (0..PARTS).flat_map(|part| [(part, false), (part, true)]) {
        within_deadline(move || {
            let mut scene = scene();
            let part = scene.parts[forgotten].take();
            let forget = move || mem::forget(part);
            let other = if on_two {
                Some(thread::spawn(forget))
            } else {
                forget();
                None
            };
            scene.parts.clear();
            other.map(thread::JoinHandle::join).transpose().expect("nothing panics");
            let dropped = scene.drops.count();
            // A queue that is forgotten waits for nothing, and a batch or a completion that is
            // forgotten keeps its buffer, as does a buffer; the others own none.
            let expected = match forgotten {
                0 => 3,
                3..=5 => BUFFERS - 1,
                _ => BUFFERS,
            };
            assert_eq!(dropped, expected, "part {forgotten} was forgotten");
        });
    }
}
