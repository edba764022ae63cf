//! A process to watch, or to put into a job.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::io;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::spawn::spawned;

/// A process that ends when its input does.
pub struct Idle {
    pub child: Child,
    pub input: Option<ChildStdin>,
}

impl Idle {
    pub fn new() -> io::Result<Self> {
        let mut child = spawned(Command::new("cmd").stdin(Stdio::piped()).stdout(Stdio::null()));
        let input = child.stdin.take();
        Ok(Self { child, input })
    }

    pub fn end(&mut self) -> io::Result<Option<i32>> {
        self.input = None;
        Ok(self.child.wait()?.code())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
