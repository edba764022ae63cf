//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;

use crate::words::{Request, Words, once};

pub const HELP: &str = "\
A chat on a named pipe: what one types, all others read. One program serves, and any number join,
each from a terminal of its own, on the same machine.

    pipe_chat --serve [NAME] [--until-stdin-ends]
    pipe_chat [NAME] [--as NICK]

    NAME                 the name of the pipe, which becomes \\\\.\\pipe\\NAME; overlapped-chat if not
                         given
    --serve              serves the chat. The first line printed says where. If stderr is a
                         terminal, a line there tells who comes and goes
    --until-stdin-ends   ends when stdin has ended, too, for scripts
    --as NICK            what stands before each of your lines; the name of the user if not given
    -h, --help           prints this

Who has joined types lines, and reads those of the others on stdout. The server says in a line that
begins with a star who comes and goes. A line is one message of the pipe, of 65,536 bytes at the
most. Who does not read for so long that 1000 messages wait for them is sent away.

Ctrl-C ends either; so does the end of stdin for who has joined, when all lines are written. A server
that ends says so to all, and waits up to 2 seconds until they have read it. Who has joined then
ends, too.

Exit status: 0 if it was ended in this way; 1 if something went wrong, such as that nobody serves; 2
if the options make no sense.
";

#[derive(Debug, PartialEq, Eq)]
pub enum Options {
    Serve { name: String, until_stdin_ends: bool },
    Join { name: String, nick: Option<String> },
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let (mut name, mut serve, mut nick, mut until_stdin_ends) = (None, None, None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--serve" => once(&mut serve, (), &word)?,
            "--as" => once(&mut nick, nick_of(words.value()?)?, &word)?,
            "--until-stdin-ends" => once(&mut until_stdin_ends, (), &word)?,
            _ if word.starts_with('-') => return Err(format!("there is no option {word:?}")),
            _ => once(&mut name, word, "NAME")?,
        }
    }
    let name = name.unwrap_or_else(|| "overlapped-chat".to_string());
    Ok(Request::Run(match (serve, nick, until_stdin_ends) {
        (Some(()), None, until) => Options::Serve { name, until_stdin_ends: until.is_some() },
        (Some(()), Some(_), _) => return Err("a server says nothing, so --as is not for it".into()),
        (None, _, Some(())) => {
            return Err("--until-stdin-ends is for --serve; who has joined ends then anyway".into());
        }
        (None, nick, None) => Options::Join { name, nick },
    }))
}

fn nick_of(nick: String) -> Result<String, String> {
    let fits = (1..=32).contains(&nick.chars().count()) && !nick.contains(char::is_control);
    if fits && !nick.starts_with('*') {
        return Ok(nick);
    }
    Err(format!(
        "--as takes a name of 1 to 32 characters that does not begin with a star, not {nick:?}"
    ))
}
