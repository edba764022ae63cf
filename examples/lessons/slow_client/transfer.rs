//! Server and client on one queue, and what is printed about them.

use std::ffi::OsString;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use overlapped::{Completion, CompletionQueue, Completions, Key, Registration};

use super::program::print;
use super::sending::{PIECE, Pattern, Sending};
use super::words::{Request, Words, once};

pub const HELP: &str = "\
Sends many bytes to a client that does not read until nothing moves any more, once without and once
with a limit for the bytes in flight, and says how many were in flight at most.

    lesson_slow_client [--total KIB] [--most KIB]

    --total KIB   how much is sent, from 64 to 1048576; 32768 if not given
    --most KIB    the limit, from 64 to 1048576; 256 if not given
    -h, --help    prints this

Exit status: 0 if all bytes have arrived in order, 1 if something went wrong, 2 if the options make
no sense.
";

/// Nothing has moved for so long: the client does not read, and the system takes no more.
const STANDSTILL: Duration = Duration::from_millis(100);

/// Reads the arguments: how many bytes to send, and how many may be in flight.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Request<(usize, usize)>, String> {
    let mut words = Words::new(arguments);
    let (mut total, mut most) = (None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--total" => once(&mut total, words.number(64..=1 << 20)?, &word)?,
            "--most" => once(&mut most, words.number(64..=1 << 20)?, &word)?,
            _ => return Err(format!("there is no option {word:?}")),
        }
    }
    let bytes = |kib: Option<u32>, otherwise| kib.unwrap_or(otherwise) as usize * 1024;
    Ok(Request::Run((bytes(total, 32 * 1024), bytes(most, 256))))
}

/// The client's side: what has come is compared with what was sent.
struct Receiving {
    stream: Registration<TcpStream>,
    pattern: Pattern,
    received: usize,
}

impl Receiving {
    fn receive(&mut self, mut buffer: Vec<u8>, result: io::Result<usize>) -> io::Result<()> {
        let count = result?;
        if count == 0 || !self.pattern.is_at(self.received, &buffer) {
            return Err(io::Error::other("the stream is not what was sent"));
        }
        self.received += count;
        buffer.clear();
        self.stream.receive(buffer)?;
        Ok(())
    }
}

/// Sends all, to a client that begins to read when nothing moves any more. The answer is how many
/// bytes were in flight at most.
pub fn transfer(total: usize, most: usize) -> io::Result<usize> {
    let queue = CompletionQueue::new()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let stream = queue.register(TcpStream::connect(listener.local_addr()?)?, Key(0))?;
    let mut client = Receiving { stream, pattern: Pattern::new(), received: 0 };
    let mut server = Sending::new(queue.register(listener.accept()?.0, Key(1))?, total, most);
    server.fill()?;

    let (mut batch, mut reads) = (Completions::with_capacity(64), false);
    while client.received < total {
        let patience = if reads { None } else { Some(STANDSTILL) };
        if queue.wait(&mut batch, patience)?.is_empty() && !reads {
            reads = true;
            client.stream.receive(Vec::with_capacity(PIECE))?;
        }
        for completion in batch.by_ref() {
            match completion {
                Completion::Sent { buffer, result, .. } => {
                    server.ended(buffer);
                    result?;
                    server.fill()?;
                }
                Completion::Received { buffer, result, .. } => {
                    client.receive(buffer, result.map_err(io::Error::from))?;
                }
                _ => {}
            }
        }
    }
    Ok(server.peak())
}

/// Both transfers, and a line about each.
pub fn run(total: usize, most: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (all, limit) = (total / 1024, most / 1024);
    let peak = transfer(total, usize::MAX)? / 1024;
    print(&format!("no limit: {peak} KiB in flight at most, {all} KiB arrived in order\n"))?;
    let peak = transfer(total, most)? / 1024;
    print(&format!(
        "limit of {limit} KiB: {peak} KiB in flight at most, {all} KiB arrived in order\n"
    ))
}
