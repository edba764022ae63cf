//! What waiting and waking make of calls that fail or take their time: no wait is shorter than
//! asked for, no wake-up or shutdown is lost, and packets of nobody disturb nothing.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::ffi::constants::WAIT_TIMEOUT;
use overlapped::{Completion, CompletionPort, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, Received, assert_quiet, give_way, one, pair, within_deadline};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, ERROR_NO_SYSTEM_RESOURCES, Fault, Gate, STRANGER, assert_code};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::Sent;

const NO_RESOURCES: Fault = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);

#[test]
fn a_wait_that_fails_says_so_and_loses_nothing() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    queue.post(Key(1), 2)?;
    let mut batch = Completions::with_capacity(8);
    for _ in 0..3 {
        calls.spoil(Call::GetQueuedCompletionStatusEx, 1, NO_RESOURCES);
        let error = queue.wait(&mut batch, None).expect_err("the call fails");
        assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
    }
    assert!(matches!(one(&queue), Completion::Posted { key: Key(1), value: 2 }));
    Ok(())
}

/// The system may end a wait before its time, by as much as a tick of its clock.
#[test]
fn a_wait_that_the_system_ends_early_goes_on() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let mut batch = Completions::with_capacity(8);
    for timeout in [None, Some(DEADLINE)] {
        queue.post(Key(1), 2)?;
        (1..=3).for_each(|nth| {
            calls.spoil(Call::GetQueuedCompletionStatusEx, nth, Fault::fails(WAIT_TIMEOUT));
        });
        assert_eq!(queue.wait(&mut batch, timeout)?.count(), 1, "{timeout:?}");
    }

    // The port itself goes on too.
    let (port, mut packets) = (CompletionPort::new(0)?, Vec::with_capacity(1));
    port.post(Key(1), 2)?;
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::fails(WAIT_TIMEOUT));
    assert_eq!(port.dequeue(&mut packets, None)?, 1);

    let (moment, start) = (Duration::from_millis(50), Instant::now());
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::fails(WAIT_TIMEOUT));
    assert_eq!(queue.wait(&mut batch, Some(moment))?.count(), 0);
    assert!(start.elapsed() >= moment, "it has waited for {:?} only", start.elapsed());
    Ok(())
}

#[test]
fn a_wake_up_that_cannot_be_posted_says_so_and_the_next_one_tries_again() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let waker = queue.waker();
    for _ in 0..3 {
        calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
        let error = waker.wake().expect_err("the call fails");
        assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
        assert_quiet(&queue);
    }
    waker.wake()?;
    assert!(matches!(one(&queue), Completion::Woken));

    calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
    let error = queue.post(Key(1), 2).expect_err("the call fails");
    assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_wake_up_that_fails_on_one_thread_does_not_stand_for_that_of_another() {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let gate = Gate::default();
    let fails = Fault::starts_at(&gate).and_fails(ERROR_NO_SYSTEM_RESOURCES);
    calls.spoil(Call::PostQueuedCompletionStatus, 1, fails);
    let waker = queue.waker();
    thread::scope(|scope| {
        let first = scope.spawn(|| waker.wake());
        gate.reached();
        let second = scope.spawn(|| waker.wake());
        // Time for the second to take the first for done, which it is not.
        give_way(|| false);
        gate.open();
        first.join().expect("no panic").expect_err("the post fails");
        second.join().expect("no panic").expect("this one does not fail");
    });
    assert!(matches!(one(&queue), Completion::Woken));
    assert_quiet(&queue);
}

#[test]
fn a_wake_up_that_is_dequeued_before_its_post_returns_does_not_swallow_the_next() {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let (gate, waker) = (Gate::default(), queue.waker());
    calls.spoil(Call::PostQueuedCompletionStatus, 1, Fault::returns_at(&gate));
    thread::scope(|scope| {
        let first = scope.spawn(|| waker.wake());
        gate.reached();
        assert!(matches!(one(&queue), Completion::Woken));
        gate.open();
        first.join().expect("no panic").expect("posted");
    });
    waker.wake().expect("posted");
    assert!(matches!(one(&queue), Completion::Woken));
}

#[test]
fn a_shutdown_reaches_a_thread_that_is_on_its_way_into_the_wait() {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let gate = Gate::default();
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::starts_at(&gate));
    let told = within_deadline(move || {
        thread::scope(|scope| {
            let waiting = scope.spawn(|| one(&queue));
            gate.reached();
            queue.shut_down().expect("posted");
            gate.open();
            waiting.join().expect("told")
        })
    });
    assert!(matches!(told, Completion::ShutDown));
}

/// If the packet for the others cannot be posted, the next thread that comes by tries again.
#[test]
fn a_shutdown_whose_packet_is_lost_on_its_way_is_passed_on_by_the_next() {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let gates = [Gate::default(), Gate::default()];
    (1..).zip(&gates).for_each(|(nth, gate)| {
        calls.spoil(Call::GetQueuedCompletionStatusEx, nth, Fault::starts_at(gate));
    });
    thread::scope(|scope| {
        let sleepers = [(); 2].map(|()| scope.spawn(|| one(&queue)));
        gates.iter().for_each(Gate::reached);
        calls.spoil(Call::PostQueuedCompletionStatus, 1, Fault::fails(ERROR_NO_SYSTEM_RESOURCES));
        queue.shut_down().expect_err("the post fails");
        gates.iter().for_each(Gate::open);
        // The flag is up, so a wait that comes now ends at once, and passes it on.
        assert!(matches!(one(&queue), Completion::ShutDown));
        for sleeper in sleepers {
            assert!(matches!(sleeper.join().expect("told"), Completion::ShutDown));
        }
    });
}

#[test]
fn packets_of_nobody_are_handed_over_and_touch_nothing() -> io::Result<()> {
    const ROUNDS: u64 = 64;
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (near, far) = pair();
    let near = queue.register(near, Key(1))?;
    let far = queue.register(far, Key(2))?;
    let (mut strangers, mut batch) = (0, Completions::with_capacity(16));
    let mut buffer = Vec::with_capacity(64);
    for round in 0..ROUNDS {
        calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::strangers(1 + round as u32 % 5));
        buffer.clear();
        far.receive(buffer)?;
        near.send(round.to_ne_bytes().to_vec())?;
        let (mut sent, mut received) = (None, None);
        while sent.is_none() || received.is_none() {
            for completion in queue.wait(&mut batch, Some(DEADLINE))? {
                match completion {
                    Completion::Foreign(packet) if packet.key() == Key(STRANGER) => strangers += 1,
                    completion @ Completion::Sent { .. } => sent = Some(Sent::of(completion)),
                    completion => received = Some(Received::of(completion)),
                }
            }
        }
        buffer = received.expect("looked at above").buffer;
        assert_eq!(buffer, round.to_ne_bytes());
    }
    assert_eq!((strangers, queue.in_flight()), (calls.strangers(), 0));
    assert!(strangers >= ROUNDS, "only {strangers} packets of nobody came");
    Ok(())
}

/// Who has seen the shutdown passes it on to those that sleep. When that fails it is told, for else
/// a thread would sleep for ever; and the next wait tries again.
#[test]
fn a_shutdown_that_cannot_be_passed_on_is_an_error_and_the_next_wait_passes_it_on() {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let gate = Gate::default();
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::starts_at(&gate));
    thread::scope(|scope| {
        // It counts as asleep, and its packet is not posted yet.
        let sleeper = scope.spawn(|| one(&queue));
        gate.reached();
        calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
        calls.spoil(Call::PostQueuedCompletionStatus, 2, NO_RESOURCES);
        queue.shut_down().expect_err("the post fails");

        let mut batch = Completions::with_capacity(8);
        let error = queue.wait(&mut batch, None).expect_err("the sleeper could not be told");
        assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
        let told = queue.wait(&mut batch, None).expect("the sleeper is told").next();
        assert!(matches!(told, Some(Completion::ShutDown)), "{told:?}");
        gate.open();
        assert!(matches!(sleeper.join().expect("told"), Completion::ShutDown));
    });
}

/// A port gives nothing out while as many threads run as it lets run: then a look at it says that
/// the time is up, though packets are there. What was sent before the shutdown is waited for all
/// the same.
#[test]
fn what_a_look_does_not_bring_is_not_taken_for_nothing() -> io::Result<()> {
    let calls = Calls::watch();
    for woken in [false, true] {
        let queue = CompletionQueue::<Vec<u8>>::new()?;
        let mut batch = Completions::with_capacity(8);
        if woken {
            queue.waker().wake()?
        } else {
            queue.post(Key(1), 2)?
        }
        queue.shut_down()?;

        let look = Fault::fails(WAIT_TIMEOUT);
        calls.spoil(Call::GetQueuedCompletionStatusEx, 1, look.clone());
        let first = queue.wait(&mut batch, None)?.collect::<Vec<_>>();
        assert!(matches!(first[..], [Completion::ShutDown]), "{first:?}");

        calls.spoil(Call::GetQueuedCompletionStatusEx, 1, look);
        let sent = queue.wait(&mut batch, None)?.collect::<Vec<_>>();
        if woken {
            assert!(matches!(sent[..], [Completion::Woken]), "{sent:?}");
        } else {
            assert!(matches!(sent[..], [Completion::Posted { key: Key(1), value: 2 }]), "{sent:?}");
        }
        assert!(queue.wait(&mut batch, None)?.is_empty(), "the end");
    }
    Ok(())
}

/// Who waits for a value that could not be sent is told that nothing comes.
#[test]
fn a_post_that_fails_is_not_waited_for() {
    let calls = Calls::watch();
    let gate = Gate::default();
    calls.spoil(
        Call::PostQueuedCompletionStatus,
        1,
        Fault::starts_at(&gate).and_fails(ERROR_NO_SYSTEM_RESOURCES),
    );
    within_deadline(move || {
        let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
        thread::scope(|scope| {
            let posting = scope.spawn(|| queue.post(Key(1), 2));
            gate.reached();
            queue.shut_down().expect("nobody waits");
            let collecting = scope.spawn(|| {
                let mut batch = Completions::with_capacity(8);
                while !queue.wait(&mut batch, None).expect("waiting").is_empty() {
                    batch.by_ref().for_each(drop);
                }
            });
            give_way(|| collecting.is_finished());
            gate.open();
            posting.join().expect("the call returns").expect_err("it fails");
            collecting.join().expect("told");
        });
    });
}
