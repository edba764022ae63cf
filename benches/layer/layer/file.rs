//! A block of a file is read, at one offset after the other.

use std::io;

use overlapped::{Completion, CompletionQueue, Completions, Content, Key};

use super::super::message::{BLOCK, CAPACITY, check_block, file_of_blocks, offset_of, wrong};

pub fn rounds(count: u64) -> io::Result<u64> {
    let queue = CompletionQueue::new()?;
    let file = queue.register(file_of_blocks()?, Key(0))?;
    let (mut batch, mut waits) = (Completions::with_capacity(CAPACITY), 0);
    let mut free = Some(Vec::with_capacity(BLOCK));
    for round in 0..count {
        let buffer = free.take().ok_or_else(|| wrong("one block was read, and none has come"))?;
        file.read_at(offset_of(round), buffer)?;
        waits += 1;
        for completion in queue.wait(&mut batch, None)? {
            let Completion::Read { mut buffer, result, .. } = completion else {
                return Err(wrong("something else has happened than was asked for"));
            };
            if result? != Content::Bytes(BLOCK) {
                return Err(wrong("a part was read"));
            }
            check_block(&buffer, round)?;
            buffer.clear();
            free = Some(buffer);
        }
    }
    Ok(waits)
}
