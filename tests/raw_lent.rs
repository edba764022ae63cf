//! What is lent to a call that the layer does not know: it is there for as long as the call and the
//! kernel can use it, whenever the call returns, whether its function panics, and however all is
//! ended. Memory that was freed has no pages here (`support/pages.rs`).
#![cfg(windows)]
#![allow(unsafe_code, reason = "to submit a raw operation is unsafe")]

use std::any::Any;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Once;
use std::thread;
use std::time::Instant;

use overlapped::{Completion, CompletionQueue, Completions, Key, RawCall};

mod support;
use support::{DEADLINE, assert_quiet, collect, within_deadline};

#[path = "support/calls.rs"]
mod calls;
use calls::Gate;

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops, Parts, drop_in_order, orders};

#[path = "support/files.rs"]
mod files;
use files::{Folder, registered_file};

#[path = "support/raw.rs"]
mod raw;
use raw::{one_raw, read, registered_client, start_read};

#[path = "support/pages.rs"]
mod pages;

#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

/// Other operations come and go while the call is on its way back, and then it writes what it has
/// counted, as late as it may.
#[test]
fn a_call_that_returns_after_its_packet_touches_no_later_operation() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (pipe, mut server) = registered_client(&queue, Key(1));
    server.write_all(b"hello")?;
    let gate = Gate::default();
    let held = |call: &RawCall<'_>| {
        let answer = start_read(call);
        gate.hold();
        // SAFETY: it is the call's own until it returns.
        unsafe { call.count().write(u32::MAX) };
        // SAFETY: as above; the operation has ended, so nobody else uses it.
        unsafe { (*call.overlapped()).Offset = u32::MAX };
        answer
    };
    thread::scope(|scope| {
        // SAFETY: it makes one call, with what it is given, and passes its answer on.
        let submit = || unsafe { pipe.submit(0, Vec::with_capacity(64), held) };
        let starter = scope.spawn(submit);
        gate.reached();
        let (buffer, count, result) = one_raw(&queue);
        assert_eq!((buffer.len(), count, result.is_ok()), (0, 5, true));
        let addresses = Cell::new([0; 8]);
        for number in 0..8_u8 {
            let noting = |call: &RawCall<'_>| {
                let mut all = addresses.get();
                all[usize::from(number)] = call.overlapped().addr();
                addresses.set(all);
                start_read(call)
            };
            // SAFETY: as above.
            unsafe { pipe.submit(0, Vec::with_capacity(64 + usize::from(number)), noting) }
                .expect("submitted");
        }
        gate.open();
        let id = starter.join().expect("the call returns").expect("submitted");
        for number in 0..8 {
            server.write_all(&[number; 9]).expect("written");
        }
        for completion in collect(&queue, 8) {
            let Completion::Raw { id: of, buffer, count: 9, result: Ok(()), .. } = completion
            else {
                panic!("{completion:?}");
            };
            assert_ne!(of, id);
            assert!((64..72).contains(&buffer.capacity()));
        }
        let mut all = addresses.get();
        all.sort_unstable();
        assert!(all.windows(2).all(|two| two[0] != two[1]), "{all:x?}");
    });
    assert_quiet(&queue);
    Ok(())
}

/// What a function gets hold of before it panics.
fn panics(after: impl FnOnce(&RawCall<'_>)) -> impl FnOnce(&RawCall<'_>) -> io::Result<()> {
    static ONCE: Once = Once::new();
    // One line each, and no trace of the calls: a Wine for programs of 32 bits can fail while it
    // looks up the names for a trace.
    ONCE.call_once(|| set_hook(Box::new(|panic| eprintln!("{panic}"))));
    move |call| {
        after(call);
        panic!("on purpose");
    }
}

#[test]
fn a_start_that_panics_before_it_has_the_overlapped_drops_the_buffer() -> io::Result<()> {
    let queue = CompletionQueue::<Counted>::new()?;
    let drops = Drops::default();
    let (pipe, _server) = registered_client(&queue, Key(1));
    let start = panics(|call| {
        assert!(call.spare().1 > 0 && call.filled().1 == 0 && !call.count().is_null())
    });
    // SAFETY: no call is made.
    let submit = || unsafe { pipe.submit(0, drops.buffer(), start) };
    let panic = catch_unwind(AssertUnwindSafe(submit)).expect_err("it goes on");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"));
    assert_eq!((drops.count(), queue.in_flight(), pipe.in_flight()), (1, 0, 0));
    assert_quiet(&queue);
    Ok(())
}

/// Somebody waits for the end meanwhile, and is told of it.
#[test]
fn a_start_that_panics_ends_those_who_collect() -> io::Result<()> {
    let queue = CompletionQueue::<Counted>::new()?;
    let drops = Drops::default();
    let (pipe, _server) = registered_client(&queue, Key(1));
    queue.shut_down()?;
    let gate = Gate::default();
    thread::scope(|scope| {
        let start = panics(|_| gate.hold());
        // SAFETY: no call is made.
        let submit = || unsafe { pipe.submit(0, drops.buffer(), start) };
        let submits = scope.spawn(|| catch_unwind(AssertUnwindSafe(submit)).is_err());
        gate.reached();
        let collects = scope.spawn(|| {
            let (mut batch, start) = (Completions::with_capacity(4), Instant::now());
            loop {
                let some = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
                if some.count() == 0 {
                    return start.elapsed();
                }
            }
        });
        support::give_way(|| collects.is_finished());
        gate.open();
        assert!(submits.join().expect("caught"));
        let elapsed = collects.join().expect("it ends");
        assert!(elapsed < DEADLINE, "nobody has told it");
    });
    Ok(())
}

#[test]
fn a_start_that_panics_after_its_call_comes_with_its_packet() -> io::Result<()> {
    let queue = CompletionQueue::<Counted>::new()?;
    let drops = Drops::default();
    let (pipe, mut server) = registered_client(&queue, Key(1));
    let start = panics(|call| drop(start_read(call)));
    // SAFETY: it makes one call, with what it is given.
    let submit = || unsafe { pipe.submit(0, drops.buffer(), start) };
    catch_unwind(AssertUnwindSafe(submit)).expect_err("it goes on");
    assert_eq!((drops.count(), queue.in_flight(), pipe.in_flight()), (0, 1, 1));
    server.write_all(b"hello")?;
    let (buffer, count, result) = one_raw(&queue);
    result?;
    assert_eq!(count, 5);
    drop(buffer);
    assert_eq!((drops.count(), queue.in_flight(), pipe.in_flight()), (1, 0, 0));
    Ok(())
}

/// Nobody knows that no call was made: so it is leaked, and not freed.
#[test]
fn a_start_that_panics_with_the_overlapped_in_hand_keeps_the_buffer() {
    within_deadline(|| {
        let queue = CompletionQueue::<Counted>::new().expect("a queue");
        let drops = Drops::default();
        let (pipe, _server) = registered_client(&queue, Key(1));
        let start = panics(|call| assert!(!call.overlapped().is_null()));
        // SAFETY: no call is made.
        let submit = || unsafe { pipe.submit(0, drops.buffer(), start) };
        catch_unwind(AssertUnwindSafe(submit)).expect_err("it goes on");
        assert_eq!((drops.count(), queue.in_flight()), (0, 1));
        drop((pipe, queue));
        assert_eq!(drops.count(), 0);
    });
}

/// Operations in flight, one in the port, one in a batch, and one whose completion was kept, of
/// pipes and of files.
struct Scene {
    parts: Parts,
    drops: Drops,
    _others: (Folder, [File; 2]),
}

const PARTS: usize = 4;
const BUFFERS: usize = 7;

fn scene() -> Scene {
    let queue = CompletionQueue::<Counted>::new().expect("a queue");
    let (drops, folder) = (Drops::default(), Folder::new());
    let file = registered_file(&queue, Key(3), &folder, &[7; 4096]);
    let (idle, idle_server) = registered_client(&queue, Key(1));
    let (pipe, mut server) = registered_client(&queue, Key(2));
    read(&pipe, drops.buffer()).expect("submitted");
    server.write_all(b"kept").expect("written");
    let kept = collect(&queue, 1);
    for write in [b"a batch", b"in port"] {
        read(&pipe, drops.buffer()).expect("submitted");
        server.write_all(write).expect("written");
    }
    let mut batch = Completions::with_capacity(1);
    queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert_eq!(batch.len(), 1);
    for _ in 0..2 {
        read(&idle, drops.buffer()).expect("submitted");
        file.read_at(0, drops.buffer()).expect("submitted");
    }
    let parts: [Box<dyn Any + Send>; PARTS] =
        [Box::new(queue), Box::new((idle, pipe, file)), Box::new(batch), Box::new(kept)];
    Scene { parts: parts.map(Some).into(), drops, _others: (folder, [idle_server, server]) }
}

#[test]
fn in_each_order_of_dropping_each_buffer_is_dropped_once() {
    for order in orders(PARTS) {
        within_deadline(move || {
            let mut scene = scene();
            drop_in_order(&mut scene.parts, &order);
            assert_eq!(scene.drops.count(), BUFFERS, "dropped in the order {order:?}");
        });
    }
}

#[test]
fn with_each_part_forgotten_nothing_is_dropped_twice() {
    for forgotten in 0..PARTS {
        within_deadline(move || {
            let mut scene = scene();
            mem::forget(scene.parts[forgotten].take());
            scene.parts.clear();
            let dropped = scene.drops.count();
            assert!(dropped <= BUFFERS, "part {forgotten}: {dropped}");
            if forgotten >= 2 {
                assert_eq!(dropped, BUFFERS - 1, "part {forgotten}");
            }
        });
    }
}
