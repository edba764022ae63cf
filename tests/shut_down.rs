//! Shutting down: every thread that waits, now or later, is told once it has been given what is
//! there; and what is still in flight can be collected.
#![cfg(windows)]

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use std::{hint, thread};

use overlapped::{Completion, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, Received, collect, give_way, registered, until, within_deadline};

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
    let came: Vec<_> = queue.wait(&mut batch, Some(DEADLINE))?.collect();
    assert_eq!(came.len(), 3, "{came:?}");
    assert!(matches!(came.last(), Some(Completion::ShutDown)), "{came:?}");
    let came: Vec<_> = queue.wait(&mut batch, Some(DEADLINE))?.collect();
    assert!(matches!(came[..], [Completion::Posted { value: 2, .. }]), "{came:?}");
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
fn each_batch_is_told_once_and_then_collects_what_is_in_flight() -> io::Result<()> {
    let queue = Queue::new()?;
    let connections: Vec<_> = (0..5).map(|key| registered(&queue, Key(key))).collect();
    for (stream, _) in &connections {
        stream.receive(Vec::with_capacity(16))?;
    }
    queue.shut_down()?;
    let (mut batch, mut keys, mut told) = (Completions::with_capacity(2), Vec::new(), 0);
    while !queue.wait(&mut batch, Some(DEADLINE))?.is_empty() {
        for completion in batch.by_ref() {
            let Completion::ShutDown = completion else {
                let received = Received::of(completion);
                received.assert_cancelled();
                keys.push(received.key.0);
                continue;
            };
            told += 1;
            connections.iter().for_each(|(stream, _)| assert!(stream.cancel_all().unwrap()));
        }
    }
    keys.sort_unstable();
    assert_eq!((told, keys, queue.in_flight()), (1, vec![0, 1, 2, 3, 4], 0));
    Ok(())
}

#[test]
fn a_loop_ends_at_once_when_nothing_is_in_flight() -> io::Result<()> {
    within_deadline(|| {
        let queue = Queue::new()?;
        queue.shut_down()?;
        let (mut batch, start) = (Completions::with_capacity(8), Instant::now());
        assert!(is_shut_down(&queue.wait(&mut batch, None)?.collect::<Vec<_>>()));
        assert!(queue.wait(&mut batch, None)?.is_empty());
        assert!(start.elapsed() < DEADLINE, "it waited for what cannot come");
        Ok(())
    })
}

/// What others post is delivered before the end is told, and after it.
#[test]
fn what_is_posted_is_delivered_before_the_end_and_after() -> io::Result<()> {
    within_deadline(|| {
        let queue = Queue::new()?;
        let mut batch = Completions::with_capacity(1);
        queue.shut_down()?;
        assert!(is_shut_down(&queue.wait(&mut batch, None)?.collect::<Vec<_>>()));
        queue.post(Key(1), 1)?;
        queue.post(Key(1), 2)?;
        for value in [1, 2] {
            let posted = queue.wait(&mut batch, None)?.next();
            let Some(Completion::Posted { value: came, .. }) = posted else { panic!("{posted:?}") };
            assert_eq!(came, value);
        }
        assert!(queue.wait(&mut batch, None)?.is_empty(), "the end");
        queue.post(Key(1), 3)?;
        let posted = queue.wait(&mut batch, None)?.next();
        assert!(matches!(posted, Some(Completion::Posted { value: 3, .. })), "{posted:?}");
        Ok(())
    })
}

/// Operations may still be submitted, also by who has been told of the end.
#[test]
fn after_the_end_operations_complete_as_before_and_the_end_comes_again() -> io::Result<()> {
    within_deadline(|| {
        let queue = Queue::new()?;
        let (stream, mut peer) = registered(&queue, Key(7));
        let mut batch = Completions::with_capacity(8);
        queue.shut_down()?;
        assert!(is_shut_down(&queue.wait(&mut batch, None)?.collect::<Vec<_>>()));
        for _ in 0..2 {
            assert!(queue.wait(&mut batch, None)?.is_empty(), "the end");
            stream.receive(Vec::with_capacity(16))?;
            peer.write_all(b"!")?;
            let received = Received::of(queue.wait(&mut batch, None)?.next().expect("it comes"));
            assert_eq!((received.key, received.buffer), (Key(7), b"!".to_vec()));
        }
        Ok(())
    })
}

#[test]
fn collecting_gives_up_when_its_time_is_up() -> io::Result<()> {
    within_deadline(|| {
        let queue = Queue::new()?;
        let (stream, mut peer) = registered(&queue, Key(0));
        stream.receive(Vec::with_capacity(16))?;
        queue.shut_down()?;
        let mut batch = Completions::with_capacity(8);
        assert!(is_shut_down(&queue.wait(&mut batch, None)?.collect::<Vec<_>>()));
        let start = Instant::now();
        assert!(queue.wait(&mut batch, Some(Duration::from_millis(20)))?.is_empty());
        assert!(start.elapsed() >= Duration::from_millis(20));
        // The operation is as it was.
        assert_eq!(queue.in_flight(), 1);
        peer.write_all(b"!")?;
        let received = Received::of(queue.wait(&mut batch, None)?.next().expect("it comes"));
        assert_eq!(received.buffer, b"!");
        Ok(())
    })
}

/// Collects to the end without a limit of time, and says how often it has waited for that.
fn collect_to_the_end(queue: &Queue) -> usize {
    let (mut batch, mut waits) = (Completions::with_capacity(1), 0);
    loop {
        waits += 1;
        if queue.wait(&mut batch, None).expect("waiting").is_empty() {
            return waits;
        }
        batch.by_ref().for_each(drop);
    }
}

/// The last operation goes to one of several threads. The others, who sleep, are told; and however
/// many there are, nobody waits over and over.
#[test]
fn whoever_takes_the_last_operation_ends_the_others() {
    for (threads, concurrency) in [(1, 1), (2, 1), (8, 1), (8, 0)] {
        for _ in 0..10 {
            let waits = within_deadline(move || {
                let queue = Queue::with_concurrency(concurrency).expect("a queue");
                let (stream, mut peer) = registered(&queue, Key(0));
                stream.receive(Vec::with_capacity(16)).expect("submitted");
                queue.shut_down().expect("shut down");
                thread::scope(|scope| {
                    let collect = || scope.spawn(|| collect_to_the_end(&queue));
                    let threads: Vec<_> = (0..threads).map(|_| collect()).collect();
                    give_way(|| false);
                    peer.write_all(b"!").expect("the byte is sent");
                    threads.into_iter().map(|one| one.join().expect("told")).collect::<Vec<_>>()
                })
            });
            assert!(waits.iter().all(|waits| *waits <= 3), "{waits:?}");
        }
    }
}

/// An operation that ends without a packet, since it is refused, ends those who collect too.
#[test]
fn an_operation_that_ends_without_a_packet_ends_those_who_collect() {
    for _ in 0..20 {
        within_deadline(|| {
            let queue = Queue::new().expect("a queue");
            let (stream, _peer) = registered(&queue, Key(0));
            queue.shut_down().expect("shut down");
            thread::scope(|scope| {
                let collecting = [(); 3].map(|()| scope.spawn(|| collect_to_the_end(&queue)));
                stream.shutdown(Shutdown::Write).expect("shut down");
                for _ in 0..100 {
                    stream.send(b"!".to_vec()).expect_err("nothing can be sent any more");
                }
                collecting.into_iter().for_each(|one| assert!(one.join().expect("told") > 0));
            });
        });
    }
}

/// A loop that takes no notice of the shutdown sleeps between completions, and does not run in
/// circles: neither while something is in flight, nor after the end.
#[test]
fn a_loop_that_ignores_the_shutdown_sleeps() -> io::Result<()> {
    for in_flight in [true, false] {
        let queue = Queue::new()?;
        let (stream, _peer) = registered(&queue, Key(0));
        if in_flight {
            stream.receive(Vec::with_capacity(16))?;
        }
        queue.shut_down()?;
        let (mut batch, mut waits, start) = (Completions::with_capacity(8), 0, Instant::now());
        while start.elapsed() < Duration::from_millis(60) {
            waits += 1;
            queue.wait(&mut batch, Some(Duration::from_millis(20)))?.for_each(drop);
        }
        assert!(waits <= 6, "{waits} waits, with something in flight: {in_flight}");
    }
    Ok(())
}

/// Threads that collect are on their way in and out of the port while others learn of the shutdown.
#[test]
fn threads_that_collect_do_not_keep_the_news_from_others() {
    for concurrency in [1, 0] {
        for _ in 0..10 {
            within_deadline(move || {
                let queue = Queue::with_concurrency(concurrency).expect("a queue");
                let (stream, mut peer) = registered(&queue, Key(0));
                stream.receive(Vec::with_capacity(16)).expect("submitted");
                thread::scope(|scope| {
                    let collect = || scope.spawn(|| collect_to_the_end(&queue));
                    let early = [(); 4].map(|()| collect());
                    queue.shut_down().expect("shut down");
                    let late = [(); 4].map(|()| collect());
                    peer.write_all(b"!").expect("the byte is sent");
                    early.into_iter().for_each(|one| assert!(one.join().expect("told") > 0));
                    late.into_iter().for_each(|one| assert!(one.join().expect("told") > 0));
                });
            });
        }
    }
}

/// Of those that wait the system may release the one that has begun last. So a reminder comes to
/// the threads that were told long ago, and wait again, before it comes to the one that has waited
/// from the beginning; and there are enough of them to keep it among themselves.
#[test]
fn however_many_collect_the_news_reaches_the_one_that_has_waited_longest() {
    const THREADS: usize = 60;
    within_deadline(|| {
        let (queue, waiting, told) = (Queue::new().expect("a queue"), counter(), counter());
        let (stream, mut peer) = registered(&queue, Key(0));
        stream.receive(Vec::with_capacity(16)).expect("submitted");
        let collect = || {
            let mut batch = Completions::with_capacity(1);
            waiting.fetch_add(1, SeqCst);
            while !queue.wait(&mut batch, None).expect("waiting").is_empty() {
                let shutdowns =
                    batch.by_ref().filter(|one| matches!(one, Completion::ShutDown)).count();
                told.fetch_add(shutdowns, SeqCst);
            }
        };
        thread::scope(|scope| {
            (0..THREADS).for_each(|_| _ = scope.spawn(collect));
            until("all are about to wait", || waiting.load(SeqCst) == THREADS);
            give_way(|| false);
            queue.shut_down().expect("shut down");
            until("all are told", || told.load(SeqCst) == THREADS);
            peer.write_all(b"!").expect("the byte is sent");
        });
    });
}

fn counter() -> AtomicUsize {
    AtomicUsize::new(0)
}

/// A batch that goes from one queue to another is told by each of them.
#[test]
fn a_batch_is_told_by_each_queue_that_it_is_used_with() -> io::Result<()> {
    within_deadline(|| {
        let mut batch = Completions::with_capacity(8);
        for _ in 0..2 {
            let queue = Queue::new()?;
            queue.shut_down()?;
            assert!(is_shut_down(&queue.wait(&mut batch, None)?.collect::<Vec<_>>()));
            assert!(queue.wait(&mut batch, None)?.is_empty());
        }
        Ok(())
    })
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
