//! The batch: packets that a wait has claimed, and the completions that they become when they are
//! read.
//!
//! A wait looks at each packet once. What it finds stands in the packet itself, which nobody else
//! needs any more: what it is, and of an operation where its slot is. The values that were lent
//! stay in their slots. They are moved out one by one when the batch is read, or when it is
//! dropped, and only then the caller's code runs: a buffer that counts what it has received, or the
//! drop of one. So whatever that code does, panicking too, it does to its own completion alone.

#![allow(unsafe_code, reason = "it collects what it has claimed")]

mod claiming;

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;
use std::sync::Arc;
use std::thread;

use super::super::buffer::Buffer;
use super::super::completion::Completion;
use super::super::control::Stage;
use super::super::in_flight::Claim;
use super::super::operation::Operation;
use super::super::port::Packet;
use super::super::shared::Core;
use super::panics::{first_of, go_on_with_panic};

/// A batch of completions: the room for them, and those that have not been looked at yet.
///
/// Each thread that waits has a batch of its own and uses it again and again, so that waiting
/// allocates nothing. It is an iterator, which
/// [`CompletionQueue::wait`](super::super::CompletionQueue::wait) fills and a `for` loop empties.
/// What is left when the loop breaks stays in it, and the next `wait` returns with that at once.
/// The completions of a registration that is dropped meanwhile are not given out.
///
/// The buffers of completions that nobody has read are dropped with the batch. A wake-up among them
/// is not lost: it goes back to the queue, and if the system has no memory for its packet, the next
/// wait posts it. A completion that was taken out is the caller's, and outlives batch and queue;
/// what `wait` returns is the batch, and cannot outlive it:
///
/// ```compile_fail,E0505
/// # use overlapped::*;
/// # fn outlived(queue: &CompletionQueue, mut batch: Completions) -> std::io::Result<()> {
/// let unread = queue.wait(&mut batch, None)?;
/// drop(batch);
/// println!("{}", unread.len()); // of a batch that is gone
/// # Ok(())
/// # }
/// ```
///
/// Keeping a batch delays nothing: what is in it is in flight no more, and a queue that is
/// dropped does not wait for it. The memory of that queue, and its port, stay until the batch is
/// dropped or used with another queue.
pub struct Completions<B = Vec<u8>> {
    /// What one wait has claimed. Those before `read` have been given out.
    pub(crate) packets: Vec<Packet>,
    read: usize,
    /// What the program has put back, of which so many are to be given out behind the packets.
    pushed: VecDeque<Completion<B>>,
    due: usize,
    /// Whether `ShutDown` is to be given out, behind all others.
    tells_shutdown: bool,
    pub(crate) stage: Stage,
    /// How many reminders its thread has found that were not for itself.
    pub(crate) passed_on: u32,
    /// The queue that it was last used with. Packets that were claimed are of this one.
    core: Option<Arc<Core<B>>>,
}

// What a packet was found to be, as it is noted there.
const FOREIGN: usize = 0;
const OPERATION: usize = 1;
const WOKEN: usize = 2;
const POSTED: usize = 3;
/// It has done its work by ending a wait.
const REMINDER: usize = 4;
/// It is known by its key, which it still has.
const SENT: usize = 5;

impl<B> Completions<B> {
    /// A batch that takes at most `capacity` completions from one wait: the number of packets that
    /// one system call can bring. 64 is a good one to start with. A capacity of 0 is allowed, but
    /// waiting with it is an error.
    ///
    /// A place takes 32 bytes, or 16 where addresses have 32 bits, all allocated here.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            packets: Vec::with_capacity(capacity),
            read: 0,
            pushed: VecDeque::new(),
            due: 0,
            tells_shutdown: false,
            stage: Stage::Serving,
            passed_on: 0,
            core: None,
        }
    }

    /// Puts a completion into the batch. When what is in it has been read, the next
    /// [`wait`](super::super::CompletionQueue::wait) does not sleep, takes what has come meanwhile,
    /// and brings this one behind it. A `for` loop over the batch borrows it, so a loop that pushes
    /// reads it by `while let Some(completion) = batch.next()`.
    ///
    /// This is for whoever could go on with a connection and lets others go first: an
    /// [`Inline`](super::super::Inline) registration whose operations end at once, say. Not before
    /// that wait is it counted by [`len`](Self::len). It comes out again whatever has become of its
    /// registration, and is dropped with the batch.
    ///
    /// Allocates where more are put in than ever before.
    pub fn push(&mut self, completion: Completion<B>) {
        self.pushed.push_back(completion);
    }

    /// How many completions are in the batch. Fewer come out, if a registration has been dropped
    /// since they were put in.
    pub fn len(&self) -> usize {
        self.packets.len() - self.read + self.due + usize::from(self.tells_shutdown)
    }

    /// Whether none is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.read == self.packets.len() && self.due == 0 && !self.tells_shutdown
    }

    /// Whether something was put in that the next wait brings.
    #[inline]
    pub(crate) fn has_pushed(&self) -> bool {
        !self.pushed.is_empty()
    }

    /// Makes an empty batch one of this queue.
    #[inline]
    pub(crate) fn attach(&mut self, core: &Arc<Core<B>>) {
        if self.core.as_ref().map_or(null(), Arc::as_ptr) != Arc::as_ptr(core) {
            self.change_queue(core);
        }
    }

    #[cold]
    fn change_queue(&mut self, core: &Arc<Core<B>>) {
        self.core = Some(Arc::clone(core));
        self.stage = Stage::Serving;
        self.passed_on = 0;
    }

    /// Makes room for the packets of a wait.
    #[inline]
    pub(crate) fn clear(&mut self) {
        debug_assert!(self.is_empty(), "who waits has read what was there");
        self.packets.clear();
        self.read = 0;
    }

    /// Gives out `ShutDown` when all else has been read.
    pub(crate) fn tell_shutdown(&mut self) {
        self.tells_shutdown = true;
        self.stage = Stage::Told;
    }

    #[inline]
    fn next_packet(&mut self) -> Option<Packet> {
        let packet = *self.packets.get(self.read)?;
        self.read += 1;
        Some(packet)
    }

    /// The claim that a packet has been made to carry, and the core that it is of.
    #[inline]
    fn claim_of(&self, packet: &Packet) -> Option<(&Core<B>, Claim)> {
        let claim = Claim { group: packet.overlapped().cast(), index: packet.bytes() };
        Some((self.core.as_deref()?, claim))
    }

    /// Drops what was lent for the operation of a packet that has just been read.
    #[cold]
    #[inline(never)]
    fn discard(core: &Core<B>, claim: Claim) {
        // SAFETY: as in `read`, where the packet came from.
        drop(unsafe { core.in_flight.collect(claim) });
    }

    /// Drops the next one of those that are still in the batch. Whether there was one.
    fn drop_next(&mut self) -> bool {
        if let Some(packet) = self.next_packet() {
            if let (OPERATION, Some((core, claim))) = (packet.noted(), self.claim_of(&packet)) {
                Self::discard(core, claim);
            }
            return true;
        }
        self.pushed.pop_front().is_some()
    }

    /// Drops all that is in the batch. A panic in the drop of one does not keep the others; the
    /// first one is returned.
    pub(crate) fn drop_all(&mut self) -> thread::Result<()> {
        let mut dropped = Ok(());
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.drop_next())) {
                Ok(true) => {}
                Ok(false) => return dropped,
                Err(panic) => dropped = first_of(dropped, Err(panic)),
            }
        }
    }
}

impl<B: Buffer> Completions<B> {
    /// What a packet says to the program. Nothing, if it is of a registration that is gone.
    #[inline(always)]
    fn read(&self, packet: &Packet) -> Option<Completion<B>> {
        match packet.noted() {
            OPERATION => {
                let (core, claim) = self.claim_of(packet)?;
                // SAFETY: `claim` has put the claim of an operation of this core into the packet,
                // and the core stays while there are packets to read. Each is read once, here or in
                // `discard`.
                let operation = unsafe { core.in_flight.claimed(claim) };
                // Asked now and not when the packet was dequeued: the handler of an earlier
                // completion in this batch may have dropped the registration since.
                if operation.owner.is_gone() {
                    Self::discard(core, claim);
                    return None;
                }
                if operation.has_annex() {
                    return Some(Self::read_with_annex(core, claim));
                }
                // SAFETY: as above.
                let ended = unsafe { core.in_flight.collect(claim) };
                Some(Operation::completion(ended, &core.owners))
            }
            WOKEN => Some(Completion::Woken),
            POSTED => Some(Completion::Posted { key: packet.key(), value: packet.bytes() }),
            _ => self.read_of_others(packet),
        }
    }

    /// What a packet says that is of no operation and not of the queue: of a sender, if its
    /// registration is there, or of a stranger.
    #[cold]
    #[inline(never)]
    fn read_of_others(&self, packet: &Packet) -> Option<Completion<B>> {
        if packet.noted() != SENT {
            return Some(Completion::Foreign(*packet));
        }
        let key = self.core.as_deref()?.control.senders().find(packet.key())?.key()?;
        Some(Completion::sent(key, packet))
    }

    /// As [`read`](Self::read), of an operation that was told more than fits in its slot.
    #[inline(never)]
    fn read_with_annex(core: &Core<B>, claim: Claim) -> Completion<B> {
        // SAFETY: as in `read`. Read first, for what is collected serves another operation.
        let annex = unsafe { core.in_flight.annex(claim) };
        // SAFETY: as in `read`.
        let ended = unsafe { core.in_flight.collect(claim) };
        Operation::completion_with(ended, annex, &core.owners)
    }

    /// What is given out behind the packets.
    #[cold]
    #[inline(never)]
    fn next_of_the_rest(&mut self) -> Option<Completion<B>> {
        if self.due > 0 {
            self.due -= 1;
            return self.pushed.pop_front();
        }
        std::mem::take(&mut self.tells_shutdown).then_some(Completion::ShutDown)
    }
}

impl<B: Buffer> Iterator for Completions<B> {
    type Item = Completion<B>;

    #[inline(always)]
    fn next(&mut self) -> Option<Completion<B>> {
        while let Some(packet) = self.next_packet() {
            if let Some(completion) = self.read(&packet) {
                return Some(completion);
            }
        }
        if self.is_empty() { None } else { self.next_of_the_rest() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.len()))
    }
}

impl<B> Drop for Completions<B> {
    fn drop(&mut self) {
        if let Some(core) = &self.core {
            // Before the caller's code runs, which may panic.
            if self.packets[self.read..].iter().any(|packet| packet.noted() == WOKEN) {
                core.control.wake_again();
            }
        }
        go_on_with_panic(self.drop_all());
    }
}

impl<B> fmt::Debug for Completions<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completions").field("len", &self.len()).finish_non_exhaustive()
    }
}
