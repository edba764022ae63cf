//! Shutting down: every thread that waits, now or later, is told once it has been given what is
//! there; and what is still in flight can be collected.
#![cfg(windows)]

use std::io::{self, Write};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use std::{hint, thread};

use overlapped::{Completion, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, Received, collect, one_received, registered, until, within_deadline};

type Queue = CompletionQueue<Vec<u8>>;

/// What one wait brings, however long it may take.
#[track_caller]
fn wait(queue: &Queue) -> Vec<Completion> {
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").collect()
}

fn is_shut_down(batch: &[Completion]) -> bool {
    matches!(batch, [Completion::ShutDown])
}

#[test]
fn a_queue_that_was_shut_down_before_answers_every_wait_at_once() -> io::Result<()> {
    let queue = Queue::new()?;
    queue.shut_down()?;
    let start = Instant::now();
    for _ in 0..5 {
        let batch = wait(&queue);
        assert!(is_shut_down(&batch), "{batch:?}");
    }
    // Also to those who would not wait.
    let mut batch = Completions::with_capacity(1);
    let last = queue.wait(&mut batch, Some(Duration::ZERO))?.next();
    assert!(matches!(last, Some(Completion::ShutDown)), "{last:?}");
    assert!(start.elapsed() < DEADLINE, "a wait slept though the queue was shut down");
    Ok(())
}

#[test]
fn shutting_down_again_changes_nothing() -> io::Result<()> {
    let queue = Queue::new()?;
    for _ in 0..3 {
        queue.shut_down()?;
        let batch = wait(&queue);
        assert!(is_shut_down(&batch), "{batch:?}");
    }
    Ok(())
}

/// Threads wait without a limit, so one that is not told hangs. The queue is shut down just when
/// they are about to fall asleep, a little later in each round.
fn threads_that_wait_are_told(threads: usize, rounds: usize) {
    for round in 0..rounds {
        let batches = within_deadline(move || {
            let (queue, about_to_wait) = (Queue::new()?, AtomicUsize::new(0));
            let wait_for_ever = || {
                let mut batch = Completions::with_capacity(8);
                about_to_wait.fetch_add(1, SeqCst);
                io::Result::Ok(queue.wait(&mut batch, None)?.collect::<Vec<_>>())
            };
            thread::scope(|scope| {
                let waiting: Vec<_> = (0..threads).map(|_| scope.spawn(wait_for_ever)).collect();
                until("all are about to wait", || about_to_wait.load(SeqCst) == threads);
                (0..round).for_each(|_| hint::spin_loop());
                queue.shut_down()?;
                waiting.into_iter().map(|thread| thread.join().expect("waiting")).collect()
            })
        });
        let batches: io::Result<Vec<_>> = batches;
        let batches = batches.expect("shutting down and waiting");
        assert!(batches.iter().all(|batch| is_shut_down(batch)), "{batches:?}");
    }
}

#[test]
fn a_thread_that_waits_is_told() {
    threads_that_wait_are_told(1, 200);
}

#[test]
fn eight_threads_that_wait_are_told() {
    threads_that_wait_are_told(8, 30);
}

#[test]
fn completions_of_the_same_batch_come_before_the_shutdown() -> io::Result<()> {
    let queue = Queue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    stream.readable()?;
    peer.write_all(b"!")?;
    drop(collect(&queue, 1)); // the byte is there
    stream.receive(Vec::with_capacity(16))?;
    queue.shut_down()?;
    queue.post(Key(1), 2)?;

    let batch = wait(&queue);

    let [Completion::Received { .. }, Completion::Posted { .. }, Completion::ShutDown] = batch[..]
    else {
        panic!("{batch:?}");
    };
    Ok(())
}

#[test]
fn a_full_batch_has_a_place_for_the_shutdown_too() -> io::Result<()> {
    let queue = Queue::new()?;
    let mut batch = Completions::with_capacity(2);
    for value in 0..3 {
        queue.post(Key(0), value)?;
    }
    queue.shut_down()?;
    for posted in [2, 1, 0] {
        let came: Vec<_> = queue.wait(&mut batch, Some(DEADLINE))?.collect();
        assert_eq!(came.len(), posted + 1, "{came:?}");
        assert!(matches!(came.last(), Some(Completion::ShutDown)), "{came:?}");
    }
    Ok(())
}

#[test]
fn what_a_loop_has_left_in_the_batch_is_not_lost_by_shutting_down() -> io::Result<()> {
    let queue = Queue::new()?;
    let mut batch = Completions::with_capacity(8);
    queue.post(Key(0), 1)?;
    queue.post(Key(0), 2)?;
    queue.wait(&mut batch, Some(DEADLINE))?.next();
    queue.shut_down()?;
    let left = queue.wait(&mut batch, Some(DEADLINE))?.next();
    assert!(matches!(left, Some(Completion::Posted { value: 2, .. })), "{left:?}");
    let last = queue.wait(&mut batch, Some(DEADLINE))?.next();
    assert!(matches!(last, Some(Completion::ShutDown)), "{last:?}");
    Ok(())
}

#[test]
fn drain_collects_what_is_still_in_flight() -> io::Result<()> {
    let queue = Queue::new()?;
    let connections: Vec<_> = (0..5).map(|key| registered(&queue, Key(key))).collect();
    for (stream, _) in &connections {
        stream.receive(Vec::with_capacity(16))?;
    }
    queue.shut_down()?;
    assert!(is_shut_down(&wait(&queue)));
    for (stream, _) in &connections {
        assert!(stream.cancel_all()?);
    }

    let (mut batch, mut keys) = (Completions::with_capacity(2), Vec::new());
    while queue.in_flight() > 0 || !batch.is_empty() {
        for completion in queue.drain(&mut batch, DEADLINE)? {
            let received = Received::of(completion);
            received.assert_cancelled();
            keys.push(received.key.0);
        }
    }
    keys.sort_unstable();
    assert_eq!(keys, [0, 1, 2, 3, 4]);
    Ok(())
}

#[test]
fn drain_returns_nothing_at_once_when_nothing_is_in_flight() -> io::Result<()> {
    let queue = Queue::new()?;
    let mut batch = Completions::with_capacity(8);
    let start = Instant::now();
    assert!(queue.drain(&mut batch, DEADLINE)?.is_empty());
    queue.shut_down()?;
    assert!(queue.drain(&mut batch, DEADLINE)?.is_empty());
    assert!(start.elapsed() < DEADLINE, "it waited for what cannot come");
    Ok(())
}

#[test]
fn drain_gives_up_when_its_time_is_up() -> io::Result<()> {
    let queue = Queue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.receive(Vec::with_capacity(16))?;
    let (mut batch, start) = (Completions::with_capacity(8), Instant::now());
    assert!(queue.drain(&mut batch, Duration::from_millis(20))?.is_empty());
    assert!(start.elapsed() >= Duration::from_millis(20));
    // The operation is as it was.
    assert_eq!(queue.in_flight(), 1);
    peer.write_all(b"!")?;
    assert_eq!(one_received(&queue).buffer, b"!");
    Ok(())
}

#[test]
fn a_waker_can_shut_the_queue_down_too() {
    let queue = Queue::new().expect("a queue");
    let waker = queue.waker();
    let told = within_deadline(move || {
        thread::scope(|scope| {
            let sleepers = [(); 3].map(|()| scope.spawn(|| wait(&queue)));
            waker.shut_down().expect("shut down");
            sleepers.map(|sleeper| sleeper.join().expect("told"))
        })
    });
    assert!(told.iter().all(|batch| is_shut_down(batch)), "{told:?}");
}
