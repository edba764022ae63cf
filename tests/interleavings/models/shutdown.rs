//! Whoever waits is told that the queue is shut down, and that nothing is in flight any more; and
//! nobody sleeps for ever, which would be a deadlock here.

#![allow(unsafe_code, reason = "an operation is taken back in place of who made its call")]

use std::ops::Range;

use super::kit::Address;
use super::queue::{Batch, Queue, Told};
use crate::explorer::check;
use crate::plan::Bound;

#[test]
fn one_that_waits_is_told() {
    check("shut_down_one", 2, Bound::Outcomes, |execution| {
        let queue = Queue::new(0..0);
        execution.run([
            Box::new(|| _ = queue.wait_for_shutdown(&mut Batch::with_capacity(1))),
            Box::new(|| queue.shut_down()),
        ]);
        queue.is_over();
    });
}

/// Two that wait, with batches of this capacity, and posts that fail.
fn shut_down_two(name: &str, capacity: usize, refused: Range<usize>) {
    check(name, 3, Bound::Outcomes, |execution| {
        let queue = Queue::new(refused.clone());
        let wait = || _ = queue.wait_for_shutdown(&mut Batch::with_capacity(capacity));
        execution.run([Box::new(wait), Box::new(wait), Box::new(|| queue.shut_down())]);
        queue.is_over();
    });
}

#[test]
fn all_that_wait_are_told() {
    shut_down_two("shut_down_two", 1, 0..0);
    shut_down_two("shut_down_two_in_batches", 8, 0..0);
}

#[test]
fn all_that_wait_are_told_although_a_post_fails() {
    shut_down_two("shut_down_refused", 8, 0..1);
    shut_down_two("shut_down_refused_later", 8, 1..2);
}

/// A wake-up on its way takes nobody's shutdown, and is not lost.
#[test]
fn all_that_wait_are_told_although_one_is_woken() {
    check("shut_down_and_wake", 3, Bound::Outcomes, |execution| {
        let queue = Queue::new(0..0);
        let told = [Told::default(); 2];
        let [mut one, mut other] = told;
        let wait = |told: &mut Told| *told = queue.wait_for_shutdown(&mut Batch::with_capacity(8));
        execution.run([
            Box::new(|| wait(&mut one)),
            Box::new(|| wait(&mut other)),
            Box::new(|| {
                queue.core.control.wake().expect("there is memory");
                queue.shut_down();
            }),
        ]);
        assert!(one.woken + other.woken == 1 || queue.core.control.port().len() > 0);
        queue.is_over();
    });
}

/// Two collect what is in flight, and one of them gets the last: the other is told, too. These
/// posts fail.
fn collect_two(name: &str, refused: Range<usize>) {
    check(name, 3, Bound::Preemptions(2), |execution| {
        let queue = Queue::new(0..0);
        let address = queue.submit();
        queue.shut_down();
        queue.core.control.port().refuse(refused.clone());
        let [mut one, mut other] = [Told::default(); 2];
        let collect = |told: &mut Told| {
            let mut batch = Batch::with_capacity(8);
            *told = queue.wait_for_shutdown(&mut batch);
            queue.collect(&mut batch, told);
        };
        execution.run([
            Box::new(|| collect(&mut one)),
            Box::new(|| collect(&mut other)),
            Box::new(|| queue.end(address)),
        ]);
        assert_eq!(one.received + other.received, 1);
        queue.is_over();
    });
}

#[test]
fn all_that_collect_are_told_when_the_last_has_come() {
    collect_two("collect_two", 0..0);
}

#[test]
fn all_that_collect_are_told_although_a_post_fails() {
    collect_two("collect_two_refused", 0..1);
}

/// One of them leaves when it has got the last, and does not wait again.
#[test]
fn who_leaves_with_the_last_has_told_the_others() {
    check("collect_and_leave", 3, Bound::Preemptions(2), |execution| {
        let queue = Queue::new(0..0);
        let address = queue.submit();
        queue.shut_down();
        execution.run([
            Box::new(|| {
                let mut batch = Batch::with_capacity(8);
                let mut told = queue.wait_for_shutdown(&mut batch);
                queue.collect(&mut batch, &mut told);
            }),
            Box::new(|| {
                let mut batch = Batch::with_capacity(8);
                let mut told = queue.wait_for_shutdown(&mut batch);
                if told.received == 0 {
                    told.read(queue.wait(&mut batch).expect("there is memory"));
                }
            }),
            Box::new(|| queue.end(address)),
        ]);
        queue.is_over();
    });
}

/// The shutdown comes in the middle of it.
#[test]
fn who_collects_is_told_when_the_last_has_come() {
    check("collect", 3, Bound::Outcomes, |execution| {
        let queue = Queue::new(0..0);
        let address = queue.submit();
        let mut told = Told::default();
        execution.run([
            Box::new(|| {
                let mut batch = Batch::with_capacity(8);
                told = queue.wait_for_shutdown(&mut batch);
                queue.collect(&mut batch, &mut told);
            }),
            Box::new(|| queue.shut_down()),
            Box::new(|| queue.end(address)),
        ]);
        assert_eq!(told.received, 1);
        queue.is_over();
    });
}

/// The packet of the last comes before its call returns: who collects does not wait for the call.
#[test]
fn who_collects_is_told_although_the_last_call_goes_on() {
    check("collect_late_call", 2, Bound::Outcomes, |execution| {
        let queue = Queue::new(0..0);
        let lent = queue.lend();
        let address = Address(lent.overlapped());
        queue.shut_down();
        execution.run([
            Box::new(|| {
                let mut batch = Batch::with_capacity(8);
                let mut told = queue.wait_for_shutdown(&mut batch);
                queue.collect(&mut batch, &mut told);
                assert_eq!(told.received, 1);
            }),
            Box::new(|| {
                queue.end(address);
                drop(lent);
            }),
        ]);
        queue.is_over();
    });
}

/// No packet comes of the last operation: its call has said all.
#[test]
fn who_collects_is_told_when_the_last_has_ended_without_a_packet() {
    check("collect_inline", 2, Bound::Outcomes, |execution| {
        let queue = Queue::new(0..0);
        let lent = queue.lend();
        execution.run([
            Box::new(|| {
                let mut batch = Batch::with_capacity(8);
                let mut told = queue.wait_for_shutdown(&mut batch);
                queue.collect(&mut batch, &mut told);
                assert_eq!(told.received, 0);
            }),
            Box::new(|| {
                queue.shut_down();
                // SAFETY: the model's call has ended, and no packet comes of it.
                assert!(unsafe { lent.take_done() }.is_some());
                queue.core.ended_without_packet();
            }),
        ]);
        queue.is_over();
    });
}
