//! Who joins: a keyboard and a pipe in one loop.
//!
//! Reading from a keyboard cannot be overlapped, so a thread does it, and wakes the queue for each
//! line.

use std::error::Error;
use std::io::{self, BufRead, ErrorKind};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{
    Completion, CompletionQueue, Completions, Content, Key, NamedPipe, PipeOptions, Registration,
    Waker,
};

use crate::ctrl_c;
use crate::program::print;
use crate::server::LONGEST;

/// For how long it is tried to join while the server is busy with others.
const BUSY: Duration = Duration::from_secs(10);

pub fn join(name: &str, nick: Option<String>) -> Result<(), Box<dyn Error>> {
    let nick = nick.or_else(|| std::env::var("USERNAME").ok()).unwrap_or_else(|| "guest".into());
    let queue = CompletionQueue::new()?;
    let pipe = queue.register(open(name)?, Key(0))?;
    ctrl_c::shuts_down(queue.waker())?;
    let lines = lines_of_stdin(nick, queue.waker())?;
    pipe.read(Vec::with_capacity(4_096))?;
    Chat { pipe, lines, unwritten: 0, typing: true }.run(&queue)
}

/// Opens the pipe. Between two who come at the same moment the server is busy for a little while.
fn open(name: &str) -> io::Result<NamedPipe> {
    let (options, start) = (PipeOptions::new().messages(), Instant::now());
    loop {
        match NamedPipe::client(name, &options) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy && start.elapsed() < BUSY => {
                // Nothing else is to be done meanwhile, so this may hold the thread up.
                NamedPipe::wait(name, BUSY.saturating_sub(start.elapsed()))?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let advice = format!("{error}; start it with `pipe_chat --serve`");
                return Err(io::Error::new(error.kind(), advice));
            }
            opened => return opened,
        }
    }
}

/// The lines of stdin, ready to be sent, and then the end.
fn lines_of_stdin(nick: String, waker: Waker) -> io::Result<Receiver<Vec<u8>>> {
    let (sender, receiver) = channel();
    let read = move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut line = format!("{nick}: ").into_bytes();
            let start = line.len();
            // An error is an end, too.
            if stdin.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                break;
            }
            while line.len() > start && matches!(line.last(), Some(b'\n' | b'\r')) {
                line.pop();
            }
            line.truncate(LONGEST);
            if sender.send(line).is_err() || waker.wake().is_err() {
                return;
            }
        }
        drop(sender);
        // It fails if there is no memory for a packet, and then there is still Ctrl-C.
        let _ = waker.wake();
    };
    // It is not joined: if the program ends otherwise, stdin may stay open.
    thread::Builder::new().name("stdin".to_string()).spawn(read)?;
    Ok(receiver)
}

struct Chat {
    pipe: Registration<NamedPipe>,
    lines: Receiver<Vec<u8>>,
    /// How many lines are on their way.
    unwritten: usize,
    /// Whether more can come from stdin.
    typing: bool,
}

impl Chat {
    fn run(mut self, queue: &CompletionQueue) -> Result<(), Box<dyn Error>> {
        let mut batch = Completions::with_capacity(16);
        while self.typing || self.unwritten > 0 {
            for completion in queue.wait(&mut batch, None)? {
                match completion {
                    Completion::Woken => self.send_lines()?,
                    Completion::Written { result, .. } => {
                        result?;
                        self.unwritten -= 1;
                    }
                    Completion::Read { buffer, result, .. } => {
                        let goes_on = self.show(buffer, result?)?;
                        if !goes_on {
                            return Ok(()); // the server has ended
                        }
                    }
                    Completion::ShutDown => return Ok(()),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn send_lines(&mut self) -> io::Result<()> {
        loop {
            match self.lines.try_recv() {
                Ok(line) => {
                    self.pipe.write(line)?;
                    self.unwritten += 1;
                }
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => {
                    self.typing = false;
                    return Ok(());
                }
            }
        }
    }

    /// Prints a message when it is whole, and reads on; says whether there is more to come.
    fn show(&self, mut buffer: Vec<u8>, content: Content) -> Result<bool, Box<dyn Error>> {
        match content {
            Content::End => return Ok(false),
            Content::Part(_) => buffer.reserve(buffer.len()),
            _ => {
                print(&format!("{}\n", String::from_utf8_lossy(&buffer)))?;
                buffer.clear();
            }
        }
        self.pipe.read(buffer)?;
        Ok(true)
    }
}
