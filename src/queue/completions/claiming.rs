//! What a wait does with the packets that it has brought.

#![allow(unsafe_code, reason = "it claims operations by what came out of the port")]

use super::super::super::control::ControlPacket;
use super::super::super::in_flight::Claim;
use super::super::super::port::Packet;
use super::super::super::shared::Core;
use super::{Completions, FOREIGN, OPERATION, POSTED, REMINDER, SENT, WOKEN};

impl<B> Completions<B> {
    /// Claims the packets that a wait of `core` has brought, and says whether there was a reminder
    /// that the queue is shut down. The address of each is compared with the marks of our own
    /// messages, its key with those of jobs, and then its address with those of the operations in
    /// flight. No code of the caller's runs here.
    #[inline]
    pub(crate) fn claim(&mut self, core: &Core<B>) -> bool {
        // Where there has never been a job, nothing is asked for each packet.
        let reminded = match core.control.senders().is_used() {
            false => self.claim_each(core, |_| false),
            true => self.claim_among_senders(core),
        };
        if reminded {
            self.packets.retain(|packet| packet.noted() != REMINDER);
        }
        self.due = self.pushed.len();
        reminded
    }

    #[inline(never)]
    fn claim_among_senders(&mut self, core: &Core<B>) -> bool {
        self.claim_each(core, |packet| core.control.senders().find(packet.key()).is_some())
    }

    #[inline(always)]
    fn claim_each(&mut self, core: &Core<B>, is_sent: impl Fn(&Packet) -> bool) -> bool {
        let mut reminded = false;
        for packet in &mut self.packets {
            let found = match core.control.classify(packet) {
                // Before the address is looked for, which is none in a packet of a sender, and can
                // equal that of a slot.
                None if is_sent(packet) => SENT,
                // SAFETY: the packet came out of this queue's port, where its operations complete.
                None => match unsafe { core.in_flight.claim(packet.overlapped()) } {
                    Some(Claim { group, index }) => {
                        packet.redirect(group, index);
                        OPERATION
                    }
                    None => FOREIGN,
                },
                Some(ControlPacket::Wake) => {
                    core.control.wake_arrived();
                    WOKEN
                }
                Some(ControlPacket::Post) => {
                    core.control.post_arrived();
                    POSTED
                }
                Some(ControlPacket::ShutDown) => {
                    reminded = true;
                    REMINDER
                }
            };
            packet.note(found);
        }
        reminded
    }
}
