//! A program whose first call about sockets is one of this crate. Winsock must be started before
//! any, and std does that with its own first socket, of which there is none here.
#![cfg(windows)]

use overlapped::{Completion, CompletionQueue, Completions, Key};

#[path = "support/alone.rs"]
mod alone;
#[path = "support/spawn.rs"]
mod spawn;
use alone::alone;

#[test]
fn a_connect_can_be_the_first_call_of_a_program() {
    alone("a_connect_can_be_the_first_call_of_a_program", || {
        let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
        // Nobody listens there, but that is for the completion to say.
        let peer = "127.0.0.1:1".parse().expect("an address");
        let (_stream, _) = queue.connect(peer, Key(7)).expect("submitted");
        let mut batch = Completions::with_capacity(8);
        let ended = queue.wait(&mut batch, None).expect("waiting").next();
        assert!(matches!(ended, Some(Completion::Connected { result: Err(_), .. })), "{ended:?}");
    })
    .assert_fine();
}
