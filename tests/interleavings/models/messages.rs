//! Values and wake-ups that are in the port when a queue is shut down, and reminders that are owed:
//! each comes once, and nobody comes to the end before, or sleeps through it.
#![allow(unsafe_code, reason = "an operation is taken back in place of who made its call")]

use super::super::completion::Completion;
use super::super::control::Stage;
use super::super::port::Key;
use super::queue::{Batch, Queue};
use crate::explorer::check;
use crate::plan::Bound;

/// Reads until the batch is empty; counts posted values and wake-ups.
fn collect(queue: &Queue, batch: &mut Batch) -> (usize, usize) {
    let (mut posted, mut woken) = (0, 0);
    loop {
        match queue.wait(batch) {
            Ok(batch) if batch.is_empty() => return (posted, woken),
            Ok(batch) => {
                for completion in batch {
                    match completion {
                        Completion::Posted { .. } => posted += 1,
                        Completion::Woken => woken += 1,
                        _ => {}
                    }
                }
            }
            Err(_) => {}
        }
    }
}

fn told(queue: &Queue, capacity: usize) -> Batch {
    let mut batch = Batch::with_capacity(capacity);
    assert!(queue.wait_for_shutdown(&mut batch).shut_down);
    batch
}

/// The end comes, and cannot be told to one that collects, while another thread, which sleeps
/// through what is no packet since its batch has come to the end before, pays what was owed.
#[test]
fn paying_loses_nothing_that_comes_to_be_owed() {
    check("pay", 2, Bound::Outcomes, |execution| {
        let queue = Queue::new(0..0);
        queue.shut_down();
        let lent = queue.lend();
        let control = &queue.core.control;
        // Something is owed: a reminder could not be posted while somebody was on the way.
        control.port().refuse(0..1);
        let sleeper = control.sleeper(Stage::Serving);
        assert!(control.shut_down().is_err());
        drop(sleeper);
        control.port().refuse(0..1);
        // One that collects, and sleeps.
        let collecting = control.sleeper(Stage::Told);
        execution.run([
            Box::new(|| {
                // As the first lines of `fill`.
                if control.owes() {
                    let left = || queue.core.in_flight.is_empty() && !control.has_messages();
                    let _ = control.pay(left);
                }
            }),
            Box::new(|| {
                // SAFETY: the model's call has ended, and no packet comes of it.
                assert!(unsafe { lent.take_done() }.is_some());
                queue.core.ended_without_packet();
            }),
        ]);
        assert!(control.port().len() > 0 || control.owes(), "neither told nor owed");
        drop(collecting);
    });
}

fn posted_before(name: &str, capacity: usize) {
    check(name, 2, Bound::Preemptions(3), |execution| {
        let queue = Queue::new(0..0);
        queue.core.control.post(Key(1), 1).expect("memory");
        queue.core.control.post(Key(1), 2).expect("memory");
        queue.core.control.wake().expect("memory");
        let [mut one, mut other] = [(0, 0); 2];
        let run = |sum: &mut (usize, usize)| {
            let mut batch = Batch::with_capacity(capacity);
            let before = queue.wait(&mut batch).map(|batch| {
                batch.fold((0, 0), |(p, w), c| match c {
                    Completion::Posted { .. } => (p + 1, w),
                    Completion::Woken => (p, w + 1),
                    _ => (p, w),
                })
            });
            let after = collect(&queue, &mut batch);
            let before = before.expect("memory");
            *sum = (before.0 + after.0, before.1 + after.1);
        };
        queue.shut_down();
        execution.run([Box::new(|| run(&mut one)), Box::new(|| run(&mut other))]);
        assert_eq!((one.0 + other.0, one.1 + other.1), (2, 1));
        assert!(!queue.core.control.has_messages());
        queue.is_over();
    });
}

#[test]
fn values_that_were_posted_come_once_and_before_the_end() {
    posted_before("posted_before", 1);
    posted_before("posted_before_in_one_batch", 8);
}

fn posted_meanwhile(name: &str, refused: std::ops::Range<usize>, fails: bool) {
    check(name, 3, Bound::Preemptions(2), |execution| {
        let queue = Queue::new(0..0);
        queue.shut_down();
        let (mut a, mut b) = (told(&queue, 1), told(&queue, 1));
        queue.core.control.port().refuse(refused.clone());
        let [mut one, mut other] = [(0, 0); 2];
        let mut sent = true;
        execution.run([
            Box::new(|| one = collect(&queue, &mut a)),
            Box::new(|| other = collect(&queue, &mut b)),
            Box::new(|| sent = queue.core.control.post(Key(1), 1).is_ok()),
        ]);
        assert!(sent || fails);
        let left = usize::from(queue.core.control.has_messages());
        assert_eq!(one.0 + other.0 + left, usize::from(sent));
        queue.is_over();
    });
}

#[test]
fn a_value_that_is_posted_while_others_collect_comes_once_or_is_refused() {
    posted_meanwhile("posted_meanwhile", 0..0, false);
    posted_meanwhile("posted_and_refused", 0..1, true);
}

/// A batch with a wake-up in it is dropped unread while another thread collects.
#[test]
fn a_wake_up_in_a_batch_that_is_dropped_is_not_lost_to_who_collects() {
    check("woken_unread", 3, Bound::Preemptions(2), |execution| {
        let queue = Queue::new(0..0);
        queue.core.control.wake().expect("memory");
        let mut unread = Batch::with_capacity(8);
        queue.wait(&mut unread).expect("memory");
        let lent = queue.lend();
        queue.shut_down();
        let mut a = told(&queue, 1);
        let mut one = (0, 0);
        execution.run([
            Box::new(|| one = collect(&queue, &mut a)),
            Box::new(|| drop(unread)),
            Box::new(|| {
                // SAFETY: as above.
                assert!(unsafe { lent.take_done() }.is_some());
                queue.core.ended_without_packet();
            }),
        ]);
        let left = usize::from(queue.core.control.has_messages());
        assert_eq!(one.1 + left, 1);
        queue.is_over();
    });
}
