//! The work as it is done with this crate.

use std::io;

use overlapped::{Completion, CompletionQueue, Completions, Key};

use super::message::{CAPACITY, wrong};

pub mod accept;
pub mod batch;
pub mod datagrams;
pub mod file;
pub mod ping_pong;
pub mod pipe;

const KEY: Key = Key(7);

pub fn post_and_wait(count: u64) -> io::Result<u64> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (mut batch, mut waits) = (Completions::with_capacity(CAPACITY), 0);
    for round in 0..count {
        let posted = round as u32;
        queue.post(KEY, posted)?;
        let mut seen = 0;
        waits += 1;
        for completion in queue.wait(&mut batch, None)? {
            match completion {
                Completion::Posted { key: KEY, value } if value == posted => seen += 1,
                _ => return Err(wrong("another packet has come than was posted")),
            }
        }
        if seen != 1 {
            return Err(wrong("one packet was posted, and not as many have come"));
        }
    }
    Ok(waits)
}

pub fn wake_and_wait(count: u64) -> io::Result<u64> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let waker = queue.waker();
    let (mut batch, mut waits) = (Completions::with_capacity(CAPACITY), 0);
    for _ in 0..count {
        waker.wake()?;
        let mut woken = 0;
        waits += 1;
        for completion in queue.wait(&mut batch, None)? {
            match completion {
                Completion::Woken => woken += 1,
                _ => return Err(wrong("another packet has come than that of the wake-up")),
            }
        }
        if woken != 1 {
            return Err(wrong("one wake-up was sent, and not as many have come"));
        }
    }
    Ok(waits)
}
