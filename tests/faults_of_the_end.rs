//! What the end of a queue makes of calls that fail or take their time: nobody sleeps through a
//! shutdown or through the end, nobody hears of an end that is none, and no wake-up is lost.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use overlapped::ffi::constants::{WAIT_TIMEOUT, WSAENOBUFS};
use overlapped::{Buffer, Completion, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, Received, assert_quiet, one, registered, until};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, ERROR_NO_SYSTEM_RESOURCES, Fault, Gate, assert_code};

#[path = "support/tcp.rs"]
mod tcp;

#[path = "support/acting.rs"]
mod acting;
use acting::{Acting, received};

const NO_RESOURCES: Fault = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);

type Queue = CompletionQueue<Vec<u8>>;

fn queue() -> Arc<Queue> {
    Arc::new(Queue::new().expect("a queue"))
}

fn batch() -> Completions {
    Completions::with_capacity(8)
}

/// A batch that has been told that the queue is shut down.
#[track_caller]
fn told_batch(queue: &Queue) -> Completions {
    let mut batch = batch();
    let told = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").next();
    assert!(matches!(told, Some(Completion::ShutDown)), "{told:?}");
    batch
}

/// A thread that waits with a batch for as long as it takes, and says how many completions came and
/// whether the last one was the shutdown. It counts as asleep when this returns, and is held up on
/// its way into the port until the gate opens.
#[track_caller]
fn sleeper<B: Buffer + Send + 'static>(
    calls: &Calls,
    queue: &Arc<CompletionQueue<B>>,
    mut batch: Completions<B>,
    gate: &Gate,
) -> Sleeper {
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::starts_at(gate));
    let (sender, answer) = channel();
    let queue = Arc::clone(queue);
    let thread = thread::spawn(move || {
        let came: Vec<_> = queue.wait(&mut batch, None).expect("waiting").collect();
        let _ = sender.send((came.len(), matches!(came.last(), Some(Completion::ShutDown))));
    });
    gate.reached();
    Sleeper { answer, thread }
}

struct Sleeper {
    answer: Receiver<(usize, bool)>,
    thread: JoinHandle<()>,
}

impl Sleeper {
    #[track_caller]
    fn assert_is_told(self) {
        assert_eq!(self.told("it sleeps through the shutdown"), (1, true));
    }

    #[track_caller]
    fn assert_has_come_to_the_end(self) {
        assert_eq!(self.told("it sleeps through the end"), (0, false));
    }

    /// The thread has ended when this returns. It may be the last that has the queue, whose drop
    /// makes calls: these would be spoiled in place of those of the next test.
    #[track_caller]
    fn told(self, otherwise: &str) -> (usize, bool) {
        let told = self.answer.recv_timeout(DEADLINE).expect(otherwise);
        self.thread.join().expect("it has waited");
        told
    }
}

/// A sleeper that could not be told of the shutdown, by one who has taken its packet and has heard
/// of that as an error. An operation is in flight, so who waits with this batch sleeps.
#[track_caller]
fn not_passed_on(calls: &Calls, queue: &Arc<Queue>) -> (Sleeper, Completions) {
    let gate = Gate::default();
    let sleeper = sleeper(calls, queue, batch(), &gate);
    queue.shut_down().expect("posted");
    // Takes the packet while the sleeper is not in the port yet, and posts another.
    let mut batch = told_batch(queue);
    calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
    let error = queue.wait(&mut batch, Some(DEADLINE)).expect_err("the sleeper could not be told");
    assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
    gate.open();
    (sleeper, batch)
}

#[test]
fn who_could_not_be_told_of_the_shutdown_is_told_by_the_next_wait_though_that_one_sleeps() {
    let (calls, queue) = (Calls::watch(), queue());
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(Vec::with_capacity(16)).expect("submitted");
    let (sleeper, mut batch) = not_passed_on(&calls, &queue);
    let again = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").count())
    };
    sleeper.assert_is_told();
    peer.write_all(b"!").expect("sent");
    assert_eq!(again.join().expect("it has waited"), 1);
}

#[test]
fn who_could_not_be_told_of_the_shutdown_is_told_by_shutting_down_again() {
    let (calls, queue) = (Calls::watch(), queue());
    let (stream, _peer) = registered(&queue, Key(1));
    stream.receive(Vec::with_capacity(16)).expect("submitted");
    let (sleeper, _batch) = not_passed_on(&calls, &queue);
    queue.shut_down().expect("posted");
    sleeper.assert_is_told();
}

/// A reminder that nobody needs any more lies before a packet, and takes the only place of a batch.
#[test]
fn the_end_is_not_told_while_a_packet_is_in_the_port() {
    let (calls, queue) = (Calls::watch(), queue());
    let gate = Gate::default();
    // The other thread counts as asleep, and then finds nothing.
    let nothing = Fault::starts_at(&gate).and_fails(WAIT_TIMEOUT);
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, nothing);
    let other = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            queue.wait(&mut batch(), Some(Duration::ZERO)).expect("a look").count()
        })
    };
    gate.reached();
    queue.shut_down().expect("posted");
    let mut batch = Completions::with_capacity(1);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("told").count(), 1);
    queue.post(Key(7), 7).expect("posted behind a reminder");
    gate.open();
    assert_eq!(other.join().expect("told"), 1);
    let next = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").next();
    assert!(matches!(next, Some(Completion::Posted { .. })), "an end that is none: {next:?}");
}

/// An operation is submitted while a thread that collects looks for the last time.
#[test]
fn the_end_is_not_told_while_something_is_in_flight() {
    let (calls, queue) = (Calls::watch(), queue());
    let (stream, mut peer) = registered(&queue, Key(1));
    queue.shut_down().expect("shut down");
    let mut batch = told_batch(&queue);
    let gate = Gate::default();
    let nothing = Fault::starts_at(&gate).and_fails(WAIT_TIMEOUT);
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, nothing);
    let collecting = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").next())
    };
    gate.reached();
    stream.receive(Vec::with_capacity(16)).expect("submitted");
    gate.open();
    peer.write_all(b"!").expect("sent");
    let received = collecting.join().expect("it has waited");
    let received = Received::of(received.expect("an end with an operation in flight"));
    assert_eq!(received.buffer, b"!");
}

/// The last operation is refused, so no packet of it comes, while a thread collects; and the one
/// that tells the thread cannot be posted. It is owed from then on.
#[track_caller]
fn end_that_is_owed(calls: &Calls, queue: &Arc<Queue>) -> Sleeper {
    let (stream, _peer) = registered(queue, Key(1));
    queue.shut_down().expect("shut down");
    let batch = told_batch(queue);
    let (refuses, sleeps) = (Gate::default(), Gate::default());
    calls.spoil(Call::WSASend, 1, Fault::starts_at(&refuses).and_fails(WSAENOBUFS as u32));
    let sending = thread::spawn(move || stream.send(b"!".to_vec()).expect_err("refused"));
    refuses.reached();
    let sleeper = sleeper(calls, queue, batch, &sleeps);
    calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
    refuses.open();
    let rejected = sending.join().expect("no panic");
    assert_code(&rejected.error, WSAENOBUFS);
    sleeps.open();
    sleeper
}

#[test]
fn who_could_not_be_told_of_the_end_is_told_by_the_next_wait_with_any_batch() {
    let (calls, queue) = (Calls::watch(), queue());
    let sleeper = end_that_is_owed(&calls, &queue);
    assert_eq!(queue.wait(&mut batch(), Some(Duration::ZERO)).expect("a look").count(), 1);
    sleeper.assert_has_come_to_the_end();
}

/// One whose batch has come to the end before, so that it sleeps through all that is no packet.
#[test]
fn who_could_not_be_told_of_the_end_is_told_by_the_next_wait_though_that_one_sleeps() {
    let (calls, queue) = (Calls::watch(), queue());
    queue.shut_down().expect("shut down");
    let mut ended = told_batch(&queue);
    assert!(queue.wait(&mut ended, Some(DEADLINE)).expect("waiting").is_empty());
    let sleeper = end_that_is_owed(&calls, &queue);
    let again = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || queue.wait(&mut ended, Some(2 * DEADLINE)).expect("waiting").count())
    };
    sleeper.assert_has_come_to_the_end();
    queue.post(Key(7), 7).expect("posted");
    assert_eq!(again.join().expect("it has waited"), 1);
}

#[test]
fn what_is_owed_and_fails_again_is_an_error_and_is_owed_again() {
    let (calls, queue) = (Calls::watch(), queue());
    let (sleeper, mut batch) = (end_that_is_owed(&calls, &queue), batch());
    for _ in 0..3 {
        calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
        let error =
            queue.wait(&mut batch, Some(DEADLINE)).expect_err("the sleeper could not be told");
        assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
    }
    assert_eq!(queue.wait(&mut batch, Some(Duration::ZERO)).expect("a look").count(), 1);
    sleeper.assert_has_come_to_the_end();
}

#[test]
fn a_wake_up_that_could_not_be_given_back_comes_with_the_next_wait() {
    let (calls, queue) = (Calls::watch(), queue());
    for failures in 1..4 {
        queue.waker().wake().expect("posted");
        let mut unread = batch();
        assert_eq!(queue.wait(&mut unread, Some(DEADLINE)).expect("waiting").len(), 1);
        (1..=failures)
            .for_each(|nth| calls.spoil(Call::PostQueuedCompletionStatus, nth, NO_RESOURCES));
        drop(unread);
        for _ in 1..failures {
            queue.wait(&mut batch(), Some(DEADLINE)).expect_err("it could not be posted");
        }
        assert!(matches!(one(&queue), Completion::Woken));
        assert_quiet(&queue);
    }
}

/// One thread has taken the packet that was meant for the other, and ends with a panic before it
/// has read that the queue is shut down.
#[test]
fn a_panic_on_one_thread_does_not_keep_the_shutdown_from_another() {
    let calls = Calls::watch();
    let queue = Arc::new(acting::Queue::new().expect("a queue"));
    let panics = Acting::in_advance(|| panic!("on purpose"));
    let _connections = received(&queue, [panics]);
    let gate = Gate::default();
    let other = sleeper(&calls, &queue, Completions::with_capacity(1), &gate);
    queue.shut_down().expect("posted");
    let panics = {
        let queue = Arc::clone(&queue);
        move || queue.wait(&mut Completions::with_capacity(8), Some(DEADLINE)).map(Iterator::next)
    };
    thread::spawn(move || drop(panics())).join().expect_err("a panic");
    gate.open();
    other.assert_is_told();
}

/// What lies in a batch is in flight no more, so the drop makes no call that waits.
#[test]
fn a_queue_does_not_wait_for_a_batch_that_is_kept() {
    let (calls, queue) = (Calls::watch(), queue());
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(Vec::with_capacity(16)).expect("submitted");
    peer.write_all(b"!").expect("sent");
    let mut batch = batch();
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 1);
    let waits = calls.count(Call::GetQueuedCompletionStatusEx);
    drop(Arc::into_inner(queue).expect("the only reference"));
    assert_eq!(calls.count(Call::GetQueuedCompletionStatusEx), waits);
    assert_eq!(Received::of(batch.next().expect("it was kept")).buffer, b"!");
}

#[test]
fn who_could_not_be_told_of_the_end_is_told_by_shutting_down_again() {
    let (calls, queue) = (Calls::watch(), queue());
    let sleeper = end_that_is_owed(&calls, &queue);
    queue.shut_down().expect("posted");
    sleeper.assert_has_come_to_the_end();
}

/// A thread that is reminded while something is in flight again goes on waiting, for what is left
/// of its time.
#[test]
fn who_is_reminded_waits_for_the_rest_of_its_time() {
    const PASSED: Duration = Duration::from_millis(50);
    let (calls, queue) = (Calls::watch(), queue());
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(Vec::with_capacity(16)).expect("submitted");
    queue.shut_down().expect("shut down");
    let (mut sleeps, mut takes) = (told_batch(&queue), told_batch(&queue));
    let gate = Gate::default();
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::starts_at(&gate));
    let sleeper = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || queue.wait(&mut sleeps, Some(DEADLINE)).expect("waiting").count())
    };
    gate.reached();
    let start = Instant::now();
    peer.write_all(b"!").expect("sent");
    // With the last operation the sleeper is reminded, and then there is another one.
    assert_eq!(queue.wait(&mut takes, Some(DEADLINE)).expect("waiting").count(), 1);
    stream.receive(Vec::with_capacity(16)).expect("submitted");
    until("time passes", || start.elapsed() >= PASSED);
    let waits = calls.count(Call::GetQueuedCompletionStatusEx);
    gate.open();
    until("it waits again", || calls.count(Call::GetQueuedCompletionStatusEx) > waits);
    peer.write_all(b"!").expect("sent");
    assert_eq!(sleeper.join().expect("it has waited"), 1);
    let rest = DEADLINE - PASSED;
    assert!(u128::from(calls.waited()) <= rest.as_millis(), "{} ms again", calls.waited());
}
