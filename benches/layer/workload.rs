//! The workloads, and the two sides that do them.

use std::io;

use super::{by_hand, layer};

/// Work that is done in rounds. Both sides make the same calls of the system in a round.
#[derive(Clone, Copy, Debug)]
pub enum Workload {
    PostAndWait,
    WakeAndWait,
    PingPong,
    PingPongInline,
    Batch,
    AcceptAndClose,
    Udp,
    Pipe,
    File,
}

/// Which of the two sides does it.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    Hand,
    Layer,
}

impl Who {
    pub const BOTH: [Self; 2] = [Self::Hand, Self::Layer];

    pub fn name(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Layer => "layer",
        }
    }
}

impl Workload {
    pub const ALL: [Self; 9] = [
        Self::PostAndWait,
        Self::WakeAndWait,
        Self::PingPong,
        Self::PingPongInline,
        Self::Batch,
        Self::AcceptAndClose,
        Self::Udp,
        Self::Pipe,
        Self::File,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::PostAndWait => "post-and-wait",
            Self::WakeAndWait => "wake-and-wait",
            Self::PingPong => "ping-pong",
            Self::PingPongInline => "ping-pong-inline",
            Self::Batch => "batch",
            Self::AcceptAndClose => "accept-and-close",
            Self::Udp => "udp",
            Self::Pipe => "pipe",
            Self::File => "file",
        }
    }

    /// What one round is.
    pub fn description(self) -> &'static str {
        match self {
            Self::PostAndWait => "posts a packet and waits for it",
            Self::WakeAndWait => "wakes the thread that waits, which is this one",
            Self::PingPong => "64 bytes go to the peer and come back, both ends on one port",
            Self::PingPongInline => "the same, where what ends at once brings no packet",
            Self::Batch => "64 connections send and then receive, 64 packets in each wait",
            Self::AcceptAndClose => "a connection is accepted, put on the port, and closed",
            Self::Udp => "64 bytes go to a socket for datagrams and come back to their sender",
            Self::Pipe => {
                "64 bytes go through a pipe of messages and come back, both ends on one port"
            }
            Self::File => "4096 bytes are read from a file that the system has in its memory",
        }
    }

    /// Does so many rounds, and returns how often it has waited for packets, or an error if a round
    /// was not right. So many other operations are in flight meanwhile, where that can be had.
    pub fn run(self, who: Who, count: u64, others: u64) -> io::Result<u64> {
        let work = match (self, who) {
            (Self::PostAndWait, Who::Hand) => by_hand::post_and_wait,
            (Self::PostAndWait, Who::Layer) => layer::post_and_wait,
            (Self::WakeAndWait, Who::Hand) => by_hand::wake_and_wait,
            (Self::WakeAndWait, Who::Layer) => layer::wake_and_wait,
            (Self::PingPong, Who::Hand) => by_hand::ping_pong::queued,
            (Self::PingPong, Who::Layer) => {
                return layer::ping_pong::queued(count, others);
            }
            (Self::PingPongInline, Who::Hand) => by_hand::ping_pong::inline,
            (Self::PingPongInline, Who::Layer) => layer::ping_pong::inline,
            (Self::Batch, Who::Hand) => by_hand::batch::rounds,
            (Self::Batch, Who::Layer) => layer::batch::rounds,
            (Self::AcceptAndClose, Who::Hand) => by_hand::accept::rounds,
            (Self::AcceptAndClose, Who::Layer) => layer::accept::rounds,
            (Self::Udp, Who::Hand) => by_hand::datagrams::rounds,
            (Self::Udp, Who::Layer) => layer::datagrams::rounds,
            (Self::Pipe, Who::Hand) => by_hand::pipe::rounds,
            (Self::Pipe, Who::Layer) => layer::pipe::rounds,
            (Self::File, Who::Hand) => by_hand::file::rounds,
            (Self::File, Who::Layer) => layer::file::rounds,
        };
        work(count)
    }
}
