//! A wait ends once, whoever ends it, and no signal is lost; whoever touches a wait that has ended
//! touches nothing of the next one.

#![allow(unsafe_code, reason = "waits are ended in place of the kernel")]

use std::io;
use std::ops::Range;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{MutexGuard as Lock, PoisonError};

use super::super::completion::Completion;
use super::super::ffi::types::OVERLAPPED;
use super::super::in_flight::OperationId;
use super::super::port::{Deadline, Key};
use super::super::status::Status;
use super::super::sync::{AtomicUsize, Mutex, MutexGuard, yield_now};
use super::super::watch::arming::{Arming, Pool};
use super::kit::Address;
use super::queue::{Batch, Queue};
use crate::explorer::check;
use crate::plan::Bound;

// What the system's pool does for the handle.
const IDLE: usize = 0;
const WAITS: usize = 1;
const CALLS_BACK: usize = 2;
const HAS_CALLED: usize = 3;

/// A registration of an event that resets itself, and the pool.
struct Watch {
    queue: Queue,
    arming: Arming,
    turn: Mutex<()>,
    pool: AtomicUsize,
    is_set: AtomicUsize,
    /// How often a wait could not begin.
    refused: AtomicUsize,
    /// Operations that were ended so, and by a debt. Of the model, so it is no step.
    ended: std::sync::Mutex<Vec<(Address, Status)>>,
}

impl Watch {
    fn new(refused_posts: Range<usize>) -> Self {
        let queue = Queue::new(refused_posts);
        Self {
            queue,
            arming: Arming::new(),
            turn: Mutex::new(()),
            pool: AtomicUsize::new(IDLE),
            is_set: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            ended: std::sync::Mutex::new(Vec::new()),
        }
    }

    fn ended(&self) -> Lock<'_, Vec<(Address, Status)>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As `again`, of a registration that has nothing in flight.
    fn again(&self) -> (Address, OperationId) {
        let turn = self.lock();
        self.unregister();
        let lent = self.queue.lend();
        let (operation, id) = (lent.overlapped(), lent.id());
        self.arming.arm(operation);
        self.pool.store(WAITS, SeqCst);
        drop((turn, lent));
        (Address(operation), id)
    }

    fn unregister(&self) {
        while self.pool.load(SeqCst) == CALLS_BACK {
            yield_now();
        }
        // A wait that begins to call back at this moment is one more to be waited for.
        if self.pool.compare_exchange(WAITS, IDLE, SeqCst, Relaxed) == Err(CALLS_BACK) {
            return self.unregister();
        }
        self.pool.store(IDLE, SeqCst);
    }

    /// The event is set, and the pool calls back if it waits.
    fn set(&self) {
        self.is_set.store(1, SeqCst);
        if self.pool.compare_exchange(WAITS, CALLS_BACK, SeqCst, Relaxed).is_ok() {
            self.is_set.store(0, SeqCst);
            self.arming.signal(self);
            self.pool.store(HAS_CALLED, SeqCst);
        }
    }

    /// As a registration's `cancel`, which names an operation that is in flight, and no other.
    fn cancel(&self, id: OperationId) -> io::Result<bool> {
        let cancel = |operation| self.arming.cancel(operation, self);
        self.queue.core.in_flight.while_lent(id, cancel).unwrap_or(Ok(false))
    }

    fn cancel_all(&self) -> io::Result<bool> {
        self.arming.cancel(null_mut(), self)
    }

    /// Reads one completion, with a batch that has room for one.
    fn read(&self) -> usize {
        let mut batch = Batch::with_capacity(1);
        loop {
            match self.queue.wait(&mut batch) {
                Ok(batch) => return batch.count(),
                // It could not pay what is owed, and tries again.
                Err(_) => yield_now(),
            }
        }
    }

    /// Reads completions until one is of an operation.
    fn read_an_end(&self) {
        let mut batch = Batch::with_capacity(1);
        while !self.queue.wait(&mut batch).is_ok_and(|batch| {
            batch.any(|completion| matches!(completion, Completion::Received { .. }))
        }) {}
    }

    /// After the threads: how often each operation has ended, and how.
    fn ends_of(&self, operation: Address) -> Vec<Status> {
        let ended = self.ended();
        ended.iter().filter(|(of, _)| *of == operation).map(|(_, status)| *status).collect()
    }

    /// After the threads: one of the packets is there for each end, or was read.
    fn is_over(&self, read: usize, ends: usize) {
        while self.queue.core.control.pay_ends().is_err() {}
        let mut packets = Vec::with_capacity(9);
        let port = self.queue.core.control.port();
        port.dequeue_within(&mut packets, &Deadline::PASSED).expect("there is room");
        assert_eq!(read + packets.len(), ends, "packets, and ends");
        for packet in packets {
            // SAFETY: it came out of the port.
            let claim = unsafe { self.queue.core.in_flight.claim(packet.overlapped()) };
            let claim = claim.expect("a packet of an operation that has ended");
            // SAFETY: it was claimed above.
            drop(unsafe { self.queue.core.in_flight.collect(claim) });
        }
        assert!(self.queue.core.in_flight.is_empty(), "an operation that nobody ends");
    }
}

impl Pool for Watch {
    type Turn<'a> = (&'a Watch, MutexGuard<'a, ()>);

    fn end(&self, operation: *mut OVERLAPPED, status: Status) -> io::Result<()> {
        self.ended().push((Address(operation), status));
        // SAFETY: it is lent, and `Arming` has given it to this thread.
        let posted = unsafe { self.queue.core.control.end(operation, status) };
        if posted.is_err() {
            self.ended().retain(|(of, _)| *of != Address(operation));
        }
        posted
    }

    fn owe(&self, operation: *mut OVERLAPPED, status: Status) {
        self.ended().push((Address(operation), status));
        // SAFETY: as above.
        unsafe { self.queue.core.control.owe_end(operation, status) };
    }

    fn stop(&self) -> Self::Turn<'_> {
        let turn = self.lock();
        self.unregister();
        (self, turn)
    }

    fn resume(turn: &mut Self::Turn<'_>) -> io::Result<()> {
        let (watch, _) = turn;
        if watch.refused.load(SeqCst) > 0 {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        watch.pool.store(WAITS, SeqCst);
        Ok(())
    }
}

/// The signal against one that cancels, or two.
#[test]
fn a_wait_that_is_signalled_and_cancelled_ends_once() {
    check("signal_and_cancel", 2, Bound::Outcomes, |execution| {
        let watch = Watch::new(0..0);
        let (operation, id) = watch.again();
        let mut cancelled = false;
        execution.run([
            Box::new(|| watch.set()),
            Box::new(|| cancelled = watch.cancel(id).expect("memory")),
        ]);
        let ends = watch.ends_of(operation);
        assert_eq!(ends.len(), 1, "{ends:?}");
        // The event was reset if the wait says that it was signalled, and only then.
        assert_eq!(ends[0] == Status::SUCCESS, watch.is_set.load(SeqCst) == 0);
        assert!(cancelled || ends[0] == Status::SUCCESS);
        watch.is_over(0, 1);
    });
    check("signal_and_two_cancel", 3, Bound::Preemptions(3), |execution| {
        let watch = Watch::new(0..0);
        let (operation, id) = watch.again();
        execution.run([
            Box::new(|| watch.set()),
            Box::new(|| _ = watch.cancel(id).expect("memory")),
            Box::new(|| _ = watch.cancel_all().expect("memory")),
        ]);
        assert_eq!(watch.ends_of(operation).len(), 1);
        watch.is_over(0, 1);
    });
}

/// One thread reads the end of the wait and begins the next, while the callback returns, and while
/// a request to cancel the first wait comes late.
#[test]
fn who_ends_a_wait_touches_nothing_of_the_next_one() {
    check("signal_and_again", 3, Bound::Preemptions(3), |execution| {
        let watch = Watch::new(0..0);
        let (first, id) = watch.again();
        let mut second = None;
        execution.run([
            Box::new(|| watch.set()),
            Box::new(|| {
                assert_eq!(watch.read(), 1);
                second = Some(watch.again().0);
            }),
            Box::new(|| _ = watch.cancel(id).expect("memory")),
        ]);
        let second = second.expect("submitted");
        if first != second {
            assert_eq!(watch.ends_of(first).len(), 1);
            assert!(watch.ends_of(second).len() <= 1);
        }
        let later = watch.ended().iter().skip(1).all(|(_, status)| *status == Status::SUCCESS);
        assert!(later, "a request for the first wait has cancelled the second");
        let ends = watch.ended().len();
        if ends == 1 {
            assert!(watch.cancel_all().expect("memory"), "nobody has it");
        }
        watch.is_over(1, 2);
    });
}

/// The system has no memory for one packet or for two, wherever that meets them: the signal is not
/// lost, and the operation ends.
#[test]
fn a_wait_ends_once_although_packets_are_refused() {
    for (name, refused, waits) in [
        ("refused_once", 0..1, true),
        ("refused_twice", 0..2, true),
        ("refused_and_no_wait", 0..1, false),
    ] {
        check(name, 2, Bound::Outcomes, |execution| {
            let watch = Watch::new(refused.clone());
            let (operation, id) = watch.again();
            watch.refused.store(usize::from(!waits), SeqCst);
            let mut cancelled = Ok(false);
            execution.run([Box::new(|| watch.set()), Box::new(|| cancelled = watch.cancel(id))]);
            let mut ends = watch.ends_of(operation).len();
            if cancelled.is_err() {
                // It goes on, and can be signalled or cancelled.
                while watch.ends_of(operation).is_empty() {
                    _ = watch.cancel_all();
                }
                ends = 1;
            }
            assert_eq!(ends, 1, "{cancelled:?}");
            watch.is_over(0, 1);
        });
    }
}

/// A packet with the address of the wait comes out of the port, which nobody has posted for it, and
/// the system has no memory for ours. The slot serves the kernel next.
#[test]
fn a_stray_packet_ends_no_wait() {
    for (name, refused) in [("stray", 0..0), ("stray_and_refused", 0..1)] {
        check(name, 2, Bound::Outcomes, |execution| {
            let watch = Watch::new(refused.clone());
            let operation = watch.again().0;
            watch.queue.core.control.port().queue(Key(0), operation.0);
            let mut next = None;
            execution.run([
                Box::new(|| watch.set()),
                Box::new(|| {
                    watch.read_an_end();
                    next = Some(watch.queue.submit());
                }),
            ]);
            assert_eq!(watch.ends_of(operation).len(), 1);
            let mut batch = Batch::with_capacity(8);
            watch.queue.core.fill(&mut batch, &Deadline::PASSED).expect("a look");
            assert_eq!(watch.queue.core.in_flight.count(), 1, "the kernel still has the next one");
            drop(batch);
            watch.queue.end(next.expect("submitted"));
            watch.read_an_end();
            assert!(watch.queue.core.in_flight.is_empty());
        });
    }
}

/// The registration goes while the callback has the operation in hand, and cannot post.
#[test]
fn a_wait_that_is_left_ends_by_whoever_has_it() {
    for (name, refused) in [("leave", 0..0), ("leave_refused", 0..1), ("leave_refused_all", 0..9)] {
        check(name, 2, Bound::Outcomes, |execution| {
            let watch = Watch::new(refused.clone());
            let operation = watch.again().0;
            execution.run([
                Box::new(|| watch.set()),
                Box::new(|| {
                    // As a registration that is dropped.
                    _ = watch.cancel_all();
                    if let Some(operation) = watch.arming.leave() {
                        watch.owe(operation, Status::CANCELLED);
                    }
                    drop(watch.stop());
                }),
            ]);
            assert_eq!(watch.ends_of(operation).len(), 1);
            watch.is_over(0, 1);
        });
    }
}
