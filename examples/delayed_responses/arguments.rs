//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::words::{Request, Words, address, once};

pub const HELP: &str = "\
Asks an HTTP server for several paths at once, over a connection for each, and prints every response
when it is complete. A single thread receives them all: it lends each connection's buffer to the
kernel, and sleeps in one completion queue until some of them come back. So the lines come in the
order of completion, not in that of asking. In the end a second thread wakes the queue and shuts it
down.

    delayed_responses [--delays A,B,C | --connections N] [--timeout SECONDS]
    delayed_responses --connect HOST:PORT [--path PATH]... [--timeout SECONDS]

Without --connect the program starts a server of its own on 127.0.0.1, which answers
GET /DELAY_MS/NAME after that many milliseconds.

    --delays A,B,C       a connection for each of these delays, in milliseconds, up to 3600000
    --connections N      N connections, up to 1000, whose delays fall evenly from 1000 ms; 5 if
                         neither this nor --delays is given
    --connect HOST:PORT  asks this HTTP/1.1 server instead
    --path PATH          what to ask it for, / if not given; may be repeated, for a connection each
    --timeout SECONDS    when to give up, counted from the start, up to 86400; 30 if not given
    -h, --help           prints this

A line has the key of the connection, the path, the status line of the response, the length of its
body, and the time since the start. A response with an error status, such as 404, is a response.

Exit status: 0 if all responses are complete; 1 if one is missing or failed, or if something else
went wrong; 2 if the options make no sense.
";

const DELAY: RangeInclusive<u32> = 0..=3_600_000;
const CONNECTIONS: RangeInclusive<u32> = 1..=1000;
const TIMEOUT: RangeInclusive<u32> = 1..=86_400;

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// `HOST:PORT`, or `None` for a server of our own.
    pub server: Option<String>,
    /// At least one, each for a connection.
    pub paths: Vec<String>,
    pub timeout: Duration,
}

/// What was given, each option by itself.
#[derive(Default)]
struct Given {
    delays: Option<Vec<u32>>,
    connections: Option<u32>,
    connect: Option<String>,
    paths: Vec<String>,
    timeout: Option<u32>,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let mut given = Given::default();
    while let Some(option) = words.next()? {
        match option.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--delays" => once(&mut given.delays, delays(&words.value()?)?, &option)?,
            "--connections" => {
                once(&mut given.connections, words.number(CONNECTIONS)?, &option)?;
            }
            "--connect" => once(&mut given.connect, server(words.value()?)?, &option)?,
            "--path" => given.paths.push(path(words.value()?)?),
            "--timeout" => once(&mut given.timeout, words.number(TIMEOUT)?, &option)?,
            _ => return Err(format!("there is no option {option:?}")),
        }
    }
    given.options().map(Request::Run)
}

impl Given {
    /// What the options mean together.
    fn options(self) -> Result<Options, String> {
        let paths = match (&self.connect, self.delays, self.connections) {
            (_, Some(_), Some(_)) => Err("--delays and --connections exclude each other"),
            (Some(_), Some(_), None) => Err("--delays is not for a server given with --connect"),
            (Some(_), None, Some(_)) => Err("--connect takes a --path for each connection"),
            (None, ..) if !self.paths.is_empty() => Err("--path needs a --connect HOST:PORT"),
            (Some(_), None, None) if self.paths.is_empty() => Ok(vec!["/".to_string()]),
            (Some(_), None, None) => Ok(self.paths),
            (None, Some(delays), None) => Ok(delayed(delays)),
            (None, None, number) => Ok(delayed(falling(number.unwrap_or(5)))),
        }?;
        if paths.len() > *CONNECTIONS.end() as usize {
            return Err(format!("there are more than {} connections", CONNECTIONS.end()));
        }
        let timeout = Duration::from_secs(self.timeout.unwrap_or(30).into());
        Ok(Options { server: self.connect, paths, timeout })
    }
}

fn delays(text: &str) -> Result<Vec<u32>, String> {
    let delay = |text: &str| text.parse().ok().filter(|delay| DELAY.contains(delay));
    let delays = text.split(',').map(delay).collect::<Option<_>>();
    delays.ok_or_else(|| {
        let (start, end) = (DELAY.start(), DELAY.end());
        format!("--delays takes numbers from {start} to {end} with commas between, not {text:?}")
    })
}

/// `HOST:PORT`, and nothing that could end the line in which it is sent.
fn server(text: String) -> Result<String, String> {
    address("--connect", text, 1)
}

fn path(text: String) -> Result<String, String> {
    if text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(text);
    }
    Err(format!("--path takes a path that begins with / and has no spaces, not {text:?}"))
}

/// Delays that fall evenly from a second.
fn falling(number: u32) -> Vec<u32> {
    (1..=number).rev().map(|n| 1000 * n / number).collect()
}

fn delayed(delays: Vec<u32>) -> Vec<String> {
    let named = |(number, delay)| format!("/{delay}/{}", name(number));
    delays.into_iter().enumerate().map(named).collect()
}

/// a, b, ... z, aa, ab, ...: as the columns of a table are named.
fn name(number: usize) -> String {
    let letter = char::from(b'a' + (number % 26) as u8);
    match number / 26 {
        0 => letter.to_string(),
        others => name(others - 1) + &letter.to_string(),
    }
}
