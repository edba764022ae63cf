//! Many connections, whose packets come out of the port together.

#![allow(unsafe_code, reason = "it follows the addresses in packets")]

use std::io;

use super::super::message::{MANY, SIZE, check, pair, set_number, wrong};
use super::connection::{Connection, Doing};
use super::{Port, count_of};

pub fn rounds(count: u64) -> io::Result<u64> {
    let mut port = Port::new()?;
    let (mut senders, mut receivers) = (Vec::with_capacity(MANY), Vec::with_capacity(MANY));
    for key in 0..MANY {
        let (near, far) = pair()?;
        senders.push(Connection::new::<false>(&port, near, key)?);
        receivers.push(Connection::new::<false>(&port, far, key)?);
    }
    for round in 1..=count {
        send_all(&mut port, &senders, round)?;
        receive_all(&mut port, &receivers, round)?;
    }
    for connection in senders.into_iter().chain(receivers) {
        // SAFETY: nothing is in flight, and nothing is used after.
        drop(unsafe { Box::from_raw(connection) });
    }
    Ok(port.waits)
}

fn send_all(port: &mut Port, senders: &[*mut Connection], round: u64) -> io::Result<()> {
    for sender in senders {
        // SAFETY: nothing is in flight on it, and there is no other reference.
        let sender = unsafe { &mut **sender };
        set_number(&mut sender.buffer, round);
        sender.send::<false>()?;
    }
    let mut sent = 0;
    while sent < MANY {
        for entry in port.wait()? {
            // SAFETY: only operations of these connections have packets here.
            let sender = unsafe { Connection::of(entry.lpOverlapped) };
            if sender.doing != Doing::Sending || count_of(entry)? as usize != SIZE {
                return Err(wrong("a part was sent"));
            }
            sent += 1;
        }
    }
    Ok(())
}

/// Everything has been sent, so in most cases every receive finds its message.
fn receive_all(port: &mut Port, receivers: &[*mut Connection], round: u64) -> io::Result<()> {
    for receiver in receivers {
        // SAFETY: nothing is in flight on it, and there is no other reference.
        let receiver = unsafe { &mut **receiver };
        receiver.filled = 0;
        receiver.receive::<false>()?;
    }
    let mut received = 0;
    while received < MANY {
        for entry in port.wait()? {
            // SAFETY: only operations of these connections have packets here.
            let receiver = unsafe { Connection::of(entry.lpOverlapped) };
            let bytes = count_of(entry)? as usize;
            if receiver.doing != Doing::Receiving || bytes == 0 {
                return Err(wrong("a stream has ended before its message"));
            }
            receiver.filled += bytes;
            if receiver.filled < SIZE {
                receiver.receive::<false>()?;
                continue;
            }
            check(&receiver.buffer, round)?;
            received += 1;
        }
    }
    Ok(())
}
