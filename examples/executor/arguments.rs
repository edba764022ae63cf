//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;
use std::time::Duration;

use crate::words::{Request, Words, address, once};

pub const HELP: &str = "\
An echo server and its clients, written with async and await on a completion queue. One thread runs
all of it, by an executor of less than 200 lines.

    executor [OPTIONS]                  a server and clients in one process, over the loopback
    executor serve ADDR [OPTIONS]       a server
    executor clients ADDR [OPTIONS]     clients of such a server

    ADDR                 HOST:PORT; to serve at port 0 lets the system choose one. The first line
                         printed by a server says where it is
    --clients N          how many clients, up to 10000; 100 if not given. A server has so many at
                         the same time, and others wait
    --messages N         how many messages each client sends, up to 1000000; 10 if not given
    --size BYTES         how long a message is, up to 1048576; 100 if not given
    --limit SECONDS      how long a server waits for a client that is silent, and a client for its
                         message, up to 3600; 30 if not given
    --until-stdin-ends   has a server end when stdin has ended, too, for scripts
    -h, --help           prints this

A client sends a message, and the next one when all its bytes have come back. The last line says
what became of them.

Ctrl-C ends it: clients stop, and a server accepts nobody any more, tells each client that no more
will come, and waits 2 seconds until all have closed. A second Ctrl-C ends it at once.

Exit status: 0 if all bytes came back, or if it was ended by Ctrl-C; 1 if something went wrong; 2 if
the options make no sense.
";

#[derive(Debug, PartialEq, Eq)]
pub enum Mode {
    Both,
    Serve(String),
    Clients(String),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub mode: Mode,
    pub clients: usize,
    pub messages: u32,
    pub size: usize,
    pub limit: Duration,
    pub until_stdin_ends: bool,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let (mut command, mut place, mut until_stdin_ends) = (None, None, None);
    let (mut clients, mut messages, mut size, mut limit) = (None, None, None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--clients" => once(&mut clients, words.number(1..=10_000)?, &word)?,
            "--messages" => once(&mut messages, words.number(1..=1_000_000)?, &word)?,
            "--size" => once(&mut size, words.number(1..=1_048_576)?, &word)?,
            "--limit" => once(&mut limit, words.number(1..=3_600)?, &word)?,
            "--until-stdin-ends" => once(&mut until_stdin_ends, (), &word)?,
            _ if word.starts_with('-') => return Err(format!("there is no option {word:?}")),
            _ if command.is_none() => once(&mut command, word, "the command")?,
            _ => once(&mut place, word, "ADDR")?,
        }
    }
    let mode = mode(command, place)?;
    if until_stdin_ends.is_some() && !matches!(mode, Mode::Serve(_)) {
        return Err("--until-stdin-ends is for \"serve\"; clients end anyway".to_string());
    }
    if messages.or(size).is_some() && matches!(mode, Mode::Serve(_)) {
        return Err("--messages and --size are for clients; a server takes what comes".to_string());
    }
    Ok(Request::Run(Options {
        mode,
        clients: clients.unwrap_or(100) as usize,
        messages: messages.unwrap_or(10),
        size: size.unwrap_or(100) as usize,
        limit: Duration::from_secs(limit.unwrap_or(30).into()),
        until_stdin_ends: until_stdin_ends.is_some(),
    }))
}

fn mode(command: Option<String>, place: Option<String>) -> Result<Mode, String> {
    match (command.as_deref(), place) {
        (None, _) => Ok(Mode::Both),
        (Some("serve"), Some(place)) => Ok(Mode::Serve(address("ADDR", place, 0)?)),
        (Some("clients"), Some(place)) => Ok(Mode::Clients(address("ADDR", place, 1)?)),
        (Some("serve" | "clients"), None) => Err("ADDR is missing".to_string()),
        (Some(other), _) => {
            Err(format!("there is no command {other:?}, but \"serve\" and \"clients\""))
        }
    }
}
