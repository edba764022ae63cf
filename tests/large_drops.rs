//! A queue with many connections is dropped: all comes back, and it takes no more calls than
//! it has to.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::net::{TcpListener, TcpStream};

use overlapped::{CompletionQueue, Key};

mod support;
use support::NO_SOCKET;

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops};

const CONNECTIONS: usize = 1000;

/// Drops a queue with a receive on each connection. Says how many buffers have come back, and how
/// many calls to cancel that took.
fn drop_a_queue(calls: &Calls) -> (usize, usize) {
    let drops = Drops::default();
    let queue = CompletionQueue::<Counted>::new().expect("a queue");
    let listener = TcpListener::bind("127.0.0.1:0").expect(NO_SOCKET);
    let address = listener.local_addr().expect("the address of a listener");
    let connect = |key| {
        let stream = TcpStream::connect(address).expect(NO_SOCKET);
        let peer = listener.accept().expect(NO_SOCKET);
        let stream = queue.register(stream, Key(key)).expect("a new socket can be registered");
        stream.receive(drops.buffer()).expect("submitted");
        (stream, peer)
    };
    let _connections: Vec<_> = (0..CONNECTIONS).map(connect).collect();
    calls.start_again();
    drop(queue);
    (drops.count(), calls.count(Call::CancelIoEx) as usize)
}

/// A queue takes 64 packets at a time when it is dropped. If it cancelled everything again for each
/// of those, the calls would be the square of the connections, and with some thousands of them it
/// would give up before all has come back.
#[test]
fn dropping_a_queue_with_a_thousand_connections_cancels_each_a_few_times() {
    let calls = Calls::watch();
    // It gives up after two seconds, which a machine can need that is busy with other things.
    for attempt in 1..=3 {
        let (back, cancels) = drop_a_queue(&calls);
        assert!(cancels <= 4 * CONNECTIONS, "{cancels} calls to cancel");
        if back == CONNECTIONS {
            return;
        }
        println!("attempt {attempt}: {back} came back after {cancels} calls to cancel");
    }
    panic!("what was lent never came back");
}
