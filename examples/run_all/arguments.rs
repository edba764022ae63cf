//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::words::{Request, Words, once};

pub const HELP: &str = "\
Runs several commands side by side, and shows what they print, line by line, each line behind the
name of its command. When one fails, all others are stopped.

    run_all [--file FILE] [--keep-going] [--colour WHEN] [--until-stdin-ends] [--] [COMMAND ...]

    COMMAND              a command for cmd.exe, as one argument: \"web=python -m http.server\" has the
                         name web. Without NAME= the name is that of the program. Behind -- nothing
                         is taken for an option
    --file FILE          runs the commands in this file, too, a line each: `web: python -m
                         http.server`. Empty lines, and those that begin with #, mean nothing.
                         Without a COMMAND it is the file Procfile, if there is one
    --keep-going         lets the others go on when one fails
    --colour WHEN        colours the names: always, never, or auto, which is if stdout is a terminal
                         that can, and the variable NO_COLOR is not set or empty
    --until-stdin-ends   stops all when stdin has ended, too, for scripts
    -h, --help           prints this

Lines of stdout go to stdout, and those of stderr to stderr. The commands have no stdin. How each has
ended, and after how long, is said on stderr.

All are in one job, with whatever they start, and end when this program does, however it ends. Ctrl-C
is for the commands of the same console as well. Those that have not ended 2 seconds later are
killed, and so are the others at once when one fails.

Exit status: 0 if all commands have ended with 0; 1 if one has failed, if they were stopped, or if
something went wrong; 2 if the options make no sense, or the file is not there or makes none.
";

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// As they were given.
    pub commands: Vec<String>,
    pub file: Option<PathBuf>,
    pub keep_going: bool,
    pub colour: Colour,
    pub until_stdin_ends: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Always,
    Never,
    Auto,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    // What is behind `--` is kept from being read as options.
    let behind = match arguments.iter().position(|argument| argument == "--") {
        Some(at) => arguments.split_off(at).split_off(1),
        None => Vec::new(),
    };
    let mut words = Words::new(arguments);
    let (mut commands, mut file, mut colour) = (Vec::new(), None, None);
    let (mut keep_going, mut until_stdin_ends) = (None, None);
    while let Some(word) = next(&mut words, &mut commands)? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--file" => once(&mut file, words.value()?.into(), &word)?,
            "--keep-going" => once(&mut keep_going, (), &word)?,
            "--colour" | "--color" => once(&mut colour, when(&words.value()?)?, &word)?,
            "--until-stdin-ends" => once(&mut until_stdin_ends, (), &word)?,
            _ => return Err(format!("there is no option {word:?}")),
        }
    }
    for command in behind {
        let text = command.into_string();
        commands.push(text.map_err(|odd| format!("the argument {odd:?} is not Unicode"))?);
    }
    Ok(Request::Run(Options {
        commands,
        file,
        keep_going: keep_going.is_some(),
        colour: colour.unwrap_or(Colour::Auto),
        until_stdin_ends: until_stdin_ends.is_some(),
    }))
}

/// The next option, when the commands before it have been put where they belong.
fn next<I: Iterator<Item = OsString>>(
    words: &mut Words<I>,
    commands: &mut Vec<String>,
) -> Result<Option<String>, String> {
    loop {
        match words.next()? {
            Some(word) if !word.starts_with('-') => commands.push(word),
            option => return Ok(option),
        }
    }
}

fn when(text: &str) -> Result<Colour, String> {
    match text {
        "always" => Ok(Colour::Always),
        "never" => Ok(Colour::Never),
        "auto" => Ok(Colour::Auto),
        _ => Err(format!("--colour takes always, never or auto, not {text:?}")),
    }
}
