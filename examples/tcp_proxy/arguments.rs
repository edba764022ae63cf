//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;

use crate::words::{Request, Words, address, once};

pub const HELP: &str = "\
Forwards TCP connections in both directions: each client that connects to LISTEN gets a connection
of its own to UPSTREAM. A few threads wait on one completion queue, and each direction has one
buffer, which is received into, sent, and received into again. So whoever receives slowly slows the
sender down, and nothing piles up in between.

    tcp_proxy LISTEN UPSTREAM [--threads N] [--until-stdin-ends]

    LISTEN               where to listen, HOST:PORT. With port 0 the system chooses one. The first
                         line printed says where it is
    UPSTREAM             where to forward to, HOST:PORT. A host name is looked up once, at the
                         start; if it has several addresses, each connection tries them in turn
    --threads N          how many threads serve, up to 256; as many as processors if not given
    --until-stdin-ends   ends when stdin has ended, too, for scripts
    -h, --help           prints this

The end of a stream is passed on when all before it has been sent, and the other direction goes on.
A reset, or any other failure of one side, resets the other. If UPSTREAM cannot be connected to,
which on Windows takes two seconds to learn if it refuses, the client is reset.

If stderr is a terminal, a line there counts connections and bytes, each second.

Ctrl-C ends the proxy. It accepts nobody any more, sends on what it has received, tells both sides
that no more will come, and waits until they have closed; those that have not after 2 seconds are
reset. The last line says how many connections and bytes were served. A second Ctrl-C ends it at
once.

Exit status: 0 if it was ended in this way; 1 if something went wrong, such as an address that is in
use; 2 if the options make no sense.
";

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// `HOST:PORT`.
    pub listen: String,
    /// `HOST:PORT`.
    pub upstream: String,
    /// `None` for as many as processors.
    pub threads: Option<u32>,
    pub until_stdin_ends: bool,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let (mut listen, mut upstream) = (None, None);
    let (mut threads, mut until_stdin_ends) = (None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--threads" => once(&mut threads, words.number(1..=256)?, &word)?,
            "--until-stdin-ends" => once(&mut until_stdin_ends, (), &word)?,
            _ if word.starts_with('-') => return Err(format!("there is no option {word:?}")),
            _ if listen.is_none() => listen = Some(address("LISTEN", word, 0)?),
            _ if upstream.is_none() => upstream = Some(address("UPSTREAM", word, 1)?),
            _ => return Err(format!("there is no use for {word:?}")),
        }
    }
    Ok(Request::Run(Options {
        listen: listen.ok_or("LISTEN and UPSTREAM are missing")?,
        upstream: upstream.ok_or("UPSTREAM is missing")?,
        threads,
        until_stdin_ends: until_stdin_ends.is_some(),
    }))
}
