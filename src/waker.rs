//! Waking a queue from outside: packets that a program posts to its own port.
//!
//! A thread that waits in the kernel sees packets and nothing else, so whatever other threads want
//! to tell it must be a packet. Three things are told in this way: *wake up*, *shut down*, and a
//! value of the program's own. They are told apart by the address in the packet: each is the address
//! of a byte in [`Signals`], where no operation can be, so every completion key stays free for the
//! program's use.

#![allow(unsafe_code, reason = "it posts packets with addresses of its own")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::task::Wake;

use super::ffi::types::OVERLAPPED;
use super::port::{CompletionPort, Key, Packet};
use super::sync::{AtomicBool, AtomicU8, AtomicUsize, Mutex, PoisonError};

/// Wakes a thread that waits on a [`CompletionQueue`](super::CompletionQueue), or ends them all, from
/// any thread.
///
/// The queue answers with one [`Completion::Woken`](super::Completion::Woken), on one of the threads
/// that wait. Wakes coalesce: until that `Woken` is taken out of the port, further wakes add
/// nothing, so a thousand of them cost one packet. None is lost: whatever a thread did before it
/// called `wake` is visible to the thread that gets a `Woken` after.
///
/// A waker is also a [`std::task::Wake`], so that a future can be polled by the thread that waits:
///
/// ```
/// use overlapped::{Completion, CompletionQueue, Completions};
/// use std::sync::Arc;
///
/// # fn main() -> std::io::Result<()> {
/// let queue = CompletionQueue::<Vec<u8>>::new()?;
/// let waker = std::task::Waker::from(Arc::new(queue.waker()));
/// std::thread::spawn(move || waker.wake());
///
/// let mut batch = Completions::with_capacity(8);
/// let woken = queue.wait(&mut batch, None)?.next();
/// assert!(matches!(woken, Some(Completion::Woken)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Waker {
    signals: Arc<Signals>,
}

impl Waker {
    pub(super) fn new(signals: Arc<Signals>) -> Self {
        Self { signals }
    }

    /// Wakes one thread that waits, or the next that will.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` if the queue has been dropped. The system's error, if it has no memory for the
    /// packet: then nobody is woken, and the next call tries again.
    ///
    /// Calls [`PostQueuedCompletionStatus`](https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus)
    /// when no wake-up is on its way, and nothing otherwise.
    pub fn wake(&self) -> io::Result<()> {
        self.signals.wake()
    }

    /// As [`CompletionQueue::shut_down`](super::CompletionQueue::shut_down), for a thread that has no
    /// reference to the queue.
    ///
    /// # Errors
    ///
    /// As there; and `BrokenPipe` if the queue has been dropped.
    pub fn shut_down(&self) -> io::Result<()> {
        self.signals.shut_down()
    }
}

impl Wake for Waker {
    /// As [`Waker::wake`], without a way to say that it failed.
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let _ = self.signals.wake();
    }
}

/// What a packet of our own says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    Wake,
    ShutDown,
    Post,
}

// Where the wake-up is.
/// None is in the port.
const IDLE: u8 = 0;
/// A thread is about to post one, which may fail.
const POSTING: u8 = 1;
/// One is in the port.
const POSTED: u8 = 2;

/// The port, and the state of what is told through it. Lives as long as a queue, a registration or a
/// waker does, so a packet is never posted to a handle that has become another object's.
#[derive(Debug)]
pub(super) struct Signals {
    port: CompletionPort,
    wake: AtomicU8,
    posting: Mutex<()>,
    shut_down: AtomicBool,
    /// Threads in the kernel, or on their way there, whom a shutdown must reach by packet.
    parked: AtomicUsize,
    queue_is_gone: AtomicBool,
    /// Only the addresses count, one for each [`Signal`].
    marks: [u8; 3],
}

impl Signals {
    pub(super) fn new(port: CompletionPort) -> Self {
        Self {
            port,
            wake: AtomicU8::new(IDLE),
            posting: Mutex::new(()),
            shut_down: AtomicBool::new(false),
            parked: AtomicUsize::new(0),
            queue_is_gone: AtomicBool::new(false),
            marks: [0; 3],
        }
    }

    #[inline]
    pub(super) fn port(&self) -> &CompletionPort {
        &self.port
    }

    /// What the packet says, if it is one of ours.
    #[inline]
    pub(super) fn read(&self, packet: &Packet) -> Option<Signal> {
        match packet.overlapped().addr().wrapping_sub(self.marks.as_ptr().addr()) {
            0 => Some(Signal::Wake),
            1 => Some(Signal::ShutDown),
            2 => Some(Signal::Post),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn post(&self, signal: Signal, key: Key, value: u32) -> io::Result<()> {
        let mark: *mut OVERLAPPED = (&raw const self.marks[signal as usize]).cast_mut().cast();
        // SAFETY: the address is that of a byte of ours, where no operation is; `read` compares it.
        unsafe { self.port.post_overlapped(key, value, mark) }
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        self.expect_queue()?;
        // A read that also writes: if it comes before the exchange in `wake_arrived`, that exchange
        // makes all that was done before this call visible to the thread that gets the `Woken`; if it
        // comes after, it sees IDLE. A plain load could miss on both sides.
        if self.wake.fetch_or(0, AcqRel) == POSTED {
            return Ok(());
        }
        // Another thread may be posting at this moment, and fail. Only when it is done is it known
        // whether its wake-up can stand for this one.
        let _alone = self.posting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.wake.fetch_or(0, AcqRel) == POSTED {
            return Ok(());
        }
        // Released, like the exchanges around it, for a thread may dequeue the packet while this stands
        // here, and sees by it what was done before this call.
        self.wake.store(POSTING, Release);
        let posted = self.post(Signal::Wake, Key(0), 0);
        let now = if posted.is_ok() { POSTED } else { IDLE };
        // Fails if the packet was dequeued before this line: then the state is IDLE, and stays so.
        let _ = self.wake.compare_exchange(POSTING, now, AcqRel, Relaxed);
        posted
    }

    /// To be called when the packet of a wake-up has been dequeued, before anybody is told: a wake
    /// that comes later posts a new one.
    #[inline]
    pub(super) fn wake_arrived(&self) {
        self.wake.swap(IDLE, AcqRel);
    }

    /// The shutdown is a flag, for those who come to wait later, and a packet, for those who wait
    /// already. One packet serves them all: each who has seen the flag posts it again while others
    /// are parked.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        self.expect_queue()?;
        self.shut_down.store(true, SeqCst);
        self.pass_shutdown_on()
    }

    #[inline]
    pub(super) fn is_shut_down(&self) -> bool {
        self.shut_down.load(SeqCst)
    }

    #[inline]
    pub(super) fn pass_shutdown_on(&self) -> io::Result<()> {
        match self.parked.load(SeqCst) {
            0 => Ok(()),
            _ => self.post(Signal::ShutDown, Key(0), 0),
        }
    }

    /// To be held by a thread while it waits in the kernel. Counted before the flag is looked at, and
    /// `shut_down` sets the flag before it looks at the count: so one of the two sees the other.
    #[inline]
    pub(super) fn park(&self) -> Parked<'_> {
        self.parked.fetch_add(1, SeqCst);
        Parked { signals: self }
    }

    pub(super) fn queue_dropped(&self) {
        self.queue_is_gone.store(true, SeqCst);
    }

    /// Looked at before anything else: what a queue that is gone has left in its port, a wake-up too,
    /// nobody will ever take out.
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

/// Counts a thread as parked.
pub(super) struct Parked<'a> {
    signals: &'a Signals,
}

impl Drop for Parked<'_> {
    #[inline]
    fn drop(&mut self) {
        self.signals.parked.fetch_sub(1, SeqCst);
    }
}
