//! Review: what a hostile reader has tried.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::io::Write;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::ffi::constants::WAIT_TIMEOUT;
use overlapped::{Buffer, Completion, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, registered, within_deadline};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, ERROR_NO_SYSTEM_RESOURCES, Fault, Gate};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::gather_in_port;

const NO_RESOURCES: Fault = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);
const TIMES_OUT: Fault = Fault::fails(WAIT_TIMEOUT);

type Queue = CompletionQueue<Vec<u8>>;

/// R1. Docs of `wait`: "an error can also mean that another thread, which sleeps, could not be told:
/// wait again". A batch that has been told waits again, asleep, and tells nobody.
#[test]
fn r1_waiting_again_after_a_failed_reminder_tells_the_sleeper() {
    let calls = Calls::watch();
    let queue = Arc::new(Queue::new().expect("a queue"));
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(Vec::with_capacity(16)).expect("submitted"); // stays in flight
    let gate = Gate::default();
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::starts_at(&gate));
    let (told, hears) = channel();
    let sleeper = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            let mut batch = Completions::with_capacity(8);
            let first = queue.wait(&mut batch, None).expect("a wait").next();
            told.send(matches!(first, Some(Completion::ShutDown))).expect("heard");
        })
    };
    gate.reached();
    queue.shut_down().expect("posted: the sleeper has not been told");
    let mut batch = Completions::with_capacity(8);
    // Takes the packet of the sleeper, which is not in the kernel yet, and posts another.
    let first = queue.wait(&mut batch, None).expect("told").next();
    assert!(matches!(first, Some(Completion::ShutDown)));
    // Takes that one, too, and cannot post another.
    calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
    queue.wait(&mut batch, None).expect_err("the sleeper could not be told");
    gate.open();
    // As the docs say: wait again.
    let again = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || drop(queue.wait(&mut batch, Some(Duration::from_secs(4)))))
    };
    let is_told = hears.recv_timeout(Duration::from_secs(2));
    peer.write_all(b"!").expect("sent"); // lets everybody go
    again.join().expect("ended");
    sleeper.join().expect("ended");
    assert_eq!(is_told, Ok(true), "the sleeper was told only when the operation ended, or never");
}

/// R2. Docs of the guide: "An empty batch is the end: nothing is in flight any more, and nothing was in
/// the port." A reminder that is left over takes the only place of a batch.
#[test]
fn r2_an_empty_batch_after_the_shutdown_means_that_nothing_was_in_the_port() {
    let calls = Calls::watch();
    let queue = Queue::new().expect("a queue");
    let gate = Gate::default();
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::starts_at(&gate).and_fails(WAIT_TIMEOUT));
    let _ = TIMES_OUT;
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut batch = Completions::with_capacity(1);
            queue.wait(&mut batch, Some(Duration::ZERO)).expect("a look").next()
        });
        gate.reached();
        queue.shut_down().expect("posted");
        let mut batch = Completions::with_capacity(1);
        let first = queue.wait(&mut batch, None).expect("told").next();
        assert!(matches!(first, Some(Completion::ShutDown)), "{first:?}");
        queue.post(Key(7), 7).expect("posted"); // behind a reminder
        gate.open();
        let told = other.join().expect("told");
        assert!(matches!(told, Some(Completion::ShutDown)), "{told:?}");
        let next = queue.wait(&mut batch, None).expect("a wait").next();
        assert!(matches!(next, Some(Completion::Posted { .. })), "the end, with a packet in the port: {next:?}");
    });
}

/// A buffer whose drop panics with something whose drop panics.
struct Nasty(Vec<u8>, Arc<AtomicUsize>, bool);

struct Payload(bool);

impl Drop for Payload {
    fn drop(&mut self) {
        if self.0 {
            panic!("the payload");
        }
    }
}

impl Drop for Nasty {
    fn drop(&mut self) {
        self.1.fetch_add(1, SeqCst);
        panic_any(Payload(self.2));
    }
}

// SAFETY: those of the vector.
unsafe impl Buffer for Nasty {
    fn filled(&self, part: usize) -> &[u8] {
        self.0.filled(part)
    }
    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        self.0.spare(part)
    }
    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.0.advance(count) }
    }
}

/// R3. "A panic in the drop of one does not keep the others."
fn nasty(of_batch: bool, payload_panics: bool) -> usize {
    let drops = Arc::new(AtomicUsize::new(0));
    let queue = CompletionQueue::<Nasty>::new().expect("a queue");
    let mut streams = Vec::new();
    for key in 0..4 {
        let (stream, mut peer) = registered(&queue, Key(key));
        stream.receive(Nasty(Vec::with_capacity(16), Arc::clone(&drops), payload_panics)).ok().expect("submitted");
        if of_batch {
            peer.write_all(b"!").expect("sent");
        }
        streams.push((stream, peer));
    }
    if of_batch {
        gather_in_port(&queue, 4);
        let mut batch = Completions::with_capacity(8);
        assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 4);
        let panic = catch_unwind(AssertUnwindSafe(|| drop(batch))).expect_err("a panic");
        std::mem::forget(panic);
    } else {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(queue))).expect_err("a panic");
        std::mem::forget(panic);
    }
    drops.load(SeqCst)
}

#[test]
fn r3_control_plain_panics_of_buffers() {
    assert_eq!((nasty(true, false), nasty(false, false)), (4, 4));
}

#[test]
fn r3_a_panic_whose_payload_panics_does_not_keep_the_others_of_a_batch() {
    assert_eq!(nasty(true, true), 4);
}

#[test]
fn r3_a_panic_whose_payload_panics_does_not_keep_the_others_of_a_queue() {
    assert_eq!(nasty(false, true), 4);
}

/// R4. Dropping a queue of many connections cancels all of them again for each 64 packets.
#[test]
fn r4_a_queue_with_many_connections_is_dropped_in_time() {
    let count = std::env::var("R4").ok().and_then(|n| n.parse().ok()).unwrap_or(3000);
    let calls = Calls::watch();
    let drops = Arc::new(AtomicUsize::new(0));
    struct Counts(Vec<u8>, Arc<AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.1.fetch_add(1, SeqCst);
        }
    }
    // SAFETY: those of the vector.
    unsafe impl Buffer for Counts {
        fn filled(&self, part: usize) -> &[u8] {
            self.0.filled(part)
        }
        fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
            self.0.spare(part)
        }
        unsafe fn advance(&mut self, count: usize) {
            // SAFETY: the caller's promise, passed on.
            unsafe { self.0.advance(count) }
        }
    }
    let queue = CompletionQueue::<Counts>::new().expect("a queue");
    let connections: Vec<_> = (0..count).map(|key| registered(&queue, Key(key))).collect();
    for (stream, _) in &connections {
        stream.receive(Counts(Vec::with_capacity(16), Arc::clone(&drops))).ok().expect("submitted");
    }
    let (cancels, start) = (calls.count(Call::CancelIoEx), Instant::now());
    drop(queue);
    let cancels = calls.count(Call::CancelIoEx) - cancels;
    println!("{count}: {cancels} cancels in {:?}, {} back", start.elapsed(), drops.load(SeqCst));
    assert_eq!(drops.load(SeqCst), count, "after {cancels} cancels in {:?}", start.elapsed());
}

/// R5. Docs of `Completions`: "A wake-up among them is not lost: it goes back to the queue."
#[test]
fn r5_a_wake_up_in_a_batch_that_is_dropped_is_not_lost_when_posting_fails() {
    let calls = Calls::watch();
    let queue = Queue::new().expect("a queue");
    queue.waker().wake().expect("posted");
    let mut batch = Completions::with_capacity(8);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 1);
    calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
    drop(batch);
    let mut batch = Completions::with_capacity(8);
    let woken = queue.wait(&mut batch, Some(Duration::from_millis(100))).expect("waiting").next();
    assert!(matches!(woken, Some(Completion::Woken)), "{woken:?}");
}

/// R6. An operation is refused, the last one; the packet that tells those who collect cannot be posted.
#[test]
fn r6_the_end_comes_to_those_who_collect_when_a_refused_operation_was_the_last() {
    let calls = Calls::watch();
    let queue = Arc::new(Queue::new().expect("a queue"));
    let (stream, _peer) = registered(&queue, Key(1));
    queue.shut_down().expect("shut down");
    let mut batch = Completions::with_capacity(8);
    assert!(queue.wait(&mut batch, None).expect("told").next().is_some());
    let gate = Gate::default();
    calls.spoil(Call::WSASend, 1, Fault::starts_at(&gate).and_fails(10055));
    calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
    let sending = thread::spawn(move || stream.send(b"!".to_vec()).expect_err("refused"));
    gate.reached();
    let start = Instant::now();
    let collecting = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || queue.wait(&mut batch, Some(Duration::from_secs(3))).expect("a wait").len())
    };
    thread::sleep(Duration::from_millis(200));
    gate.open();
    sending.join().expect("refused");
    assert_eq!(collecting.join().expect("ended"), 0);
    assert!(start.elapsed() < Duration::from_secs(2), "it slept to the end: {:?}", start.elapsed());
}

/// R7. The end is told though an operation was submitted while the wait looked.
#[test]
fn r7_the_end_is_not_told_while_something_is_in_flight() {
    let calls = Calls::watch();
    let queue = Queue::new().expect("a queue");
    let (stream, mut peer) = registered(&queue, Key(1));
    queue.shut_down().expect("shut down");
    let mut batch = Completions::with_capacity(8);
    assert!(queue.wait(&mut batch, None).expect("told").next().is_some());
    let gate = Gate::default();
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::starts_at(&gate));
    thread::scope(|scope| {
        let collecting = scope.spawn(|| queue.wait(&mut batch, None).expect("a wait").len());
        gate.reached();
        stream.receive(Vec::with_capacity(16)).expect("submitted");
        gate.open();
        thread::sleep(Duration::from_millis(100));
        let in_flight = queue.in_flight();
        peer.write_all(b"!").expect("sent");
        assert_ne!((collecting.join().expect("ended"), in_flight), (0, 1), "empty, with one in flight");
    });
}

/// R8. A queue whose buffer, as it is read, drops the queue, submits, waits with another batch.
struct Reenters(Vec<u8>, Option<Box<dyn FnOnce() + Send>>);

// SAFETY: those of the vector.
unsafe impl Buffer for Reenters {
    fn filled(&self, part: usize) -> &[u8] {
        self.0.filled(part)
    }
    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        self.0.spare(part)
    }
    unsafe fn advance(&mut self, count: usize) {
        if let Some(act) = self.1.take() {
            act();
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { self.0.advance(count) }
    }
}

#[test]
fn r8_a_buffer_that_drops_its_queue_and_registration_while_it_is_read() {
    within_deadline(|| {
        let queue = Arc::new(CompletionQueue::<Reenters>::new().expect("a queue"));
        let (stream, mut peer) = registered(&queue, Key(1));
        let stream = Arc::new(stream);
        let (other, mut other_peer) = registered(&queue, Key(2));
        let other = Arc::new(other);
        let act = {
            let (queue, stream, other) = (Arc::clone(&queue), Arc::clone(&stream), Arc::clone(&other));
            Box::new(move || {
                let mut batch = Completions::with_capacity(8);
                // Another batch, in the middle of the first.
                let _ = queue.wait(&mut batch, Some(Duration::ZERO));
                other.receive(Reenters(Vec::with_capacity(16), None)).ok().expect("submitted");
                drop(batch);
                drop(stream);
                drop(queue); // the last one
                other.receive(Reenters(Vec::with_capacity(16), None)).err().expect("no queue");
            })
        };
        let other_receive = other.receive(Reenters(Vec::with_capacity(16), None));
        other_receive.ok().expect("submitted");
        stream.receive(Reenters(Vec::with_capacity(16), Some(act))).ok().expect("submitted");
        peer.write_all(b"!").expect("sent");
        other_peer.write_all(b"?").expect("sent");
        gather_in_port(&queue, 2);
        let mut batch = Completions::with_capacity(8);
        assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 2);
        drop(queue);
        drop(stream);
        let read: Vec<_> = batch.by_ref().collect();
        assert_eq!(read.len(), 2);
        drop((batch, other));
    });
}

#[path = "support/counted.rs"]
mod counted;
use counted::Drops;

/// H1 (held). Batches: unread with another queue, past queue and registration, on another thread; owners
/// that are reused while an operation of the old registration lies in a batch.
#[test]
fn h1_batches_and_owners_in_wrong_orders() {
    let drops = Drops::default();
    let (one, two) = (CompletionQueue::new().expect("a queue"), CompletionQueue::new().expect("a queue"));
    let (stream, mut peer) = registered(&one, Key(1));
    stream.receive(drops.buffer()).expect("submitted");
    peer.write_all(b"a").expect("sent");
    gather_in_port(&one, 1);
    one.waker().wake().expect("woken");
    let mut batch = Completions::with_capacity(8);
    assert_eq!(one.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 2);
    assert_eq!(stream.in_flight(), 1);
    // The owner's place is taken by others, while an operation still has the owner.
    drop(stream);
    let others: Vec<_> = (0..200).map(|key| registered(&one, Key(key))).collect();
    for (other, _) in &others {
        assert_eq!(other.in_flight(), 0);
        other.receive(drops.buffer()).expect("submitted");
    }
    for (n, pair) in others.into_iter().enumerate() {
        if n % 3 != 0 {
            assert_eq!(pair.0.in_flight(), 1);
            std::mem::forget(pair.0);
        }
    }
    // With the other queue it brings what it has, and nothing of the gone registration.
    let read: Vec<_> = two.wait(&mut batch, Some(DEADLINE)).expect("waiting").collect();
    assert!(matches!(read[..], [Completion::Woken]), "{read:?}");
    drop(one);
    assert_eq!(drops.count(), 201);

    // Past its queue, on another thread.
    let (stream, mut peer) = registered(&two, Key(5));
    stream.receive(drops.buffer()).expect("submitted");
    peer.write_all(b"b").expect("sent");
    assert_eq!(two.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 1);
    drop(two);
    let read = thread::spawn(move || batch.collect::<Vec<_>>()).join().expect("read");
    assert!(matches!(&read[..], [Completion::Received { key: Key(5), buffer, .. }] if buffer.bytes == b"b"));
    assert_eq!(stream.in_flight(), 0);
}

/// H2 (held). Panics of `advance` cost one buffer each.
#[test]
fn h2_advance_panics() {
    let queue = CompletionQueue::<Reenters>::new().expect("a queue");
    let mut streams = Vec::new();
    for key in 0..6 {
        let (stream, mut peer) = registered(&queue, Key(key));
        let act: Option<Box<dyn FnOnce() + Send>> =
            if key % 2 == 0 { Some(Box::new(|| panic!("on purpose"))) } else { None };
        stream.receive(Reenters(Vec::with_capacity(16), act)).ok().expect("submitted");
        peer.write_all(b"!").expect("sent");
        streams.push((stream, peer));
    }
    gather_in_port(&queue, 6);
    let mut batch = Completions::with_capacity(8);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").len(), 6);
    let (mut read, mut panics) = (0, 0);
    loop {
        match catch_unwind(AssertUnwindSafe(|| batch.next())) {
            Ok(Some(_)) => read += 1,
            Ok(None) => break,
            Err(_) => panics += 1,
        }
    }
    assert_eq!((read, panics, queue.in_flight()), (3, 3, 0));
    assert!(streams.iter().all(|(stream, _)| stream.in_flight() == 0));
}

/// H3. Threads with batches of one place, a shutdown, posts, operations, at random: everybody comes to the
/// end, and of what was posted before the end nothing is left in the port.
#[test]
fn h3_storms() {
    for round in 0..60 {
        within_deadline(move || {
            let concurrency = [1, 0, 2][round % 3];
            let queue = Queue::with_concurrency(concurrency).expect("a queue");
            let pairs: Vec<_> = (0..8).map(|key| registered(&queue, Key(key))).collect();
            for (stream, _) in &pairs {
                stream.receive(Vec::with_capacity(1)).expect("submitted");
            }
            let posted = AtomicUsize::new(0);
            let run = &|capacity: usize| {
                let mut batch = Completions::with_capacity(capacity);
                let mut ends = 0;
                while !queue.wait(&mut batch, None).expect("a wait").is_empty() {
                    while let Some(completion) = batch.next() {
                        match completion {
                            Completion::Posted { .. } => {
                                posted.fetch_sub(1, SeqCst);
                            }
                            Completion::Received { key, .. } if round % 2 == 0 && key.0 < 4 => {
                                // A refused operation now and then.
                                let _ = pairs[key.0].0.send(Vec::new());
                            }
                            Completion::ShutDown => ends += 1,
                            _ => {}
                        }
                    }
                }
                assert_eq!(ends, 1);
            };
            thread::scope(|scope| {
                let threads: Vec<_> = (0..6).map(|n| scope.spawn(move || run(1 + n / 4 * 7))).collect();
                for _ in 0..round * 7 {
                    posted.fetch_add(1, SeqCst);
                    queue.post(Key(9), 9).expect("posted");
                }
                queue.shut_down().expect("shut down");
                for _ in 0..round * 3 {
                    posted.fetch_add(1, SeqCst);
                    queue.post(Key(9), 9).expect("posted");
                }
                for (stream, peer) in &pairs {
                    if stream.key().0 % 2 == 0 {
                        let mut peer = peer;
                        peer.write_all(b"!").expect("sent");
                    } else {
                        stream.cancel_all().expect("cancelled");
                    }
                }
                threads.into_iter().for_each(|one| one.join().expect("ended"));
            });
            assert_eq!((queue.in_flight(), posted.load(SeqCst)), (0, 0), "round {round}");
        });
    }
}
