//! The copy itself: blocks that are read, and then written, several at a time.
//!
//! ```text
//!   idle ──▶ read_at ──▶ Read ──▶ write_at ──▶ Written ──▶ the next block, or idle
//!              ▲          │ fewer bytes than wanted
//!              └──────────┘
//! ```
//!
//! The first thing that goes wrong is kept, and nothing is begun after that. What is in flight then
//! is cancelled, and collected like the rest.

use std::fs::File;
use std::io;

use overlapped::{Completion, CompletionQueue, Completions, Content, Failure, Key, Registration};

use super::block::Block;
use super::progress::Progress;

pub struct Copy {
    source: Registration<File, Block>,
    target: Registration<File, Block>,
    block: u64,
    /// Where the next block begins, and where the file ends.
    next: u64,
    end: u64,
    /// Whether lengths have to be multiples of the sector.
    unbuffered: bool,
    pub copied: u64,
    /// Why it is not to be gone on with.
    trouble: Option<String>,
}

impl Copy {
    /// From this part of one file to the same part of the other.
    pub fn new(
        queue: &CompletionQueue<Block>,
        source: File,
        target: File,
        part: std::ops::Range<u64>,
        block: u64,
        unbuffered: bool,
    ) -> io::Result<Self> {
        let (source, target) = (queue.register(source, Key(0))?, queue.register(target, Key(1))?);
        let (next, end) = (part.start, part.end);
        Ok(Self { source, target, block, next, end, unbuffered, copied: 0, trouble: None })
    }

    /// Copies all of it, and returns when nothing is in flight any more.
    pub fn run(
        &mut self,
        queue: &CompletionQueue<Block>,
        in_flight: u32,
        progress: &mut Progress,
    ) -> Result<(), String> {
        for _ in 0..in_flight {
            // No larger than needed: the last one may be small.
            self.begin(Block::new(self.block.min(self.end - self.next) as usize));
        }
        let mut batch = Completions::with_capacity(in_flight as usize + 1);
        // What lies in the batch unread is in flight too, for its registration.
        while self.source.in_flight() + self.target.in_flight() > 0 {
            let waited = queue.wait(&mut batch, progress.interval());
            if let Err(error) = waited {
                return Err(format!("cannot wait: {error}"));
            }
            for completion in batch.by_ref() {
                self.handle(completion);
            }
            progress.show(self.copied);
        }
        match self.trouble.take() {
            Some(trouble) => Err(trouble),
            None => Ok(()),
        }
    }

    fn handle(&mut self, completion: Completion<Block>) {
        match completion {
            Completion::Read { buffer, result, .. } => self.read(buffer, result),
            Completion::Written { buffer, count, result, .. } => {
                self.written(buffer, count, result);
            }
            Completion::ShutDown => self.stop("it was stopped".to_string()),
            _ => {}
        }
    }

    /// Reads the next block of the file, if there is one.
    fn begin(&mut self, mut block: Block) {
        if self.trouble.is_none() && self.next < self.end {
            let wanted = self.block.min(self.end - self.next);
            block.begin(self.next, wanted as usize, self.unbuffered);
            self.next += wanted;
            self.read_on(block);
        }
    }

    fn read_on(&mut self, block: Block) {
        let offset = block.offset + block.len() as u64;
        if let Err(rejected) = self.source.read_at(offset, block) {
            self.stop(format!("cannot read SRC at {offset}: {}", rejected.error));
        }
    }

    fn read(&mut self, mut block: Block, result: Result<Content, Failure>) {
        let offset = block.offset;
        match result {
            Err(failure) => self.stop(format!("cannot read SRC at {offset}: {failure}")),
            Ok(Content::End) => {
                self.stop("SRC has become shorter while it was copied".to_string());
            }
            // There was room for more than is wanted: the file has become longer.
            Ok(_) if block.len() >= block.wanted => {
                block.truncate();
                if self.unbuffered {
                    block.fill_sector();
                }
                self.write(block);
            }
            Ok(_) => self.read_on(block),
        }
    }

    fn write(&mut self, block: Block) {
        let offset = block.offset;
        if self.trouble.is_none() {
            if let Err(rejected) = self.target.write_at(offset, block) {
                self.stop(format!("cannot write DST at {offset}: {}", rejected.error));
            }
        }
    }

    fn written(&mut self, block: Block, count: usize, result: Result<(), Failure>) {
        match result {
            Ok(()) if count == block.len() => {
                self.copied += block.wanted as u64;
                self.begin(block);
            }
            Ok(()) => self.stop(format!("only {count} bytes were written at {}", block.offset)),
            Err(failure) => self.stop(format!("cannot write DST at {}: {failure}", block.offset)),
        }
    }

    /// Keeps the first reason, and takes back what is on its way.
    fn stop(&mut self, trouble: String) {
        if self.trouble.is_none() {
            self.trouble = Some(trouble);
            // What cannot be cancelled ends by itself.
            let _ = self.source.cancel_all();
            let _ = self.target.cancel_all();
        }
    }
}
