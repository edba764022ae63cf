//! What `wait` promises: never too short, never for ever unless asked to, in the order of a single
//! thread, and each completion to one thread, whichever submitted it.
#![cfg(windows)]

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Write};
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, assert_quiet, collect, one, one_received, registered, within_deadline};

/// What was posted, in the order in which it came.
fn values(batch: &mut Completions) -> Vec<u32> {
    let value = |completion| match completion {
        Completion::Posted { value, .. } => value,
        other => panic!("a posted value was expected: {other:?}"),
    };
    batch.map(value).collect()
}

#[test]
fn a_wait_is_never_shorter_than_asked_for() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let mut batch = Completions::with_capacity(8);
    for timeout in [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_nanos(999_999),
        Duration::from_micros(1_500),
        Duration::from_millis(50),
    ] {
        let start = Instant::now();
        let nothing = queue.wait(&mut batch, Some(timeout))?.next();
        let waited = start.elapsed();
        assert!(nothing.is_none(), "nothing was expected: {nothing:?}");
        assert!((timeout..DEADLINE).contains(&waited), "{waited:?} in place of {timeout:?}");
    }
    Ok(())
}

#[test]
fn the_longest_durations_are_long_waits_that_a_wake_ends() {
    // 49.7 days are all that one system call can wait.
    let fifty_days = Duration::from_millis(u64::from(u32::MAX) + 8_640_000);
    for timeout in [Some(fifty_days), Some(Duration::MAX), None] {
        let woken = within_deadline(move || {
            let queue = CompletionQueue::<Vec<u8>>::new()?;
            let waker = queue.waker();
            let other = thread::spawn(move || waker.wake());
            let mut batch = Completions::with_capacity(8);
            let woken = queue.wait(&mut batch, timeout)?.next();
            other.join().expect("waking does not panic")?;
            io::Result::Ok(woken)
        });
        assert!(matches!(woken, Ok(Some(Completion::Woken))), "after {timeout:?}: {woken:?}");
    }
}

#[test]
fn a_batch_without_room_is_refused_and_nothing_is_lost() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    queue.post(Key(1), 2)?;
    for timeout in [None, Some(Duration::ZERO), Some(Duration::MAX)] {
        let error = queue.wait(&mut Completions::with_capacity(0), timeout).map(|_| ());
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
    }
    assert!(matches!(one(&queue), Completion::Posted { key: Key(1), value: 2 }));
    Ok(())
}

#[test]
fn a_small_batch_takes_what_it_can_and_the_next_wait_brings_more() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let mut batch = Completions::with_capacity(2);
    for value in 1..=5 {
        queue.post(Key(0), value)?;
    }
    let wait = |batch: &mut Completions| queue.wait(batch, Some(DEADLINE)).map(values);
    assert_eq!(wait(&mut batch)?, [1, 2]);
    assert_eq!(wait(&mut batch)?, [3, 4]);
    assert_eq!(wait(&mut batch)?, [5]);
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn what_a_loop_leaves_in_the_batch_comes_first_at_the_next_wait() {
    // Should the second wait sleep although the batch is not empty, it would sleep for ever.
    let (first, rest) = within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let mut batch = Completions::with_capacity(8);
        for value in 1..=3 {
            queue.post(Key(0), value)?;
        }
        let first = queue.wait(&mut batch, None)?.next();
        let mut rest = vec![values(queue.wait(&mut batch, None)?)];
        queue.post(Key(0), 4)?;
        rest.push(values(queue.wait(&mut batch, None)?));
        io::Result::Ok((first, rest))
    })
    .expect("posting and waiting");
    assert!(matches!(first, Some(Completion::Posted { value: 1, .. })), "{first:?}");
    assert_eq!(rest, [vec![2, 3], vec![4]]);
}

#[test]
fn a_batch_tells_how_much_is_left_in_it() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let mut batch = Completions::with_capacity(8);
    assert!(batch.is_empty());
    queue.post(Key(0), 1)?;
    queue.post(Key(0), 2)?;
    queue.wait(&mut batch, Some(DEADLINE))?.next();
    assert_eq!((batch.len(), batch.is_empty(), batch.size_hint()), (1, false, (0, Some(1))));
    Ok(())
}

#[test]
fn what_is_posted_comes_unchanged() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    for (key, value) in [(0, 0), (1, u32::MAX), (usize::MAX, 0), (usize::MAX, u32::MAX)] {
        queue.post(Key(key), value)?;
        let posted = one(&queue);
        let Completion::Posted { key: came_under, value: came } = posted else {
            panic!("a posted value was expected: {posted:?}");
        };
        assert_eq!((came_under, came), (Key(key), value));
    }
    Ok(())
}

#[test]
fn of_many_threads_that_wait_each_completion_goes_to_one() -> io::Result<()> {
    const POSTS: u32 = 1_000;
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (seen, count) = (Mutex::new(BTreeSet::new()), AtomicUsize::new(0));
    let waiting_thread = || {
        let (mut batch, start) = (Completions::with_capacity(3), Instant::now());
        while start.elapsed() < DEADLINE {
            for completion in queue.wait(&mut batch, Some(DEADLINE)).unwrap() {
                match completion {
                    Completion::Posted { value, .. } => {
                        assert!(seen.lock().unwrap().insert(value), "{value} came twice");
                        if count.fetch_add(1, SeqCst) + 1 == POSTS as usize {
                            queue.shut_down().unwrap();
                        }
                    }
                    Completion::ShutDown => return,
                    other => panic!("it was not posted: {other:?}"),
                }
            }
        }
        panic!("{} of {POSTS} came", count.load(SeqCst));
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(waiting_thread);
        }
        for value in 0..POSTS {
            queue.post(Key(0), value).unwrap();
        }
    });
    assert_eq!(seen.into_inner().unwrap(), (0..POSTS).collect());
    Ok(())
}

#[test]
fn a_receive_may_complete_on_another_thread_than_the_one_that_submitted_it() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    let id = stream.receive(Vec::with_capacity(16))?;
    let received = thread::scope(|scope| {
        let other = scope.spawn(|| one_received(&queue));
        peer.write_all(b"!").unwrap();
        other.join().expect("the other thread waits")
    });
    assert_eq!((received.id, received.buffer.as_slice()), (id, &b"!"[..]));
    Ok(())
}

#[test]
fn an_operation_outlives_the_thread_that_submitted_it() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let submit = || stream.receive(Vec::with_capacity(16));
    let id = thread::scope(|scope| scope.spawn(submit).join()).expect("submitting")?;

    // That thread has ended. For a socket without a port this would have cancelled its operations.
    assert_quiet(&queue);
    peer.write_all(b"!")?;

    let received = one_received(&queue);
    assert_eq!((received.id, received.buffer.as_slice()), (id, &b"!"[..]));
    Ok(())
}

/// The concurrency of a port counts the threads that run, and not those that wait: while one blocks
/// in something else, another is let through.
#[test]
fn a_concurrency_of_one_lets_another_thread_run_while_the_first_is_blocked() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::with_concurrency(1)?;
    let (done, second_is_done) = channel();
    queue.post(Key(1), 0)?;
    let first = one(&queue); // this thread counts as running, from here on

    thread::scope(|scope| {
        let queue = &queue;
        scope.spawn(move || done.send(one(queue)));
        queue.post(Key(2), 0).unwrap();
        let second = second_is_done.recv_timeout(DEADLINE).expect("the second thread has run");
        assert!(matches!(second, Completion::Posted { key: Key(2), .. }), "{second:?}");
    });
    assert!(matches!(first, Completion::Posted { key: Key(1), .. }), "{first:?}");
    Ok(())
}

#[test]
fn a_completion_names_its_key_unless_it_belongs_to_the_whole_queue() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    queue.post(Key(7), 0)?;
    queue.port().post(Key(8), 0)?;
    let keys: Vec<_> = collect(&queue, 2).iter().map(Completion::key).collect();
    assert_eq!(keys, [Some(Key(7)), Some(Key(8))]);
    queue.waker().wake()?;
    assert_eq!(one(&queue).key(), None);
    queue.shut_down()?;
    assert_eq!(one(&queue).key(), None);
    Ok(())
}

#[test]
fn a_batch_says_how_many_may_come_out_of_it() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let mut batch = Completions::with_capacity(8);
    assert_eq!((batch.len(), batch.size_hint()), (0, (0, Some(0))));
    queue.post(Key(1), 1)?;
    queue.post(Key(2), 2)?;
    queue.wait(&mut batch, Some(DEADLINE))?;
    // Not at least two: the registrations of some may be dropped before they are read.
    assert_eq!((batch.len(), batch.size_hint()), (2, (0, Some(2))));
    batch.next();
    assert_eq!((batch.len(), batch.size_hint()), (1, (0, Some(1))));
    Ok(())
}
