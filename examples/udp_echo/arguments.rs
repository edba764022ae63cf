//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;

use crate::words::{Request, Words, address, once};

pub const HELP: &str = "\
Sends each datagram back to where it came from, for ever. One thread waits on a completion queue;
64 buffers go round, each received into, sent, and received into again, so that several receives are
always pending.

    udp_echo [--listen ADDR] [--room BYTES] [--until-stdin-ends]

    --listen ADDR        where to listen, HOST:PORT; 127.0.0.1:7007 if not given. With port 0 the
                         system chooses one. The first line printed says where it is
    --room BYTES         how long a datagram may be, from 1 to 65507; 65507 if not given. A longer
                         one is cut by the system; it is counted, and not sent back
    --until-stdin-ends   ends when stdin has ended, too, for scripts
    -h, --help           prints this

If stderr is a terminal, a line there counts datagrams and bytes, each second.

Ctrl-C ends the server. The last line says how many datagrams and bytes were sent back, how many
came cut, and how often receiving or sending one has failed. A second Ctrl-C ends it at once.

Exit status: 0 if it was ended in this way; 1 if something went wrong, such as an address that is in
use; 2 if the options make no sense.
";

/// The most that a datagram carries over IPv4.
const LONGEST: u32 = 65_507;

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// `HOST:PORT`.
    pub address: String,
    pub room: usize,
    pub until_stdin_ends: bool,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let (mut listen, mut room, mut until_stdin_ends) = (None, None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--listen" => once(&mut listen, address("--listen", words.value()?, 0)?, &word)?,
            "--room" => once(&mut room, words.number(1..=LONGEST)?, &word)?,
            "--until-stdin-ends" => once(&mut until_stdin_ends, (), &word)?,
            _ if word.starts_with('-') => return Err(format!("there is no option {word:?}")),
            _ => {
                return Err(format!(
                    "an argument too many: {word:?}; an address is given by --listen"
                ));
            }
        }
    }
    Ok(Request::Run(Options {
        address: listen.unwrap_or_else(|| "127.0.0.1:7007".to_string()),
        room: room.unwrap_or(LONGEST) as usize,
        until_stdin_ends: until_stdin_ends.is_some(),
    }))
}
