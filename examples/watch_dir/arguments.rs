//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::words::{Request, Words, once};

pub const HELP: &str = "\
Prints what changes in a folder, a line for each change, until Ctrl-C.

    watch_dir [DIR] [--recursive]

    DIR            the folder to watch; the current one if not given
    --recursive    watches the folders in it, too
    -h, --help     prints this

A line is one of these, with names as they are seen from DIR:

    added    NAME
    removed  NAME
    changed  NAME            it was written to, or its length or times are others
    renamed  OLD -> NEW
    lost                     more has changed than the system could keep: look at DIR again

The first line says that watching has begun. What changes from then on is told; when many things
change at once, the system may tell one of them several times. Do not let stdout go to a file in
DIR, for each line would be a change of that file.

Exit status: 0 if Ctrl-C has ended it; 1 if something went wrong, such as a DIR that is deleted
while it is watched; 2 if the options make no sense.
";

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub directory: PathBuf,
    pub recursive: bool,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let (mut directory, mut recursive) = (None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--recursive" => once(&mut recursive, (), &word)?,
            "" => return Err("an argument is empty, and no name of a folder".to_string()),
            _ if word.starts_with('-') => return Err(format!("there is no option {word:?}")),
            _ => once(&mut directory, PathBuf::from(word), "DIR")?,
        }
    }
    let directory = directory.unwrap_or_else(|| PathBuf::from("."));
    Ok(Request::Run(Options { directory, recursive: recursive.is_some() }))
}
