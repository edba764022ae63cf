//! Many watches, and many threads at one.
#![cfg(windows)]

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use overlapped::{CompletionQueue, Failure, Key, OperationId, Registration, Watched};

mod support;
use support::{assert_quiet, give_way, one, within_deadline};

#[path = "support/events.rs"]
mod events;
use events::{Event, signalled};

#[path = "support/wine.rs"]
mod wine;
use wine::{is_old_wine, is_wine};

type Queue = CompletionQueue<Vec<u8>>;
type Watch = Registration<Watched>;

fn watched(reset: bool) -> io::Result<(Queue, Event, Watch)> {
    let (queue, event) = (Queue::new()?, Event::new(reset));
    let watch = queue.watch(&event, Key(7))?;
    Ok((queue, event, watch))
}

/// More than one thread of the pool can wait for at a time.
#[test]
fn two_hundred_events_are_told_apart() -> io::Result<()> {
    let queue = Queue::new()?;
    let events: Vec<_> = (0..200).map(|_| Event::new(false)).collect();
    let watches: io::Result<Vec<Watch>> =
        events.iter().zip(0..).map(|(event, key)| queue.watch(event, Key(key))).collect();
    let watches = watches?;
    for key in (0..200).rev() {
        events[key].set();
        let (told, _, result) = signalled(one(&queue));
        assert_eq!(told, Key(key));
        result?;
    }
    assert!(watches.iter().all(|watch| watch.in_flight() == 0));
    Ok(())
}

/// In Wine the event is set afterwards, for the reason in `drop_orders_of_watches.rs`.
#[test]
fn a_watch_and_its_queue_can_be_dropped_in_any_order_on_two_threads() -> io::Result<()> {
    let in_wine = is_wine();
    for _ in 0..100 {
        let (queue, event, watch) = watched(false)?;
        within_deadline(move || {
            thread::scope(|scope| {
                scope.spawn(move || drop(watch));
                scope.spawn(move || drop(queue));
                if !in_wine {
                    event.set();
                }
            });
            event.set();
        });
    }
    Ok(())
}

/// Whoever is first, one completion comes for a wait, and says the one or the other.
///
/// In Wine 8 one comes after the other, each first in turn: its pool can remove a wait from a list
/// in which it is not, if the wait is taken back in the moment of the signal, and dies of that.
#[test]
fn a_wait_that_is_signalled_and_cancelled_at_once_ends_once() -> io::Result<()> {
    const ROUNDS: usize = 2_000;
    let in_turn = is_old_wine();
    let (queue, event, mut watch) = watched(true)?;
    let (mut cancelled, mut anew, mut id) = (0, 0, None::<OperationId>);
    for round in 0..ROUNDS {
        let cancel = || match id {
            Some(id) if round % 2 == 0 => watch.cancel(id),
            _ => watch.cancel_all(),
        };
        let (has_cancelled, completion) = if !in_turn {
            (at_once(&event, round, cancel)?, one(&queue))
        } else if round % 4 < 2 {
            (cancel()?, one(&queue))
        } else {
            event.set();
            let completion = one(&queue);
            (cancel()?, completion)
        };
        let (_, told, result) = signalled(completion);
        let is_cancelled = matches!(result, Err(Failure::Cancelled));
        assert!(has_cancelled || !is_cancelled, "nobody has cancelled it");
        assert!(is_cancelled || result.is_ok(), "{result:?}");
        assert!(id.is_none_or(|id| id == told));
        cancelled += usize::from(is_cancelled);
        event.reset();
        assert_quiet(&queue);
        id = match watch.again() {
            Ok(id) => Some(id),
            // Told to wait until the callback has returned, Wine 8 can answer that it is still to
            // run, once in some ten thousand times. Then nothing can be begun with this wait.
            Err(error) if error.to_string().contains("watch the handle anew") => {
                anew += 1;
                watch = queue.watch(&event, watch.key())?;
                None
            }
            Err(error) => return Err(error),
        };
    }
    println!("{cancelled} of {ROUNDS} were cancelled, and {anew} watched anew");
    assert!(anew <= ROUNDS / 100, "the system took {anew} waits back without knowing it");
    Ok(())
}

/// Sets the event on another thread while this one cancels, so that each of them is first now and
/// then: nothing depends on who is.
fn at_once<T>(event: &Event, round: usize, cancel: impl FnOnce() -> T) -> T {
    let is_set = AtomicBool::new(false);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            event.set();
            is_set.store(true, SeqCst);
        });
        if round % 4 != 0 {
            give_way(|| is_set.load(SeqCst));
        }
        (0..round % 64).for_each(|_| thread::yield_now());
        let has_cancelled = cancel();
        other.join().expect("nothing panics");
        has_cancelled
    })
}
