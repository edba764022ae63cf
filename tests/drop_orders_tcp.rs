//! Whatever of a server and its clients is dropped, in whatever order: each buffer is dropped once,
//! no handle is left, and it ends in bounded time.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the buffers that count are shared with other tests")]

use std::any::Any;
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use overlapped::{CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, registered};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops, Parts, drop_in_order, drop_on_two_threads, orders};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{LARGE, V4, crowded, gather_in_port, listening, without_send_buffer};

#[path = "support/handles.rs"]
mod handles;
use handles::{LAZY_HANDLES, handles, more_handles_than};

/// What operations of each kind in flight, and three that have ended in a batch, can meet with.
struct Scene {
    parts: Parts,
    drops: Drops,
    _peers: [TcpStream; 4],
}

/// One that is being sent, one that was sent, and one that waits for bytes.
const BUFFERS: usize = 3;
const PARTS: usize = 6;

fn scene(nobody: SocketAddr) -> Scene {
    let queue = CompletionQueue::<Counted>::new().expect("a queue");
    let drops = Drops::default();
    let (listener, address) = listening(&queue, Key(1), V4);
    for _ in 0..4 {
        listener.accept().expect("submitted");
    }
    let (sender, peer_of_sender) = registered(&queue, Key(3));
    let clients = [(); 2].map(|()| TcpStream::connect(address).expect("a client"));
    let mut short = drops.buffer();
    short.bytes.extend_from_slice(b"hello");
    sender.send(short).expect("submitted");
    gather_in_port(&queue, 3);
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert_eq!(batch.len(), 3);
    drop(batch.next());
    // A connection that was accepted, and whose packet lies in the port when things are dropped.
    let late = TcpStream::connect(address).expect("a client");
    without_send_buffer(sender.get_ref());
    let mut long = drops.buffer();
    // Zeros, which the system makes only where they are wanted: all these orders have such a
    // buffer.
    long.bytes = vec![0; LARGE];
    sender.send(long).expect("submitted");
    sender.receive(drops.buffer()).expect("submitted");
    let (connecting, _) = queue.connect(nobody, Key(2)).expect("submitted");
    let waker = queue.waker();
    waker.wake().expect("woken");
    let parts: [Box<dyn Any + Send>; PARTS] = [
        Box::new(queue),
        Box::new(listener),
        Box::new(connecting),
        Box::new(sender),
        Box::new(waker),
        Box::new(batch),
    ];
    let [one, two] = clients;
    let peers = [peer_of_sender, one, two, late];
    Scene { parts: parts.map(Some).into(), drops, _peers: peers }
}

fn in_each_order(nobody: SocketAddr) {
    let before = handles();
    for order in orders(PARTS) {
        let start = Instant::now();
        let mut scene = scene(nobody);
        drop_in_order(&mut scene.parts, &order);
        assert_eq!(scene.drops.count(), BUFFERS, "dropped in the order {order:?}");
        drop(scene);
        assert!(start.elapsed() < Duration::from_secs(5), "dropped in the order {order:?}");
    }
    // Counted once, for counting can take long. What a few orders alone would leave does not show
    // beside what a system may have made for itself.
    assert!(more_handles_than(before) <= LAZY_HANDLES);
}

/// Every sixth order is enough: the threads bring an order of their own into it.
fn on_two_threads(nobody: SocketAddr) {
    let before = handles();
    for order in orders(PARTS).into_iter().step_by(6) {
        let mut scene = scene(nobody);
        drop_on_two_threads(mem::take(&mut scene.parts), &order, 3);
        assert_eq!(scene.drops.count(), BUFFERS, "dropped in the order {order:?}");
    }
    assert!(more_handles_than(before) <= LAZY_HANDLES);
}

fn with_each_part_forgotten(nobody: SocketAddr) {
    for forgotten in 0..PARTS {
        let mut scene = scene(nobody);
        mem::forget(scene.parts[forgotten].take());
        scene.parts.clear();
        let (dropped, start) = (scene.drops.count(), Instant::now());
        // A queue that is forgotten waits for nothing, so the two in flight stay. The one that was
        // sent is in the batch, unless it was the first there and has been taken out.
        let expected = match forgotten {
            0 => BUFFERS - 2..=BUFFERS - 2,
            5 => BUFFERS - 1..=BUFFERS,
            _ => BUFFERS..=BUFFERS,
        };
        assert!(expected.contains(&dropped), "part {forgotten} was forgotten: {dropped} dropped");
        assert!(start.elapsed() < DEADLINE);
    }
}

/// All is in one test, for the handles are those of the process.
#[test]
fn in_whatever_order_the_parts_of_a_server_are_dropped_nothing_is_left_or_dropped_twice() {
    let crowd = crowded();
    // The first one has the system load what it needs, once.
    drop(scene(crowd.address));
    in_each_order(crowd.address);
    on_two_threads(crowd.address);
    with_each_part_forgotten(crowd.address);
}
