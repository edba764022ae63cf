//! Whatever of a socket for datagrams is dropped or forgotten, in whatever order, with receives and
//! sends in flight: each buffer is dropped once, it ends in bounded time, and nothing is left. All
//! that is lent, and the table with the addresses, has pages of its own, which go when it is freed.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make sockets that std does not make")]

use std::any::Any;
use std::mem;
use std::net::UdpSocket;

use overlapped::{CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, collect, within_deadline};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops, Parts, drop_in_order, drop_on_two_threads, orders};

#[path = "support/pages.rs"]
mod pages;
use pages::{Pages, live};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{gather_in_port, sweep};

#[path = "support/handles.rs"]
mod handles;
use handles::{LAZY_HANDLES, handles, more_handles_than};

#[path = "support/udp.rs"]
mod udp;
use udp::{V4, V6, datagrams, one_from, peer};

#[global_allocator]
static ALLOCATOR: Pages = Pages;

const BUFFERS: usize = 8;
const PARTS: usize = 5;

struct Scene {
    parts: Parts,
    drops: Drops,
    _peer: UdpSocket,
}

/// Three receives in flight, one that has come and one that was sent in the port, one in a batch,
/// one whose completion was kept, and one of which only the buffer was.
fn scene() -> Scene {
    let (queue, drops) = (CompletionQueue::<Counted>::new().expect("a queue"), Drops::default());
    let (idle, _) = datagrams(&queue, Key(1), V6);
    let (near, address) = datagrams(&queue, Key(2), V4);
    let (far, from) = peer(V4);
    for _ in 0..3 {
        idle.receive_from(drops.buffer()).expect("submitted");
    }
    let receive = || {
        near.receive_from(drops.buffer()).expect("submitted");
        far.send_to(b"hello", address).expect("sent");
    };
    receive();
    let completion = collect(&queue, 1);
    receive();
    let buffer = one_from(&queue).buffer;
    receive();
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert_eq!(batch.len(), 1);
    receive();
    near.send_to(drops.buffer(), from).expect("submitted");
    gather_in_port(&queue, 2);
    let parts: [Box<dyn Any + Send>; PARTS] = [
        Box::new(queue),
        Box::new((idle, near)),
        Box::new(batch),
        Box::new(completion),
        Box::new(buffer),
    ];
    Scene { parts: parts.map(Some).into(), drops, _peer: far }
}

/// All is in one test, for what is left is counted for the whole process.
#[test]
fn in_each_order_of_dropping_each_buffer_is_dropped_once_and_nothing_is_left() {
    // The first time the system and std may load what they need, once.
    within_deadline(|| drop(scene()));
    let before = live();
    for order in orders(PARTS) {
        within_deadline(move || {
            let mut scene = scene();
            drop_in_order(&mut scene.parts, &order);
            assert_eq!(scene.drops.count(), BUFFERS, "dropped in the order {order:?}");
        });
    }
    for order in orders(PARTS).into_iter().step_by(7) {
        within_deadline(move || {
            let mut scene = scene();
            drop_on_two_threads(mem::take(&mut scene.parts), &order, 2);
            assert_eq!(scene.drops.count(), BUFFERS, "dropped in the order {order:?}");
        });
    }
    assert_eq!(live(), before, "something is left of what was lent");
    forgotten();
    sockets_leave_no_handle();
}

/// With each part forgotten nothing is dropped twice, and what is forgotten keeps its own.
fn forgotten() {
    for forgotten in 0..PARTS {
        within_deadline(move || {
            let mut scene = scene();
            mem::forget(scene.parts[forgotten].take());
            scene.parts.clear();
            let expected = match forgotten {
                // Nobody waits for the three, nor for the two in the port.
                0 => 3,
                1 => BUFFERS,
                _ => BUFFERS - 1,
            };
            assert_eq!(scene.drops.count(), expected, "part {forgotten} was forgotten");
        });
    }
}

fn sockets_leave_no_handle() {
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let before = handles();
    for _ in 0..100 {
        for _ in 0..100 {
            let (near, address) = datagrams(&queue, Key(1), V4);
            near.receive_from(Vec::with_capacity(8)).expect("submitted");
            near.send_to(Vec::new(), address).expect("submitted");
        }
        sweep(&queue);
    }
    assert_eq!(queue.in_flight(), 0);
    let more = more_handles_than(before);
    assert!(more <= LAZY_HANDLES, "{more} handles are left");
}
