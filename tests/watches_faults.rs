//! Watching when the system's calls fail, and when they are held up: no signal is lost, each wait
//! ends once, and nothing that is gone is touched.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::io;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Failure, Key, Registration, Watched};

mod support;
use support::{assert_quiet, one, until, within_deadline};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, ERROR_NO_SYSTEM_RESOURCES as SHORTAGE, Fault, Gate, assert_code};

#[path = "support/events.rs"]
mod events;
use events::{Event, mapping, mutex, signalled};

const DUPLICATE: Call = Call::DuplicateHandle;
const REGISTER: Call = Call::RegisterWaitForSingleObject;
const UNREGISTER: Call = Call::UnregisterWaitEx;
const POST: Call = Call::PostQueuedCompletionStatus;

type Queue = CompletionQueue<Vec<u8>>;
type Watch = Registration<Watched>;

/// The calls, and a watch of an event that is not set.
fn watched(resets_itself: bool) -> io::Result<(Calls, Queue, Event, Watch)> {
    let calls = Calls::watch();
    let (queue, event) = (Queue::new()?, Event::new(resets_itself));
    let watch = queue.watch(&event, Key(7))?;
    Ok((calls, queue, event, watch))
}

fn shortage(calls: &Calls, call: Call, times: u64) {
    (1..=times).for_each(|nth| calls.spoil(call, nth, Fault::fails(SHORTAGE)));
}

/// Takes what has come of an operation of which nobody is to hear.
fn assert_ends_unheard(queue: &Queue) {
    until("the end of the wait", || {
        assert_quiet(queue);
        queue.in_flight() == 0
    });
}

#[test]
fn a_watch_that_cannot_begin_is_an_error_and_leaves_nothing() -> io::Result<()> {
    let calls = Calls::watch();
    let (queue, event) = (Queue::new()?, Event::new(false));
    event.set();
    for call in [DUPLICATE, REGISTER] {
        calls.spoil(call, 1, Fault::fails(SHORTAGE));
        assert_code(&queue.watch(&event, Key(7)).expect_err("spoilt"), SHORTAGE);
        assert_eq!(queue.in_flight(), 0);
        assert_quiet(&queue);
    }
    let denied = overlapped::ffi::constants::ERROR_ACCESS_DENIED;
    calls.spoil(DUPLICATE, 1, Fault::fails(denied));
    let error = queue.watch(&event, Key(7)).expect_err("spoilt");
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("SYNCHRONIZE"), "{error}");
    Ok(())
}

/// On Windows the pool would raise an exception. Where the system does not say what a handle is of,
/// it is asked to wait.
#[test]
fn what_the_pool_does_not_wait_for_is_refused_before_it_sees_it() -> io::Result<()> {
    let calls = Calls::watch();
    let (queue, event) = (Queue::new()?, Event::new(false));
    for never in [mutex(), mapping()] {
        let error = queue.watch(&never, Key(7)).expect_err("it cannot be watched");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("if it is a mutex"), "{error}");
    }
    assert_eq!([DUPLICATE, REGISTER].map(|call| calls.count(call)), [0, 0]);

    calls.spoil(Call::NtQueryObject, 1, Fault::fails(SHORTAGE));
    let watch = queue.watch(&event, Key(7))?;
    event.set();
    signalled(one(&queue)).2?;
    drop(watch);
    Ok(())
}

#[test]
fn a_wait_that_cannot_begin_again_can_later() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(false)?;
    event.set();
    signalled(one(&queue)).2?;
    calls.spoil(REGISTER, 1, Fault::fails(SHORTAGE));
    assert_code(&watch.again().expect_err("spoilt"), SHORTAGE);
    assert_eq!((queue.in_flight(), watch.in_flight()), (0, 0));
    assert!(!watch.cancel_all()?);
    watch.again()?;
    Ok(signalled(one(&queue)).2?)
}

/// It is not known then whether the last wait calls back still. So no other begins, and what it
/// would find stays.
#[test]
fn a_wait_that_cannot_be_taken_back_is_the_last() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(false)?;
    event.set();
    signalled(one(&queue)).2?;
    calls.spoil(UNREGISTER, 1, Fault::fails(SHORTAGE));
    assert_code(&watch.again().expect_err("spoilt"), SHORTAGE);
    assert!(watch.again().is_err());
    assert_eq!(calls.count(UNREGISTER), 1, "it is taken back once");
    assert_eq!(queue.in_flight(), 0);
    drop(watch);
    assert_eq!(calls.count(UNREGISTER), 1);

    // And so when it is under way, and calls back after all else is gone.
    let event = Event::new(false);
    let watch = queue.watch(&event, Key(8))?;
    calls.spoil(UNREGISTER, 1, Fault::fails(SHORTAGE));
    drop(watch);
    assert_ends_unheard(&queue);
    drop(queue);
    event.set();
    event.reset();
    Ok(())
}

/// The callback tries again, for the signal comes once.
#[test]
fn a_signal_is_not_lost_when_there_is_no_memory_for_its_packet() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(true)?;
    for times in 1..4 {
        shortage(&calls, POST, times);
        let before = calls.count(POST);
        event.set();
        signalled(one(&queue)).2?;
        assert_eq!(calls.count(POST) - before, times + 1);
        watch.again()?;
    }
    Ok(())
}

#[test]
fn a_signal_that_cannot_be_told_yet_can_be_cancelled_and_is_told_by_that() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(true)?;
    shortage(&calls, POST, 20);
    let before = calls.count(POST);
    event.set();
    until("a try", || calls.count(POST) > before + 2);
    // Whether or not there is memory for its own packet: the handle was signalled. Nothing is
    // cancelled while the callback is about to post.
    until("a request that meets it between two tries, or the end of all", || {
        watch.cancel_all().expect("it is told by the queue") || calls.count(POST) == before + 21
    });
    calls.spare();
    signalled(one(&queue)).2?;
    watch.again()?;
    assert_quiet(&queue);
    Ok(())
}

/// A wait that went on in the pool would reset the event, and nobody would hear of it. (In Wine the
/// pool can do that for a moment longer, so that the event itself is not what is looked at.)
#[test]
fn a_wait_that_is_cancelled_is_taken_back_before_that_is_told() -> io::Result<()> {
    let (calls, queue, _event, watch) = watched(true)?;
    let gate = Gate::default();
    calls.spoil(POST, 1, Fault::starts_at(&gate));
    thread::scope(|scope| {
        let cancel = scope.spawn(|| watch.cancel_all());
        gate.reached();
        assert_eq!(calls.count(UNREGISTER), 1);
        gate.open();
        assert!(cancel.join().expect("nothing panics")?);
        assert!(matches!(signalled(one(&queue)).2, Err(Failure::Cancelled)));
        watch.again()?;
        assert_eq!(calls.count(UNREGISTER), 1, "it is taken back once");
        Ok(())
    })
}

#[test]
fn a_wait_that_cannot_be_cancelled_goes_on() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(false)?;
    shortage(&calls, POST, 1);
    assert_code(&watch.cancel_all().expect_err("spoilt"), SHORTAGE);
    assert_eq!((queue.in_flight(), watch.in_flight()), (1, 1));
    assert!(watch.again().is_err());
    event.set();
    signalled(one(&queue)).2?;
    event.reset();
    watch.again()?;
    assert!(watch.cancel_all()?);
    assert!(matches!(signalled(one(&queue)).2, Err(Failure::Cancelled)));
    Ok(())
}

/// Then the queue ends it, with the next wait of a thread.
#[test]
fn a_wait_that_can_neither_be_cancelled_nor_go_on_is_owed() -> io::Result<()> {
    let (calls, queue, _event, watch) = watched(true)?;
    shortage(&calls, POST, 1);
    calls.spoil(REGISTER, 1, Fault::fails(SHORTAGE));
    assert!(watch.cancel_all()?);
    assert!(matches!(signalled(one(&queue)).2, Err(Failure::Cancelled)));
    watch.again()?;
    assert!(watch.cancel_all()?);
    Ok(())
}

#[test]
fn a_watch_that_is_dropped_in_a_shortage_ends_with_the_next_wait() -> io::Result<()> {
    for held in [false, true] {
        let (calls, queue, event, watch) = watched(true)?;
        if held {
            // The callback has the operation in hand when the registration goes.
            let gate = Gate::default();
            calls.spoil(POST, 1, Fault::starts_at(&gate));
            event.set();
            gate.reached();
            let drops = thread::spawn(move || drop(watch));
            gate.open();
            drops.join().expect("nothing panics");
        } else {
            shortage(&calls, POST, 1);
            drop(watch);
            assert_eq!(queue.in_flight(), 1);
        }
        assert_ends_unheard(&queue);
    }
    Ok(())
}

#[test]
fn a_queue_that_is_dropped_in_a_shortage_pays_what_is_owed() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(true)?;
    shortage(&calls, POST, 3);
    drop(watch);
    assert_eq!(queue.in_flight(), 1);
    let start = Instant::now();
    drop(queue);
    assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
    event.set();
    Ok(())
}

#[test]
fn a_wait_can_end_and_be_read_before_its_call_returns() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(false)?;
    event.set();
    signalled(one(&queue)).2?;
    let gate = Gate::default();
    calls.spoil(REGISTER, 1, Fault::returns_at(&gate));
    thread::scope(|scope| {
        let again = scope.spawn(|| watch.again());
        let (_, id, result) = signalled(one(&queue));
        result?;
        assert_eq!((queue.in_flight(), watch.in_flight()), (0, 0));
        // The next one waits for that call, so that it takes the wait back that is made there.
        let next = scope.spawn(|| watch.again());
        gate.open();
        assert_eq!(again.join().expect("nothing panics")?, id);
        let next = next.join().expect("nothing panics")?;
        let (_, told, result) = signalled(one(&queue));
        assert_eq!(told, next);
        Ok(result?)
    })
}

/// Also when that call fails: whoever has the wait in hand ends it.
#[test]
fn a_wait_can_be_cancelled_before_its_call_begins() -> io::Result<()> {
    for fails in [false, true] {
        let (calls, queue, _event, watch) = watched(false)?;
        watch.cancel_all()?;
        drop(one(&queue));
        let gate = Gate::default();
        let fault = Fault::starts_at(&gate);
        calls.spoil(REGISTER, 1, if fails { fault.and_fails(SHORTAGE) } else { fault });
        let (again, cancelled) = thread::scope(|scope| {
            let again = scope.spawn(|| watch.again());
            gate.reached();
            assert_eq!(watch.in_flight(), 1);
            let cancel = scope.spawn(|| watch.cancel_all());
            support::give_way(|| cancel.is_finished());
            gate.open();
            let join = "nothing panics";
            (again.join().expect(join), cancel.join().expect(join).expect("there is memory"))
        });
        match again {
            Ok(id) => {
                // Which of the two it says to have ended depends on who came first.
                watch.cancel_all()?;
                let (_, told, result) = signalled(one(&queue));
                assert_eq!(told, id);
                assert!(matches!(result, Err(Failure::Cancelled)), "{result:?}");
            }
            Err(error) => {
                assert_code(&error, SHORTAGE);
                assert!(fails && !cancelled);
            }
        }
        assert_eq!(queue.in_flight(), 0);
        watch.again()?;
    }
    Ok(())
}

/// The callback is about to post when all else goes, in either order.
#[test]
fn what_is_dropped_while_the_callback_runs_waits_for_it() -> io::Result<()> {
    for queue_first in [false, true] {
        let (calls, queue, event, watch) = watched(false)?;
        let gate = Gate::default();
        calls.spoil(POST, 1, Fault::starts_at(&gate));
        event.set();
        gate.reached();
        thread::scope(|scope| {
            let drops = scope.spawn(move || {
                if queue_first {
                    drop(queue);
                    drop(watch);
                } else {
                    drop(watch);
                    drop(queue);
                }
            });
            support::give_way(|| drops.is_finished());
            assert!(!drops.is_finished(), "the callback runs still");
            gate.open();
        });
    }
    Ok(())
}

/// The callback has posted, and has not returned: another thread has the completion, and all else
/// may go.
#[test]
fn what_is_dropped_after_the_callback_has_posted_waits_for_its_return() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(false)?;
    let gate = Gate::default();
    calls.spoil(POST, 1, Fault::returns_at(&gate));
    event.set();
    signalled(one(&queue)).2?;
    assert_eq!((queue.in_flight(), watch.in_flight()), (0, 0));
    thread::scope(|scope| {
        let drops = scope.spawn(move || drop(watch));
        support::give_way(|| drops.is_finished());
        assert!(!drops.is_finished(), "the callback runs still");
        gate.open();
    });
    assert_quiet(&queue);
    Ok(())
}

/// Threads begin and signal one wait after the other, while calls fail and are held up by chance:
/// each wait that has begun ends once.
///
/// Nobody cancels. With two threads that did, Wine 8 answered `UnregisterWaitEx` with 997 now and
/// then, or had a page fault of its own in the process, where Wine 10 had neither. The models in
/// `interleavings` have cancellers at that moment, too.
#[test]
fn threads_among_faults_end_each_wait_once() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(true)?;
    calls.spoil_at_random(12, 5);
    let (begun, ended, over) = (AtomicUsize::new(1), AtomicUsize::new(0), AtomicBool::new(false));
    let of_a_shortage = |error: &io::Error| error.raw_os_error() == Some(SHORTAGE as i32);
    let begin = || match watch.again() {
        Ok(_) => drop(begun.fetch_add(1, SeqCst)),
        Err(error) => assert!(
            error.kind() == io::ErrorKind::InvalidInput || of_a_shortage(&error),
            "{error:?}"
        ),
    };
    let wait = || {
        let mut batch = Completions::with_capacity(1);
        // What is owed is paid by who waits, and that can fail again.
        if let Ok(told) = queue.wait(&mut batch, Some(Duration::from_millis(1))) {
            let told = told.filter(|told| matches!(told, Completion::Signalled { .. }));
            ended.fetch_add(told.count(), SeqCst);
        }
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let (acts, over) = ([&begin as &(dyn Fn() + Sync), &wait], &over);
        for act in acts.into_iter().chain(acts) {
            scope.spawn(move || {
                while !over.load(SeqCst) {
                    act();
                    thread::yield_now();
                }
            });
        }
        while ended.load(SeqCst) < 2_000 && start.elapsed() < Duration::from_secs(2) {
            event.set();
            thread::yield_now();
        }
        over.store(true, SeqCst);
    });
    until("the end of the last wait", || {
        event.set();
        wait();
        queue.in_flight() == 0 && watch.in_flight() == 0
    });
    assert!(ended.load(SeqCst) > 0);
    assert_eq!(begun.load(SeqCst), ended.load(SeqCst));
    Ok(())
}

/// A queue goes with a wait whose call is about to be made: it cancels again until it has it.
#[test]
fn a_queue_that_goes_while_a_wait_begins_takes_it_back() -> io::Result<()> {
    let (calls, queue, event, watch) = watched(false)?;
    watch.cancel_all()?;
    drop(one(&queue));
    let gate = Gate::default();
    calls.spoil(REGISTER, 1, Fault::starts_at(&gate));
    thread::scope(|scope| {
        let again = scope.spawn(|| watch.again());
        gate.reached();
        let drops = scope.spawn(move || within_deadline(move || drop(queue)));
        gate.open();
        drops.join().expect("nothing panics");
        let again = again.join().expect("nothing panics");
        assert!(again.is_ok(), "it was lent before the queue went: {again:?}");
    });
    event.set();
    assert_eq!(watch.in_flight(), 0);
    Ok(())
}
