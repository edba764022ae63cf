//! Whoever waits is told that the queue is shut down, and nobody sleeps for ever: that would be a
//! deadlock here.

use super::super::port::CompletionPort;
use super::super::waker::{Signal, Signals};
use crate::explorer::check;
use crate::plan::Bound;

/// The loop of `CompletionQueue::wait`, on a queue that has no operations: gives the number of wake-ups,
/// and whether the queue was shut down. The error is that of a shutdown that cannot be passed on.
fn wait(signals: &Signals, most: usize) -> std::io::Result<(usize, bool)> {
    let mut woken = 0;
    while woken == 0 {
        let parked = signals.park();
        let packets = if signals.is_shut_down() {
            signals.port().dequeue_at_once(most)
        } else {
            signals.port().dequeue(most)
        };
        drop(parked);
        for packet in packets {
            if let Some(Signal::Wake) = signals.read(&packet) {
                signals.wake_arrived();
                woken += 1;
            }
        }
        if signals.is_shut_down() {
            signals.pass_shutdown_on()?;
            return Ok((woken, true));
        }
    }
    Ok((woken, false))
}

fn signals(refused: usize) -> Signals {
    let port = CompletionPort::default();
    port.refuse(refused);
    Signals::new(port)
}

/// Waits until the queue is shut down, and does what the documentation says after an error.
fn wait_for_shutdown(signals: &Signals, most: usize) {
    while !matches!(wait(signals, most), Ok((_, true))) {}
}

/// After the threads: nobody counts as one that waits, so nobody is to be told.
fn is_over(signals: &Signals) {
    signals.port().dequeue_at_once(9);
    assert!(signals.pass_shutdown_on().is_ok());
    assert_eq!(signals.port().dequeue_at_once(9), [], "there is nobody to tell");
}

/// As a program that tries again until it succeeds.
fn shut_down(signals: &Signals) {
    while signals.shut_down().is_err() {}
}

#[test]
fn one_that_waits_is_told() {
    check("shut_down_one", 2, Bound::Outcomes, |execution| {
        let signals = signals(0);
        execution
            .run([Box::new(|| wait_for_shutdown(&signals, 1)), Box::new(|| shut_down(&signals))]);
    });
}

#[test]
fn all_that_wait_are_told() {
    for (name, most) in [("shut_down_two", 1), ("shut_down_two_in_batches", 8)] {
        check(name, 3, Bound::Outcomes, |execution| {
            let signals = signals(0);
            execution.run([
                Box::new(|| wait_for_shutdown(&signals, most)),
                Box::new(|| wait_for_shutdown(&signals, most)),
                Box::new(|| shut_down(&signals)),
            ]);
            is_over(&signals);
        });
    }
}

#[test]
fn all_that_wait_are_told_although_a_post_fails() {
    check("shut_down_refused", 3, Bound::Outcomes, |execution| {
        let signals = signals(1);
        execution.run([
            Box::new(|| wait_for_shutdown(&signals, 8)),
            Box::new(|| wait_for_shutdown(&signals, 8)),
            Box::new(|| shut_down(&signals)),
        ]);
        is_over(&signals);
    });
}

/// A wake-up on its way takes nobody's shutdown.
#[test]
fn all_that_wait_are_told_although_one_is_woken() {
    check("shut_down_and_wake", 3, Bound::Outcomes, |execution| {
        let signals = signals(0);
        execution.run([
            Box::new(|| wait_for_shutdown(&signals, 8)),
            Box::new(|| wait_for_shutdown(&signals, 8)),
            Box::new(|| {
                signals.wake().expect("there is memory");
                shut_down(&signals);
            }),
        ]);
        is_over(&signals);
    });
}
