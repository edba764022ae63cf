//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;

use crate::words::{Request, Words, address, once};

pub const HELP: &str = "\
Sends back whatever a client sends, to any number of clients, for ever. A few threads wait on one
completion queue, and each connection has one buffer, which is received into, sent, and received
into again.

    echo_server [ADDR] [--threads N] [--inline] [--until-stdin-ends]

    ADDR                 where to listen, HOST:PORT; 127.0.0.1:7007 if not given. With port 0 the
                         system chooses one. The first line printed says where it is
    --threads N          how many threads serve, up to 256; as many as processors if not given
    --inline             has operations that end at once told at once, without a packet
    --until-stdin-ends   ends when stdin has ended, too, for scripts
    -h, --help           prints this

If stderr is a terminal, a line there counts connections and bytes, each second.

Ctrl-C ends the server. It accepts nobody any more, sends back what it has received, tells each
client that no more will come, and waits until all have closed; those that have not after 2 seconds
are reset. The last line says how many connections and bytes were served. A second Ctrl-C ends it at
once.

Exit status: 0 if it was ended in this way; 1 if something went wrong, such as an address that is in
use; 2 if the options make no sense.
";

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// `HOST:PORT`.
    pub address: String,
    /// `None` for as many as processors.
    pub threads: Option<u32>,
    pub inline: bool,
    pub until_stdin_ends: bool,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let (mut given, mut threads, mut inline, mut until_stdin_ends) = (None, None, None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--threads" => once(&mut threads, words.number(1..=256)?, &word)?,
            "--inline" => once(&mut inline, (), &word)?,
            "--until-stdin-ends" => once(&mut until_stdin_ends, (), &word)?,
            _ if word.starts_with('-') => return Err(format!("there is no option {word:?}")),
            _ => once(&mut given, address("ADDR", word, 0)?, "ADDR")?,
        }
    }
    Ok(Request::Run(Options {
        address: given.unwrap_or_else(|| "127.0.0.1:7007".to_string()),
        threads,
        inline: inline.is_some(),
        until_stdin_ends: until_stdin_ends.is_some(),
    }))
}
