//! The wait: sleeping in the port, and what a shutdown makes of it.
//!
//! Until the queue is shut down a wait sleeps until there is a packet. After that each batch goes
//! through two more stages, and its thread needs a reminder, a packet with nothing in it, at two
//! moments: when the queue is shut down, and when the last operation in flight has ended elsewhere.
//! Who sleeps is counted before looking at what it must not miss, and who brings it about looks at
//! the count after; so one of the two sees the other. Each who finds a reminder posts another while
//! somebody needs it. There can be more than are needed; whoever finds such a one drops it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::super::control::Stage;
use super::super::port::Deadline;
use super::super::shared::Core;
use super::super::sync::sleep;
use super::completions::Completions;

/// How long a thread stays out of the port after it has passed a reminder on that was not for
/// itself. If it went back at once it might find the same packet again: a thread that runs can keep
/// those that wait from running, for the port lets only so many run at a time. And of those that
/// wait the system releases the one that has begun last, so with many threads the packet can come
/// round to the first of them before it has reached the one that has waited longest: the pause
/// doubles each time, until they are all out of its way.
const PAUSE: Duration = Duration::from_millis(1);
/// It doubles so many times: up to 64 ms, in which a packet goes through thousands of threads.
const DOUBLINGS: u32 = 6;

impl<B> Core<B> {
    /// Sleeps until there is something to read in the batch, which is empty, or the time is up.
    #[inline]
    pub(crate) fn fill(
        self: &Arc<Self>,
        batch: &mut Completions<B>,
        deadline: &Deadline,
    ) -> io::Result<()> {
        batch.attach(self);
        let mut left: Deadline;
        let mut deadline = deadline;
        loop {
            batch.clear();
            let mut paid = Ok(());
            if self.control.owes() {
                paid = self.control.pay(|| self.nothing_left());
            }
            if batch.stage != Stage::Serving {
                self.collect_again(batch);
            }
            let sleeper = self.control.sleeper(batch.stage);
            // Who cannot pay takes out what is there all the same: that can end the shortage.
            let looks = paid.is_err()
                || batch.has_pushed()
                || self.control.is_shut_down() && self.has_news(batch);
            let until = if looks { &Deadline::PASSED } else { deadline };
            let dequeued = self.control.port().dequeue_within(&mut batch.packets, until);
            drop(sleeper);
            dequeued?;
            let reminded = batch.claim(self);
            if batch.is_empty() && paid.is_err() {
                if reminded {
                    self.control.owe_reminder();
                }
                return paid;
            }
            if self.control.is_shut_down() {
                self.after_shutdown(batch, reminded, looks, deadline)?;
            }
            if !batch.is_empty() || deadline.is_over() || looks && batch.stage == Stage::Ended {
                return Ok(());
            }
            left = deadline.left();
            deadline = &left;
        }
    }

    /// Something may have been submitted after the end was told.
    #[cold]
    fn collect_again(&self, batch: &mut Completions<B>) {
        if batch.stage == Stage::Ended && !self.in_flight.is_empty() {
            batch.stage = Stage::Told;
        }
    }

    /// Whether a batch is told something of the shutdown when nothing else is there, so that its
    /// thread looks into the port and does not sleep.
    #[cold]
    fn has_news(&self, batch: &Completions<B>) -> bool {
        match batch.stage {
            Stage::Serving => true,
            Stage::Told => self.nothing_left(),
            Stage::Ended => false,
        }
    }

    /// Whether nothing is to come any more: no operation, and none of the messages that are told
    /// through the port.
    fn nothing_left(&self) -> bool {
        self.in_flight.is_empty() && !self.control.has_messages()
    }

    /// Draws the consequences of the shutdown when a wait is over: for others, and for this batch.
    #[cold]
    fn after_shutdown(
        &self,
        batch: &mut Completions<B>,
        reminded: bool,
        looked: bool,
        deadline: &Deadline,
    ) -> io::Result<()> {
        let nothing_left = self.nothing_left();
        // First of all, for when it fails another thread may go on sleeping, and the caller is to
        // know. What has been claimed stays in the batch.
        let passed_on = self.control.remind(nothing_left)?;
        match batch.stage {
            Stage::Serving => batch.tell_shutdown(),
            // It has looked when there was nothing left, and the empty batch says so.
            Stage::Told if nothing_left && looked && !reminded && batch.is_empty() => {
                batch.stage = Stage::Ended;
            }
            Stage::Told if nothing_left && !looked => {}
            _ if reminded && passed_on && batch.is_empty() => {
                sleep(deadline.at_most(PAUSE * (1 << batch.passed_on.min(DOUBLINGS))));
                batch.passed_on = batch.passed_on.saturating_add(1);
            }
            _ => {}
        }
        Ok(())
    }

    /// To be called when an operation has ended for which no packet comes.
    #[inline]
    pub(crate) fn ended_without_packet(&self) {
        if self.control.is_shut_down() {
            self.remind_if_last();
        }
    }

    #[cold]
    fn remind_if_last(&self) {
        if self.nothing_left() {
            // Should the system have no memory for the packet, it is owed: the next wait posts it.
            let _ = self.control.remind(true);
        }
    }
}
