//! A queue with many connections is dropped: all comes back, and it takes no more calls than it has
//! to.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::io::Write;

use overlapped::{CompletionQueue, Key};

mod support;
use support::registered;

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::gather_in_port;

/// A queue takes 64 packets at a time when it is dropped. If it cancelled everything again for each
/// of those, the calls would be the square of the connections, and with some thousands of them it
/// would give up before all has come back. Here all packets have come before, so that however slow
/// the machine is, none has to be waited for.
#[test]
fn a_queue_that_is_dropped_cancels_each_connection_once_while_packets_come() {
    const CONNECTIONS: usize = 300;
    let (calls, drops) = (Calls::watch(), Drops::default());
    let queue = CompletionQueue::<Counted>::new().expect("a queue");
    let mut connections: Vec<_> =
        (0..CONNECTIONS).map(|key| registered(&queue, Key(key))).collect();
    for (stream, peer) in &mut connections {
        stream.receive(drops.buffer()).expect("submitted");
        peer.write_all(b"!").expect("sent");
    }
    gather_in_port(&queue, CONNECTIONS);
    calls.start_again();
    drop(queue);
    assert_eq!(drops.count(), CONNECTIONS, "came back");
    assert_eq!(calls.count(Call::CancelIoEx), CONNECTIONS as u64);
}
