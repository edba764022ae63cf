//! A datagram goes to the peer and comes back to the address that it came from, both on one queue.

use std::io;

use overlapped::{Completion, CompletionQueue, Completions, Key};

use super::super::message::{CAPACITY, SIZE, check, message, pair_of_datagrams, set_number, wrong};

/// Who counts the rounds. The other one sends back what it receives.
const FIRST: Key = Key(0);

pub fn rounds(count: u64) -> io::Result<u64> {
    let (queue, [near, far]) = (CompletionQueue::new()?, pair_of_datagrams()?);
    let to = far.local_addr()?;
    let ends = [queue.register(near, FIRST)?, queue.register(far, Key(1))?];
    let (mut batch, mut waits) = (Completions::with_capacity(CAPACITY), 0);
    let (mut round, mut first) = (1, message().to_vec());
    ends[1].receive_from(Vec::with_capacity(SIZE))?;
    set_number(&mut first, round);
    ends[0].send_to(first, to)?;
    loop {
        waits += 1;
        for completion in queue.wait(&mut batch, None)? {
            match completion {
                Completion::Sent { key, mut buffer, count, result, .. } => {
                    result?;
                    if count != SIZE {
                        return Err(wrong("a part was sent"));
                    }
                    buffer.clear();
                    ends[key.0].receive_from(buffer)?;
                }
                Completion::ReceivedFrom { key, mut buffer, result, .. } => {
                    let datagram = result?;
                    if datagram.count != SIZE {
                        return Err(wrong("a part has come"));
                    }
                    if key == FIRST {
                        check(&buffer, round)?;
                        if round == count {
                            return Ok(waits);
                        }
                        round += 1;
                        set_number(&mut buffer, round);
                    }
                    ends[key.0].send_to(buffer, datagram.from)?;
                }
                _ => return Err(wrong("something else has happened than was asked for")),
            }
        }
    }
}
