//! Waking a queue from outside: packets that a program posts to its own port.
//!
//! A thread that waits in the kernel sees packets and nothing else, so whatever other threads want
//! to tell it must be a packet. Three things are told in this way: *wake up*, a value of the
//! program's own, and a *reminder* that the queue is shut down. They are told apart by the address
//! in the packet: each is the address of a byte in [`Control`], where no operation can be, so every
//! completion key stays free for the program's use.

#![allow(unsafe_code, reason = "it posts packets with addresses of its own")]

mod ends;
mod senders;
mod waker;

use std::io;

use super::port::{CompletionPort, Key, Packet};
use super::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use super::sync::{AtomicBool, AtomicU8, AtomicUsize, Mutex, PoisonError};

use self::ends::OwedEnds;
use self::senders::Senders;
pub use self::waker::Waker;

/// What a packet of our own says.
#[derive(Clone, Copy, Debug)]
pub(super) enum ControlPacket {
    Wake,
    ShutDown,
    Post,
}

/// What a batch has been told of the shutdown of its queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    /// Nothing.
    Serving,
    /// That the queue is shut down.
    Told,
    /// That nothing is in flight any more.
    Ended,
}

// Where the wake-up is.
/// None is in the port.
const IDLE: u8 = 0;
/// A thread is about to post one, which may fail.
const POSTING: u8 = 1;
/// One is in the port.
const POSTED: u8 = 2;

// What could not be posted.
/// A wake-up that was in a batch which nobody has read.
const WAKE_OWED: u8 = 1;
/// A reminder for a thread that sleeps.
const REMINDER_OWED: u8 = 2;
/// Ends of operations, which are in a list.
const END_OWED: u8 = 4;

/// The port, and the state of what is told through it. Lives as long as a queue, a registration, a
/// waker or a batch does, so a packet is never posted to a handle that has become another object's.
#[derive(Debug)]
pub struct Control {
    port: CompletionPort,
    wake: AtomicU8,
    posting: Mutex<()>,
    shut_down: AtomicBool,
    /// How many threads are in the kernel, or on their way there, for each [`Stage`] of their
    /// batches.
    sleepers: [AtomicUsize; 3],
    /// What could not be posted, for the next wait to try again: [`WAKE_OWED`],
    /// [`REMINDER_OWED`] and [`END_OWED`].
    owed: AtomicU8,
    owed_ends: OwedEnds,
    senders: Senders,
    /// How many values of the program's are in the port, or on their way there.
    posted: AtomicUsize,
    queue_is_gone: AtomicBool,
    /// Only the addresses count, one for each [`ControlPacket`]: those of the second bytes, which
    /// are odd, as no address of an operation is, nor the number of a process.
    marks: [u16; 3],
}

impl Control {
    pub(super) fn new(port: CompletionPort) -> Self {
        Self {
            port,
            wake: AtomicU8::new(IDLE),
            posting: Mutex::new(()),
            shut_down: AtomicBool::new(false),
            sleepers: [const { AtomicUsize::new(0) }; 3],
            owed: AtomicU8::new(0),
            owed_ends: OwedEnds::new(),
            senders: Senders::new(),
            posted: AtomicUsize::new(0),
            queue_is_gone: AtomicBool::new(false),
            marks: [0; 3],
        }
    }

    #[inline]
    pub(super) fn port(&self) -> &CompletionPort {
        &self.port
    }

    /// Those whose packets are known by their keys.
    #[inline]
    pub(super) fn senders(&self) -> &Senders {
        &self.senders
    }

    /// What the packet says, if it is one of ours.
    #[inline]
    pub(super) fn classify(&self, packet: &Packet) -> Option<ControlPacket> {
        match packet.overlapped().addr().wrapping_sub(self.marks.as_ptr().addr() + 1) {
            0 => Some(ControlPacket::Wake),
            2 => Some(ControlPacket::ShutDown),
            4 => Some(ControlPacket::Post),
            _ => None,
        }
    }

    #[inline]
    fn post_packet(&self, what: ControlPacket, key: Key, value: u32) -> io::Result<()> {
        let mark = (&raw const self.marks[what as usize]).cast::<u8>().wrapping_add(1);
        // SAFETY: the address is that of a byte of ours, where no operation is; it is only
        // compared.
        unsafe { self.port.post_overlapped(key, value, mark.cast_mut().cast()) }
    }

    #[inline]
    pub(super) fn post(&self, key: Key, value: u32) -> io::Result<()> {
        self.expect_queue()?;
        self.posted.fetch_add(1, SeqCst);
        self.post_packet(ControlPacket::Post, key, value).inspect_err(|_| self.post_failed())
    }

    #[cold]
    fn post_failed(&self) {
        self.post_arrived();
        if self.is_shut_down() {
            // It may have been what somebody waited for. If that can not be told either, it is
            // owed: the next wait tells it.
            let _ = self.remind(true);
        }
    }

    /// To be called when the packet of a value has been dequeued.
    #[inline]
    pub(super) fn post_arrived(&self) {
        self.posted.fetch_sub(1, SeqCst);
    }

    /// Whether a value or a wake-up is still to come. A look into the port does not tell that: as
    /// long as as many threads run as the port lets run, it gives nothing to others, and answers
    /// them that their time is up.
    pub(super) fn has_messages(&self) -> bool {
        self.posted.load(SeqCst) != 0 || self.wake.load(SeqCst) == POSTED
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        self.expect_queue()?;
        // A read that also writes: if it comes before the exchange in `wake_arrived`, that exchange
        // makes all that was done before this call visible to the thread that gets the `Woken`; if
        // it comes after, it sees IDLE. A plain load could miss on both sides.
        if self.wake.fetch_or(0, AcqRel) == POSTED {
            return Ok(());
        }
        // Another thread may be posting at this moment, and fail. Only when it is done is it known
        // whether its wake-up can stand for this one.
        let _alone = self.posting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.wake.fetch_or(0, AcqRel) == POSTED {
            return Ok(());
        }
        // Released, like the exchanges around it, for a thread may dequeue the packet while this
        // stands here, and sees by it what was done before this call.
        self.wake.store(POSTING, Release);
        let posted = self.post_packet(ControlPacket::Wake, Key(0), 0);
        let now = if posted.is_ok() { POSTED } else { IDLE };
        // Fails if the packet was dequeued before this line: then the state is IDLE, and stays so.
        let _ = self.wake.compare_exchange(POSTING, now, AcqRel, Relaxed);
        posted
    }

    /// To be called when the packet of a wake-up has been dequeued, before anybody is told: a wake
    /// that comes later posts a new one.
    #[inline]
    pub(super) fn wake_arrived(&self) {
        // Sequentially consistent for `has_messages`, like the taking of an operation.
        self.wake.swap(IDLE, SeqCst);
    }

    /// The shutdown is a flag, for those who come to wait later, and a packet, for those who wait
    /// already. One packet serves them all: each who finds it posts it again while others need it.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        self.expect_queue()?;
        self.shut_down.store(true, SeqCst);
        // A reminder that is owed may be one of the end, for a thread that collects.
        let is_owed = self.owed.load(SeqCst) & REMINDER_OWED != 0;
        self.remind(is_owed).map(|_| ())
    }

    #[inline]
    pub(super) fn is_shut_down(&self) -> bool {
        self.shut_down.load(SeqCst)
    }

    /// Posts a reminder if a thread needs one: because it has not been told of the shutdown, or
    /// because it collects and nothing is left. Says whether there was such a thread.
    pub(super) fn remind(&self, nothing_left: bool) -> io::Result<bool> {
        let sleep = |stage: Stage| self.sleepers[stage as usize].load(SeqCst) != 0;
        let needed = sleep(Stage::Serving) || nothing_left && sleep(Stage::Told);
        if needed {
            let posted = self.post_packet(ControlPacket::ShutDown, Key(0), 0);
            posted.inspect_err(|_| self.owe(REMINDER_OWED))?;
        }
        Ok(needed)
    }

    /// A wake-up that nobody has looked at goes back.
    pub(super) fn wake_again(&self) {
        if self.wake().is_err() {
            self.owe(WAKE_OWED);
        }
    }

    /// For who has taken a reminder out of the port and cannot pass it on.
    #[cold]
    pub(super) fn owe_reminder(&self) {
        self.owe(REMINDER_OWED);
    }

    fn owe(&self, what: u8) {
        self.owed.fetch_or(what, SeqCst);
    }

    #[inline]
    pub(super) fn owes(&self) -> bool {
        self.owed.load(SeqCst) != 0
    }

    /// Posts what could not be posted before. What fails again is owed again.
    ///
    /// Whether nothing is left is asked when it is known what is owed, so that what came to be owed
    /// because nothing is left is paid.
    #[cold]
    pub(super) fn pay(&self, nothing_left: impl FnOnce() -> bool) -> io::Result<()> {
        let owed = self.owed.swap(0, SeqCst);
        if owed & WAKE_OWED != 0 {
            self.wake().inspect_err(|_| self.owe(owed))?;
        }
        if owed & END_OWED != 0 {
            self.pay_ends().inspect_err(|_| self.owe(owed & !WAKE_OWED))?;
        }
        if owed & REMINDER_OWED != 0 {
            self.remind(nothing_left())?;
        }
        Ok(())
    }

    /// To be held by a thread while it waits in the kernel. It is counted before it looks at the
    /// flag or at what is in flight, and whoever changes those looks at the counts after: so one of
    /// the two sees the other.
    #[inline]
    pub(super) fn sleeper(&self, stage: Stage) -> Sleeper<'_> {
        let count = &self.sleepers[stage as usize];
        count.fetch_add(1, SeqCst);
        Sleeper { count }
    }

    pub(super) fn queue_dropped(&self) {
        self.queue_is_gone.store(true, SeqCst);
    }

    /// Looked at before anything else: what a queue that is gone has left in its port, a wake-up
    /// too, nobody will ever take out.
    #[inline]
    fn expect_queue(&self) -> io::Result<()> {
        if !self.queue_is_gone.load(Acquire) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::BrokenPipe,
            "the completion queue of this waker has been dropped, so there is nobody to tell",
        ))
    }
}

/// Counts a thread as one that waits.
pub(super) struct Sleeper<'a> {
    count: &'a AtomicUsize,
}

impl Drop for Sleeper<'_> {
    #[inline]
    fn drop(&mut self) {
        self.count.fetch_sub(1, SeqCst);
    }
}
