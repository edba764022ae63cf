//! Waiting up to a moment: as waiting for a time, for programs that know when something is due.
#![cfg(windows)]

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, within_deadline};

/// What was posted, in the order in which it came.
fn values(batch: &mut Completions) -> Vec<u32> {
    let value = |completion| match completion {
        Completion::Posted { value, .. } => value,
        other => panic!("a posted value was expected: {other:?}"),
    };
    batch.map(value).collect()
}

#[test]
fn a_wait_up_to_a_moment_is_never_shorter() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::<Vec<u8>>::new()?;
        let mut batch = Completions::with_capacity(8);
        let start = Instant::now();
        for moment in [start + Duration::from_micros(1_500), start + Duration::from_millis(50)] {
            assert!(queue.wait_until(&mut batch, moment)?.is_empty());
            assert!(Instant::now() >= moment, "up to {moment:?}");
        }
        Ok(())
    })
}

/// Such a wait looks, and brings what is there.
#[test]
fn a_wait_up_to_a_moment_that_has_passed_does_not_sleep() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::<Vec<u8>>::new()?;
        let (mut batch, passed) = (Completions::with_capacity(8), Instant::now());
        assert!(queue.wait_until(&mut batch, passed)?.is_empty());
        queue.post(Key(0), 1)?;
        assert_eq!(values(queue.wait_until(&mut batch, passed)?), [1]);
        Ok(())
    })
}

/// What comes ends the wait, and what was not read comes first.
#[test]
fn a_wait_up_to_a_moment_ends_when_something_comes() {
    let values = within_deadline(|| {
        let queue = CompletionQueue::<Vec<u8>>::new()?;
        let far = Instant::now() + 2 * DEADLINE;
        let mut batch = Completions::with_capacity(8);
        let waker = queue.waker();
        let other = thread::spawn(move || waker.wake());
        let woken = queue.wait_until(&mut batch, far)?.next();
        assert!(matches!(woken, Some(Completion::Woken)), "{woken:?}");
        other.join().expect("waking does not panic")?;
        queue.post(Key(0), 1)?;
        queue.post(Key(0), 2)?;
        queue.wait_until(&mut batch, far)?.next();
        io::Result::Ok(values(queue.wait_until(&mut batch, far)?))
    });
    assert_eq!(values.expect("posting and waiting"), [2]);
}
