//! What a datagram costs, counted: one call to send it, one to receive it, its share of a wait, and
//! no allocation.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls and of the allocator")]

use std::io;
use std::net::SocketAddr;

use overlapped::{Completion, CompletionQueue, Completions, Key, Registration};

mod support;
use support::{DEADLINE, assert_quiet};

#[path = "support/allocations.rs"]
mod allocations;
use allocations::{allocations_of, bytes_of, count_this_thread};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls};

#[path = "support/udp.rs"]
mod udp;
use udp::{V4, datagrams};

const ROUNDS: u64 = 1_000;
const SIZE: usize = 64;
/// How many receives are pending on each socket.
const PENDING: usize = 8;

/// Two sockets on one queue, and what goes back and forth between them.
struct PingPong {
    queue: CompletionQueue,
    ends: [(Registration<std::net::UdpSocket>, SocketAddr); 2],
    batch: Completions,
    /// One to send.
    spare: Vec<u8>,
    packets: u64,
}

impl PingPong {
    fn new() -> io::Result<Self> {
        let queue = CompletionQueue::new()?;
        let ends = [datagrams(&queue, Key(0), V4), datagrams(&queue, Key(1), V4)];
        for (end, _) in &ends {
            for _ in 0..PENDING {
                end.receive_from(Vec::with_capacity(SIZE))?;
            }
        }
        let batch = Completions::with_capacity(64);
        Ok(Self { queue, ends, batch, spare: vec![7; SIZE], packets: 0 })
    }

    /// One sends 64 bytes, and the other sends them back to the address that it has received.
    fn round(&mut self) {
        let mut to = self.ends[1].1;
        for end in [0, 1] {
            let bytes = std::mem::take(&mut self.spare);
            self.ends[end].0.send_to(bytes, to).expect("submitted");
            let mut left = 2;
            while left > 0 {
                self.queue.wait(&mut self.batch, Some(DEADLINE)).expect("waiting");
                for completion in &mut self.batch {
                    left -= 1;
                    self.packets += 1;
                    match completion {
                        Completion::Sent { buffer, count: SIZE, .. } => self.spare = buffer,
                        Completion::ReceivedFrom { key, mut buffer, result, .. } => {
                            to = result.expect("a datagram").from;
                            assert_eq!(to, self.ends[end].1);
                            buffer.clear();
                            self.ends[key.0].0.receive_from(buffer).expect("submitted");
                        }
                        other => panic!("a datagram was expected: {other:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn a_datagram_costs_one_call_at_each_side_and_no_allocation() -> io::Result<()> {
    let calls = Calls::watch();
    let mut game = PingPong::new()?;
    game.round();
    count_this_thread();
    game.packets = 0;
    let before = calls.counts();
    let allocations = allocations_of(|| (0..ROUNDS).for_each(|_| game.round()));
    let made = Call::ALL.into_iter().zip(calls.counts()).zip(before);
    let made: Vec<_> = made.map(|((call, after), before)| (call, after - before)).collect();
    let made: Vec<_> = made.into_iter().filter(|(_, count)| *count > 0).collect();

    let [(Call::GetQueuedCompletionStatusEx, dequeues), messages @ ..] = &made[..] else {
        panic!("{made:?}");
    };
    assert_eq!(messages, [(Call::WSARecvFrom, 2 * ROUNDS), (Call::WSASendTo, 2 * ROUNDS)]);
    assert_eq!((game.packets, allocations), (4 * ROUNDS, 0));
    assert!(*dequeues <= game.packets, "{dequeues} dequeues");
    assert_quiet(&game.queue);
    println!("a round trip: 2 WSARecvFrom, 2 WSASendTo, {} dequeues", *dequeues as f64 / 1e3);
    Ok(())
}

/// The addresses of datagrams stand beside the slots, in memory that is made once: 32 bytes for
/// each slot, and those that are in flight without one cost nothing.
#[test]
fn a_receive_that_is_pending_takes_at_most_272_bytes_besides_its_buffer() -> io::Result<()> {
    const RECEIVES: usize = 481;
    let _calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (near, _) = datagrams(&queue, Key(1), V4);
    let buffers: Vec<_> = (0..RECEIVES).map(|_| Vec::with_capacity(SIZE)).collect();
    count_this_thread();
    let bytes = bytes_of(|| {
        for buffer in buffers {
            near.receive_from(buffer).expect("submitted");
        }
    });
    println!("{} bytes for each", bytes / RECEIVES);
    assert!(bytes / RECEIVES <= 272, "{} bytes", bytes / RECEIVES);
    Ok(())
}
