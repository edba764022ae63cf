//! No wake-up is lost: what a thread has done before a `wake` that answered Ok is seen by whoever
//! takes the wake-up out of the port, or there is another one in it.

use std::ops::Range;
use std::sync::atomic::Ordering::SeqCst;

use super::super::control::{Control, ControlPacket};
use super::super::port::{CompletionPort, Deadline};
use super::super::sync::AtomicUsize;
use super::queue::{Batch, Queue, Told};
use crate::explorer::check;
use crate::plan::Bound;

/// A port, and the work that is announced by waking: a bit for each piece.
struct Scene {
    control: Control,
    done: AtomicUsize,
}

impl Scene {
    fn new(refused: Range<usize>) -> Self {
        let port = CompletionPort::default();
        port.refuse(refused);
        Self { control: Control::new(port), done: AtomicUsize::new(0) }
    }

    /// Does a piece of work, and says so. Gives the piece if that was possible.
    fn work_and_wake(&self, piece: usize) -> usize {
        self.done.fetch_or(piece, SeqCst);
        if self.control.wake().is_ok() { piece } else { 0 }
    }

    /// Takes all wake-ups out of the port, and says how many there were.
    #[track_caller]
    fn dequeue(&self, deadline: &Deadline) -> usize {
        let mut packets = Vec::with_capacity(9);
        self.control.port().dequeue_within(&mut packets, deadline).expect("there is room");
        let is_wake = |packet| matches!(self.control.classify(packet), Some(ControlPacket::Wake));
        assert!(packets.iter().all(is_wake));
        packets.len()
    }

    /// Sleeps until a wake-up comes, and gives the work that is seen after it.
    fn wait(&self) -> usize {
        assert_eq!(self.dequeue(&Deadline::ENDLESS), 1);
        self.control.wake_arrived();
        self.done.load(SeqCst)
    }

    /// After the threads: what was announced has been seen, or will be; and the next `wake` wakes.
    fn is_announced(&self, announced: usize, seen: usize) {
        let left = self.dequeue(&Deadline::PASSED);
        assert!(left <= 1, "one is enough");
        let missed = announced & !seen;
        assert!(missed == 0 || left > 0, "work {missed} has not been seen, and nobody is woken");
        (0..left).for_each(|_| self.control.wake_arrived());
        assert!(self.control.wake().is_ok());
        assert_eq!(self.dequeue(&Deadline::PASSED), 1, "the next one is no exception");
    }
}

#[test]
fn no_wake_up_is_lost_between_two_of_one_thread() {
    check("wake_twice", 2, Bound::Outcomes, |execution| {
        let scene = Scene::new(0..0);
        let (mut announced, mut seen) = (0, 0);
        execution.run([
            Box::new(|| announced = scene.work_and_wake(1) | scene.work_and_wake(2)),
            Box::new(|| seen = scene.wait()),
        ]);
        assert_eq!(announced, 3);
        scene.is_announced(announced, seen);
    });
}

#[test]
fn no_wake_up_is_lost_between_two_threads() {
    check("wake_from_two", 3, Bound::Outcomes, |execution| {
        let scene = Scene::new(0..0);
        let (mut one, mut other, mut seen) = (0, 0, 0);
        execution.run([
            Box::new(|| one = scene.work_and_wake(1)),
            Box::new(|| other = scene.work_and_wake(2)),
            Box::new(|| seen = scene.wait()),
        ]);
        assert_eq!(one | other, 3);
        scene.is_announced(one | other, seen);
    });
}

/// Nobody waits yet: one packet is enough for all.
#[test]
fn wake_ups_that_nobody_has_taken_are_one() {
    check("wake_unheard", 3, Bound::Outcomes, |execution| {
        let scene = Scene::new(0..0);
        let wake = |piece| assert_eq!(scene.work_and_wake(piece), piece);
        execution.run([Box::new(|| wake(1)), Box::new(|| wake(2)), Box::new(|| wake(4))]);
        scene.is_announced(7, 0);
    });
}

/// The system has no memory for the first packet: the `wake` that tried to post it fails, and no
/// other.
#[test]
fn a_wake_up_that_fails_does_not_stand_for_another() {
    check("wake_refused", 2, Bound::Outcomes, |execution| {
        let scene = Scene::new(0..1);
        let (mut one, mut other) = (0, 0);
        execution.run([
            Box::new(|| one = scene.work_and_wake(1)),
            Box::new(|| other = scene.work_and_wake(2)),
        ]);
        assert!(one == 0 || other == 0, "one was refused");
        scene.is_announced(one | other, 0);
    });
    check("wake_refused_and_waited_for", 3, Bound::Outcomes, |execution| {
        let scene = Scene::new(0..1);
        let (mut one, mut other, mut seen) = (0, 0, 0);
        execution.run([
            Box::new(|| one = scene.work_and_wake(1)),
            Box::new(|| other = scene.work_and_wake(2)),
            Box::new(|| seen = scene.wait()),
        ]);
        scene.is_announced(one | other, seen);
    });
}

/// A wake-up that lies in a batch unread goes back when the batch is dropped, and another thread
/// that wakes meanwhile is heard as well.
#[test]
fn a_wake_up_that_is_dropped_unread_is_for_another() {
    for (name, wakes) in [("wake_dropped", false), ("wake_dropped_and_again", true)] {
        check(name, 3, Bound::Outcomes, |execution| {
            let (queue, done) = (Queue::new(0..0), AtomicUsize::new(0));
            let (mut batch, mut seen, mut told) = (Batch::with_capacity(4), 0, Told::default());
            queue.core.control.wake().expect("there is memory");
            queue.wait(&mut batch).expect("there is room");
            execution.run([
                Box::new(|| drop(batch)),
                Box::new(|| {
                    let mut batch = Batch::with_capacity(4);
                    told.read(queue.wait(&mut batch).expect("there is room"));
                    seen = done.load(SeqCst);
                }),
                Box::new(|| {
                    done.store(1, SeqCst);
                    assert!(!wakes || queue.core.control.wake().is_ok());
                }),
            ]);
            assert_eq!(told.woken, 1);
            assert!(!wakes || seen == 1 || queue.core.control.port().len() > 0, "not seen");
        });
    }
}
