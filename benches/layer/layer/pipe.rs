//! A message goes through a pipe and comes back, both ends on one queue.

use std::io;
use std::mem::take;

use overlapped::{
    Completion, CompletionQueue, Completions, Content, Key, NamedPipe, PipeOptions, Registration,
};

use super::super::message::{CAPACITY, SIZE, check, message, pipe_name, set_number, wrong};

struct End {
    pipe: Registration<NamedPipe>,
    to_read: Vec<u8>,
    to_write: Vec<u8>,
}

pub fn rounds(count: u64) -> io::Result<u64> {
    let queue = CompletionQueue::new()?;
    let (name, options) = (pipe_name(), PipeOptions::new().messages());
    let mut near = End::new(queue.register(NamedPipe::server(&name, &options)?, Key(1))?);
    let mut far = End::new(queue.register(NamedPipe::client(&name, &options)?, Key(2))?);
    let (mut batch, mut waits) = (Completions::with_capacity(CAPACITY), 0);
    for round in 1..=count {
        set_number(&mut near.to_write, round);
        waits += pass(&queue, &mut batch, &mut near, &mut far)?;
        far.to_write.copy_from_slice(&far.to_read);
        waits += pass(&queue, &mut batch, &mut far, &mut near)?;
        check(&near.to_read, round)?;
    }
    Ok(waits)
}

/// Writes at one end what is read at the other, and returns how often it has waited.
fn pass(
    queue: &CompletionQueue,
    batch: &mut Completions,
    from: &mut End,
    to: &mut End,
) -> io::Result<u64> {
    to.to_read.clear();
    to.pipe.read(take(&mut to.to_read))?;
    from.pipe.write(take(&mut from.to_write))?;
    let (mut read, mut written, mut waits) = (false, false, 0);
    while !(read && written) {
        waits += 1;
        for completion in queue.wait(batch, None)? {
            match completion {
                Completion::Read { buffer, result, .. } => {
                    if result? != Content::Message(SIZE) {
                        return Err(wrong("a part of the message has come"));
                    }
                    (to.to_read, read) = (buffer, true);
                }
                Completion::Written { buffer, count: SIZE, result: Ok(()), .. } => {
                    (from.to_write, written) = (buffer, true);
                }
                _ => return Err(wrong("something else has happened than was asked for")),
            }
        }
    }
    Ok(waits)
}

impl End {
    fn new(pipe: Registration<NamedPipe>) -> Self {
        Self { pipe, to_read: Vec::with_capacity(SIZE), to_write: message().to_vec() }
    }
}
