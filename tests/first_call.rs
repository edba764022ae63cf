//! A program whose first call about sockets is one of this crate. Winsock must be started before
//! any, and std does that with its own first socket, of which there is none here.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it starts and stops Winsock, as other code does")]

use std::ptr::null;

use overlapped::ffi::constants::{
    AF_INET, INVALID_SOCKET, IPPROTO_TCP, SOCK_STREAM, WSA_FLAG_OVERLAPPED,
};
use overlapped::ffi::ws2_32::WSASocketW;
use overlapped::{Completion, CompletionQueue, Completions, Key};

#[path = "support/alone.rs"]
mod alone;
#[path = "support/spawn.rs"]
mod spawn;
use alone::alone;

#[test]
fn a_connect_can_be_the_first_call_of_a_program() {
    alone("a_connect_can_be_the_first_call_of_a_program", || {
        connect();
    })
    .assert_fine();
}

/// Other code has started Winsock before, and stops it when it is done. With the last stop all
/// sockets of the process would be closed.
#[test]
fn who_stops_winsock_stops_it_for_itself_alone() {
    alone("who_stops_winsock_stops_it_for_itself_alone", || {
        let mut data = [0_u64; 64];
        // SAFETY: the room is larger than a `WSADATA`, which has some 400 bytes, and aligned for it.
        assert_eq!(unsafe { WSAStartup(0x0202, &mut data) }, 0);
        connect();
        // SAFETY: it undoes the start above.
        assert_eq!(unsafe { WSACleanup() }, 0);
        let (family, overlapped) = (AF_INET.into(), WSA_FLAG_OVERLAPPED);
        // SAFETY: without a description of the protocol the call touches no memory of ours.
        let socket = unsafe { WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, null(), 0, overlapped) };
        assert_ne!(socket, INVALID_SOCKET, "Winsock has been stopped");
        // It is never closed, as the process ends here.
    })
    .assert_fine();
}

fn connect() {
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    // Nobody listens there, but that is for the completion to say.
    let peer = "127.0.0.1:1".parse().expect("an address");
    let (_stream, _) = queue.connect(peer, Key(7)).expect("submitted");
    let mut batch = Completions::with_capacity(8);
    let ended = queue.wait(&mut batch, None).expect("waiting").next();
    assert!(matches!(ended, Some(Completion::Connected { result: Err(_), .. })), "{ended:?}");
}

#[link(name = "ws2_32")]
unsafe extern "system" {
    fn WSAStartup(version: u16, data: *mut [u64; 64]) -> i32;
    fn WSACleanup() -> i32;
}
