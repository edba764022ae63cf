//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;
use std::ops::RangeInclusive;

use crate::words::{Request, Words, address, once};

pub const HELP: &str = "\
Sends numbered datagrams to a server that sends them back, at a steady rate, and tells what became
of them: how many were lost, came twice or out of order, and how long they took.

    udp_load [--target ADDR] [--rate N] [--size BYTES] [--seconds S]

    --target ADDR        the server, HOST:PORT, such as the example udp_echo; if it is not given,
                         the program starts one of its own, on 127.0.0.1
    --rate N             datagrams in a second, up to 100000; 1000 if not given. Fewer go where the
                         system takes no more
    --size BYTES         how long a datagram is, from 24 to 65507; 64 if not given
    --seconds S          for how long, up to 3600; 3 if not given
    -h, --help           prints this

A line each second says what was sent and what came back in it, and the shortest, the middle, the
99th of a hundred, and the longest of the times that they took. The last lines say so for all. What
has not come a second after the last was sent is lost. Times are told to 2 parts of a hundred, the
shortest and the longest exactly.

Ctrl-C ends it before its time, with the last lines. A second Ctrl-C ends it at once.

Exit status: 0 if something came back, though datagrams may have been lost; 1 if nothing did, or if
something went wrong; 2 if the options make no sense.
";

const RATE: RangeInclusive<u32> = 1..=100_000;
const SECONDS: RangeInclusive<u32> = 1..=3_600;
/// From what is written into each to the most that a datagram carries over IPv4.
const SIZE: RangeInclusive<u32> = 24..=65_507;

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// `HOST:PORT`, or `None` for a server of our own.
    pub target: Option<String>,
    pub rate: u32,
    pub size: usize,
    pub seconds: u32,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let (mut target, mut rate, mut size, mut seconds) = (None, None, None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--target" => once(&mut target, address("--target", words.value()?, 1)?, &word)?,
            "--rate" => once(&mut rate, words.number(RATE)?, &word)?,
            "--size" => once(&mut size, words.number(SIZE)?, &word)?,
            "--seconds" => once(&mut seconds, words.number(SECONDS)?, &word)?,
            _ if word.starts_with('-') => return Err(format!("there is no option {word:?}")),
            _ => {
                return Err(format!(
                    "an argument too many: {word:?}; an address is given by --target"
                ));
            }
        }
    }
    Ok(Request::Run(Options {
        target,
        rate: rate.unwrap_or(1_000),
        size: size.unwrap_or(64) as usize,
        seconds: seconds.unwrap_or(3),
    }))
}
