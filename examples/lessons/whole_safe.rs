//! The program of `whole.rs` on the safe layer, section by section: it prints the same lines.
//!
//! `cargo run --example lesson_whole_safe`, and on Linux with `./wine` before it.

#[cfg(windows)]
#[path = "five.rs"]
mod five;

#[cfg(windows)]
mod program {
    use super::five::{Five, connect};
    use overlapped::{Completion, CompletionQueue, Completions, Failure, Key, Registration};
    use std::io::{ErrorKind, Result};
    use std::{mem::take, net::TcpStream};

    type Streams = Vec<Registration<TcpStream>>;

    fn collect(queue: &CompletionQueue, five: &Five, streams: &Streams) -> Result<()> {
        let mut batch = Completions::with_capacity(8);
        let mut cancelled = 0;
        while queue.in_flight() > 0 {
            for completion in queue.wait(&mut batch, None)? {
                match completion {
                    Completion::Received { result: Ok(0), .. } => {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    Completion::Received { result: Err(Failure::Cancelled), .. } => {
                        cancelled += 1; // its buffer is dropped with it
                    }
                    Completion::Received { key, buffer: mut answer, result, .. } => {
                        result?;
                        if answer.ends_with(b"\n") {
                            let text = String::from_utf8_lossy(&answer);
                            print!("connection {}: {text}", key.0 + 1);
                            answer.clear();
                            let _ = five.read.send(()); // it may have ended
                        }
                        streams[key.0].receive(answer)?;
                    }
                    Completion::Woken => {
                        println!("woken, with {} receives in flight", queue.in_flight());
                        for stream in streams {
                            stream.cancel_all()?;
                        }
                    }
                    _ => {} // a packet of other code
                }
            }
        }
        let left = queue.in_flight();
        println!("{cancelled} receives were cancelled, {left} in flight");
        Ok(())
    }

    pub fn run() -> Result<()> {
        let queue = CompletionQueue::new()?;
        let waker = queue.waker();
        let mut five = connect(move || waker.wake())?;
        let mut streams = Streams::new();
        for (key, stream) in take(&mut five.streams).into_iter().enumerate() {
            let stream = queue.register(stream, Key(key))?;
            stream.receive(Vec::with_capacity(16))?;
            streams.push(stream);
        }
        collect(&queue, &five, &streams)?;
        five.end()
    }
}

/// Prints the answers, and how it has ended.
#[cfg(windows)]
pub(crate) fn main() -> std::io::Result<()> {
    program::run()
}

#[cfg(not(windows))]
pub(crate) fn main() {
    eprintln!("This needs Windows, or Wine, by `./wine cargo run --example lesson_whole_safe`");
    std::process::exit(2);
}
