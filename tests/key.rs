//! A key is a number with a name of its own: it is made of one, and gives it back.
#![cfg(windows)]

use std::io;

use overlapped::{CompletionPort, Key};

mod support;
use support::DEADLINE;

#[test]
fn a_key_made_of_a_number_comes_out_of_the_port_as_that_number() -> io::Result<()> {
    let port = CompletionPort::new(0)?;
    let mut packets = Vec::with_capacity(1);
    for number in [0, 1, usize::MAX] {
        port.post(number.into(), 0)?;
        packets.clear();
        assert_eq!(port.dequeue(&mut packets, Some(DEADLINE))?, 1);
        let key = packets[0].key();
        assert_eq!((key, usize::from(key)), (Key(number), number));
    }
    Ok(())
}
