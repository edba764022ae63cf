//! What could not be posted is owed, and the next wait tries again. Until that succeeds, waits go
//! on to deliver what has come.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::io::Write;
use std::time::Duration;

use overlapped::{Completion, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, registered, until};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, ERROR_NO_SYSTEM_RESOURCES, Fault};

/// Taking packets out is what can end the system's shortage of memory for them.
#[test]
fn what_has_come_is_delivered_although_what_is_owed_cannot_be_posted() {
    let calls = Calls::watch();
    let queue = CompletionQueue::new().expect("a queue");
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(Vec::with_capacity(16)).expect("submitted");
    queue.waker().wake().expect("posted");
    let mut unread = Completions::with_capacity(8);
    assert_eq!(queue.wait(&mut unread, Some(DEADLINE)).expect("waiting").len(), 1);
    for nth in 1..100_000 {
        let fails = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);
        calls.spoil(Call::PostQueuedCompletionStatus, nth, fails);
    }
    drop(unread); // the wake-up is owed from here on
    let mut batch = Completions::with_capacity(8);
    let moment = Some(Duration::from_millis(1));
    queue.wait(&mut batch, moment).expect_err("it cannot be posted, and nothing has come");

    peer.write_all(b"!").expect("sent");
    let is_received = |it| matches!(it, Completion::Received { result: Ok(1), .. });
    let mut wait = || queue.wait(&mut batch, moment).is_ok_and(|batch| batch.any(is_received));
    let waits = std::cell::RefCell::new(&mut wait);
    until("the byte comes", || waits.borrow_mut()());
    calls.spare();

    let woken = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").next();
    assert!(matches!(woken, Some(Completion::Woken)), "{woken:?}");
}
