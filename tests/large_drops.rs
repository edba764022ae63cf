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

/// A queue takes 64 packets at a time when it is dropped. If it cancelled everything again for each
/// of those, the calls would be the square of the connections, and with some thousands of them it
/// would give up before all has come back.
#[test]
fn dropping_a_queue_with_a_thousand_connections_cancels_each_a_few_times() {
    const CONNECTIONS: usize = 1000;
    let (calls, drops) = (Calls::watch(), Drops::default());
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
    let cancels = calls.count(Call::CancelIoEx) as usize;
    assert_eq!(drops.count(), CONNECTIONS, "came back, after {cancels} calls to cancel");
    assert!(cancels <= 4 * CONNECTIONS, "{cancels} calls to cancel");
}
