//! The program: from its arguments to its exit status.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::arguments::{self, Options};
use crate::words::Request;
use crate::{NAME, client, program, server};

pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match arguments::parse(arguments) {
        Ok(Request::Help) => program::print(arguments::HELP),
        Ok(Request::Run(Options::Serve { name, until_stdin_ends })) => {
            server::serve(&name, until_stdin_ends)
        }
        Ok(Request::Run(Options::Join { name, nick })) => client::join(&name, nick),
        Err(sentence) => return program::misunderstood(NAME, &sentence),
    };
    program::exit_code(NAME, done)
}
