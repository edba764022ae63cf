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
use wine::is_wine;

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
#[test]
fn a_wait_that_is_signalled_and_cancelled_at_once_ends_once() -> io::Result<()> {
    const ROUNDS: usize = 2_000;
    let (queue, event, mut watch) = watched(true)?;
    let (mut cancelled, mut anew, mut id) = (0, 0, None::<OperationId>);
    for round in 0..ROUNDS {
        let is_set = AtomicBool::new(false);
        let has_cancelled = thread::scope(|scope| {
            let other = scope.spawn(|| {
                event.set();
                is_set.store(true, SeqCst);
            });
            // So that both are first now and then: nothing depends on who is.
            if round % 4 != 0 {
                give_way(|| is_set.load(SeqCst));
            }
            (0..round % 64).for_each(|_| thread::yield_now());
            let has_cancelled = match id {
                Some(id) if round % 2 == 0 => watch.cancel(id),
                _ => watch.cancel_all(),
            };
            other.join().expect("nothing panics");
            has_cancelled
        })?;
        let (_, told, result) = signalled(one(&queue));
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
