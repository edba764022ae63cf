//! Whatever of watches and jobs is dropped or forgotten, in whatever order, and however it stands
//! with their handles: it ends at once, and what comes later touches nothing that is gone.
#![cfg(windows)]
#![allow(unsafe_code, reason = "events are made through `ffi`")]

use std::any::Any;
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{CompletionQueue, Completions, Job, Key};

mod support;
use support::{DEADLINE, within_deadline};

#[path = "support/counted.rs"]
mod counted;
use counted::{Parts, drop_in_order, orders};

#[path = "support/events.rs"]
mod events;
use events::Event;

#[path = "support/tcp.rs"]
mod tcp;
use tcp::gather_in_port;

#[path = "support/wine.rs"]
mod wine;
use wine::is_wine;

/// A wait under way, one whose packet is in the port, one that lies in a batch unread, and a job.
struct Scene {
    parts: Parts,
    events: [Event; 3],
}

const PARTS: usize = 6;

fn scene() -> Scene {
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let events = [(); 3].map(|()| Event::new(false));
    let watch = |number: usize| queue.watch(&events[number], Key(number)).expect("watched");
    let unread = watch(0);
    events[0].set();
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert_eq!(batch.len(), 1);
    let (fired, waiting) = (watch(1), watch(2));
    events[1].set();
    // Its packet is in the port, and so its callback has run.
    gather_in_port(&queue, 1);
    let job = queue.register(Job::new().expect("a job"), Key(4)).expect("registered");
    let parts: [Box<dyn Any + Send>; PARTS] = [
        Box::new(queue),
        Box::new(batch),
        Box::new(unread),
        Box::new(fired),
        Box::new(waiting),
        Box::new(job),
    ];
    Scene { parts: parts.map(Some).into(), events }
}

/// A queue waits for two seconds for what does not come back.
#[track_caller]
fn at_once(work: impl FnOnce() + Send + 'static) {
    let start = Instant::now();
    within_deadline(work);
    assert!(start.elapsed() < Duration::from_millis(1_900), "it took {:?}", start.elapsed());
}

#[test]
fn in_each_order_of_dropping_it_ends_at_once() {
    for order in orders(PARTS) {
        at_once(move || {
            let mut scene = scene();
            drop_in_order(&mut scene.parts, &order);
            scene.events.iter().for_each(Event::set);
        });
    }
}

/// In Wine the last event is set only when all has been dropped. Its pool counts a callback that is
/// about to begin under one lock, and a wait that is taken back is looked at under another: if both
/// happen at the same moment, the pool removes the wait from a list in which it is not, and the
/// program ends with a page fault, on Wine 8 in one of some twenty runs.
#[test]
fn in_each_order_of_dropping_on_two_threads_it_ends_at_once() {
    let in_wine = is_wine();
    for order in orders(PARTS) {
        at_once(move || {
            let mut scene = scene();
            let mut parts = mem::take(&mut scene.parts);
            let first = order[..3].iter().map(|part| parts[*part].take()).collect::<Vec<_>>();
            let other = thread::spawn(move || drop(first));
            if !in_wine {
                scene.events[2].set();
            }
            drop_in_order(&mut parts, &order[3..]);
            other.join().expect("nothing panics");
            scene.events[2].set();
        });
    }
}

/// What is forgotten goes on, and finds all that it uses.
#[test]
fn with_each_part_forgotten_the_others_end_at_once() {
    for forgotten in 0..PARTS {
        at_once(move || {
            let mut scene = scene();
            mem::forget(scene.parts[forgotten].take());
            scene.parts.clear();
            scene.events.iter().for_each(Event::set);
            scene.events.iter().for_each(Event::reset);
        });
    }
}
