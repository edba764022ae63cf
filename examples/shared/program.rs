//! The frame of a program: its exit status, its sentence if something went wrong, and its end.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// Ends with 0 if all went well, with 1 if something failed, and with 2 if the command line makes
/// no sense.
pub fn exit_code(name: &str, done: Result<(), Box<dyn Error>>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(name, &error.to_string());
            ExitCode::FAILURE
        }
    }
}

pub fn misunderstood(name: &str, sentence: &str) -> ExitCode {
    complain(name, &format!("{sentence}; --help explains the options"));
    ExitCode::from(2)
}

/// A text on stdout. `println!` would panic when the reader has gone, as `head` does.
pub fn print(text: &str) -> Result<(), Box<dyn Error>> {
    let written = io::stdout().write_all(text.as_bytes());
    written.map_err(|error| format!("cannot write to stdout: {error}").into())
}

/// A sentence on stderr. If nobody can read it there, there is nobody else to tell.
pub fn complain(name: &str, sentence: &str) {
    let _ = writeln!(io::stderr(), "{name}: {sentence}");
}

/// "1 byte", "2 bytes", "2 batches".
pub fn count(number: impl Display, noun: &str) -> String {
    match (number.to_string().as_str(), noun) {
        ("1", _) => format!("1 {noun}"),
        (number, _) if noun.ends_with("ch") => format!("{number} {noun}es"),
        (number, _) => format!("{number} {noun}s"),
    }
}
