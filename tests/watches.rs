//! Waiting for events, processes and timers through the queue.
#![cfg(windows)]
#![allow(unsafe_code, reason = "events and timers are made through `ffi`")]

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::process::{Command, Stdio};
use std::ptr::null_mut;

use overlapped::ffi::constants::{CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, TIMER_ALL_ACCESS};
use overlapped::ffi::kernel32::{CreateWaitableTimerExW, SetWaitableTimer};
use overlapped::{
    Completion, CompletionQueue, Completions, Failure, Job, Key, Registration, Watched,
};

mod support;
use support::{DEADLINE, assert_quiet, collect, one, pair, within_deadline};

#[path = "support/spawn.rs"]
mod spawn;
use spawn::spawned;

#[path = "support/events.rs"]
mod events;
use events::{Event, owned, semaphore, signalled};

type Queue = CompletionQueue<Vec<u8>>;
type Watch = Registration<Watched>;

fn watched(reset: bool) -> io::Result<(Queue, Event, Watch)> {
    let (queue, event) = (Queue::new()?, Event::new(reset));
    let watch = queue.watch(&event, Key(7))?;
    Ok((queue, event, watch))
}

#[test]
fn an_event_that_is_set_is_told_once_under_its_key() -> io::Result<()> {
    let (queue, event, watch) = watched(false)?;
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), watch.in_flight()), (1, 1));
    event.set();
    let (key, _, result) = signalled(one(&queue));
    assert_eq!(key, Key(7));
    result?;
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), watch.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn an_event_that_stays_set_is_told_at_once_each_time() -> io::Result<()> {
    let (queue, event, watch) = watched(false)?;
    event.set();
    signalled(one(&queue)).2?;
    for _ in 0..100 {
        let id = watch.again()?;
        let (_, told, result) = signalled(one(&queue));
        assert_eq!(told, id);
        result?;
    }
    event.reset();
    watch.again()?;
    assert_quiet(&queue);
    event.set();
    Ok(signalled(one(&queue)).2?)
}

/// The wait is what it lets through: the event is reset by that.
#[test]
fn an_event_that_resets_itself_is_told_once_for_each_time_it_is_set() -> io::Result<()> {
    let (queue, event, watch) = watched(true)?;
    for _ in 0..100 {
        event.set();
        signalled(one(&queue)).2?;
        watch.again()?;
        assert_quiet(&queue);
    }
    Ok(())
}

#[test]
fn a_semaphore_is_counted_down_by_each_wait() -> io::Result<()> {
    let (queue, semaphore) = (Queue::new()?, semaphore(2));
    let watch = queue.watch(&semaphore, Key(7))?;
    signalled(one(&queue)).2?;
    watch.again()?;
    signalled(one(&queue)).2?;
    watch.again()?;
    assert_quiet(&queue);
    Ok(())
}

/// That they can be, whether or not they are signalled.
#[test]
fn what_is_seldom_watched_can_be() -> io::Result<()> {
    let queue = Queue::new()?;
    let (file, job) = (File::open(std::env::current_exe()?)?, Job::new()?);
    let watches = [queue.watch(&file, Key(1))?, queue.watch(&job, Key(2))?];
    let fine = CREATE_WAITABLE_TIMER_HIGH_RESOLUTION;
    // SAFETY: NULL stands for no attributes and no name.
    let timer = unsafe { CreateWaitableTimerExW(null_mut(), null_mut(), fine, TIMER_ALL_ACCESS) };
    // Windows 10 has them since 1803.
    if !timer.is_null() {
        drop(queue.watch(owned(timer), Key(3))?);
    }
    drop(watches);
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_process_that_has_ended_before_it_is_watched_is_told_at_once() -> io::Result<()> {
    let queue = Queue::new()?;
    let mut child = spawned(Command::new("cmd").args(["/c", "exit 3"]));
    child.wait()?;
    let watch = queue.watch(&child, Key(1))?;
    signalled(one(&queue)).2?;
    // A process that has ended stays so.
    watch.again()?;
    signalled(one(&queue)).2?;
    Ok(())
}

/// The queue waits with a handle of its own, so the caller's may be closed.
#[test]
#[allow(clippy::zombie_processes, reason = "the queue waits for it")]
fn a_process_is_watched_although_its_handle_is_closed() -> io::Result<()> {
    let queue = Queue::new()?;
    // It ends when its input does.
    let mut child = spawned(Command::new("cmd").stdin(Stdio::piped()).stdout(Stdio::null()));
    let (input, watch) = (child.stdin.take(), queue.watch(&child, Key(1))?);
    drop(child);
    assert_quiet(&queue);
    drop(input);
    signalled(one(&queue)).2?;
    drop(watch);
    Ok(())
}

#[test]
fn a_timer_is_told_when_it_is_due() -> io::Result<()> {
    let queue = Queue::new()?;
    // SAFETY: NULL stands for no attributes and no name.
    let timer = unsafe { CreateWaitableTimerExW(null_mut(), null_mut(), 0, TIMER_ALL_ACCESS) };
    let timer = owned(timer);
    let set = |due: i64| {
        // SAFETY: it is a timer, and nothing is to be called.
        let set = unsafe { SetWaitableTimer(timer.as_raw_handle(), &due, 0, None, null_mut(), 0) };
        assert_ne!(set, 0, "{}", io::Error::last_os_error());
    };
    const HOUR: i64 = 3600 * 10_000_000;
    set(-HOUR);
    let watch = queue.watch(&timer, Key(1))?;
    assert_quiet(&queue);
    for due in [-1, -10_000, -100_000] {
        set(due);
        signalled(one(&queue)).2?;
        watch.again()?;
    }
    Ok(())
}

#[test]
fn two_watches_of_one_handle_are_both_told() -> io::Result<()> {
    let (queue, event) = (Queue::new()?, Event::new(false));
    let _watches = [queue.watch(&event, Key(1))?, queue.watch(&event, Key(2))?];
    event.set();
    let mut keys: Vec<_> = collect(&queue, 2).into_iter().map(|told| signalled(told).0).collect();
    keys.sort();
    assert_eq!(keys, [Key(1), Key(2)]);
    Ok(())
}

#[test]
fn a_wait_that_is_cancelled_says_so_and_another_can_begin() -> io::Result<()> {
    let (queue, event, watch) = watched(false)?;
    assert!(watch.cancel_all()?);
    let (_, first, result) = signalled(one(&queue));
    assert!(matches!(result, Err(Failure::Cancelled)), "{result:?}");
    assert!(!watch.cancel_all()?, "nothing is left to cancel");

    let second = watch.again()?;
    assert_ne!(first, second);
    assert!(!watch.cancel(first)?, "an id that is out of date");
    assert_quiet(&queue);
    assert!(watch.cancel(second)?);
    let (_, told, result) = signalled(one(&queue));
    assert_eq!(told, second);
    assert!(matches!(result, Err(Failure::Cancelled)), "{result:?}");

    watch.again()?;
    event.set();
    Ok(signalled(one(&queue)).2?)
}

#[test]
fn the_id_of_another_registration_cancels_nothing() -> io::Result<()> {
    let (queue, _event, watch) = watched(false)?;
    let other = queue.watch(Event::new(false), Key(8))?;
    other.cancel_all()?;
    drop(one(&queue));
    let of_other = other.again()?;
    assert!(!watch.cancel(of_other)?);
    let (near, _far) = pair();
    let stream = queue.register(near, Key(9))?;
    let receive = stream.receive(Vec::with_capacity(8))?;
    assert!(!watch.cancel(receive)?);
    assert!(!stream.cancel(of_other)?);
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 3);
    Ok(())
}

#[test]
fn a_second_wait_is_refused_until_the_first_has_been_read() -> io::Result<()> {
    let (queue, event, watch) = watched(false)?;
    let refused = || {
        let error = watch.again().expect_err("it is being waited for");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    };
    refused();
    event.set();
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE))?;
    refused();
    signalled(batch.next().expect("the signal")).2?;
    watch.again()?;
    Ok(())
}

#[test]
fn nothing_is_said_about_a_watch_that_is_gone() -> io::Result<()> {
    let (queue, event, watch) = watched(false)?;
    event.set();
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE))?;
    drop(watch);
    assert!(batch.next().is_none(), "a batch in hand");

    for before in [true, false] {
        let event = Event::new(false);
        let watch = queue.watch(&event, Key(7))?;
        if before {
            event.set();
        }
        drop(watch);
        event.set();
        assert_quiet(&queue);
        assert_eq!(queue.in_flight(), 0);
    }
    Ok(())
}

#[test]
fn a_queue_that_is_dropped_ends_its_waits_at_once() -> io::Result<()> {
    let (queue, event) = (Queue::new()?, Event::new(false));
    let watches: Vec<_> =
        (0..100).map(|key| queue.watch(&event, Key(key))).collect::<io::Result<_>>()?;
    // Two seconds is how long it waits for what does not come back.
    let start = std::time::Instant::now();
    within_deadline(move || drop(queue));
    assert!(start.elapsed().as_secs() < 2, "it took {:?}", start.elapsed());
    event.set();
    for watch in watches {
        let error = watch.again().expect_err("the queue is gone");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
    }
    Ok(())
}

#[test]
fn a_watch_that_is_forgotten_outlives_everything() -> io::Result<()> {
    for set_first in [true, false] {
        let (queue, event, watch) = watched(false)?;
        std::mem::forget(watch);
        if set_first {
            event.set();
        }
        within_deadline(move || drop(queue));
        event.set();
    }
    Ok(())
}

#[test]
fn a_watch_that_is_taken_apart_can_be_registered_with_another_queue() -> io::Result<()> {
    let (queue, event, watch) = watched(false)?;
    let watched = watch.into_inner();
    assert_quiet(&queue);
    let other = Queue::new()?;
    let watch = other.register(watched, Key(8))?;
    event.set();
    assert_quiet(&other);
    let id = watch.again()?;
    let (key, told, result) = signalled(one(&other));
    assert_eq!((key, told), (Key(8), id));
    result?;
    assert_quiet(&queue);
    // What it holds is a handle of the same event.
    let third = queue.watch(watch.as_handle(), Key(9))?;
    signalled(one(&queue)).2?;
    drop(third);
    Ok(())
}

#[test]
fn a_wait_holds_up_the_end_of_a_shutdown_until_it_is_cancelled() -> io::Result<()> {
    let (queue, _event, watch) = watched(false)?;
    queue.shut_down()?;
    assert!(matches!(one(&queue), Completion::ShutDown));
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE))?;
    batch.by_ref().for_each(drop);
    watch.cancel_all()?;
    let mut told = 0;
    loop {
        let batch = queue.wait(&mut batch, Some(DEADLINE))?;
        if batch.is_empty() {
            break;
        }
        told += batch.filter(|told| matches!(told, Completion::Signalled { .. })).count();
    }
    assert_eq!((told, queue.in_flight()), (1, 0));
    Ok(())
}

/// The right to wait is asked of the handle, and, if that lacks it, of the object, which grants it
/// to whom it may. Wine does not always ask an object that grants nothing.
#[test]
fn a_handle_without_the_right_to_wait_is_refused_or_gets_it() -> io::Result<()> {
    let queue = Queue::new()?;
    let mut refused = 0;
    for event in [Event::that_grants_nothing(), Event::new(false)] {
        match queue.watch(event.for_setting(), Key(3)) {
            Ok(_watch) => {
                event.set();
                assert_eq!(signalled(one(&queue)).0, Key(3));
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
                assert!(error.to_string().contains("SYNCHRONIZE"), "{error}");
                refused += 1;
            }
        }
        assert_eq!(queue.in_flight(), 0);
        // The handle of its maker has every right, whatever others may.
        let _watch = queue.watch(&event, Key(2))?;
        event.set();
        assert_eq!(signalled(one(&queue)).0, Key(2));
    }
    println!("{refused} of 2 were refused");
    Ok(())
}
