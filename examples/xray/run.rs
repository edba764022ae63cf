//! The program, from its arguments to its exit status.

mod arguments;
mod at_once;
mod by_hand;
mod cancelled;
mod dropped;
mod events;
mod forged;
mod layer;
mod pair;
#[path = "../shared/program.rs"]
#[allow(dead_code, reason = "the exit status is a number here, and nothing is counted")]
mod program;
mod scenes;
mod seen;
mod shown;
mod svg;
mod threads;
mod waiting;
#[path = "../shared/words.rs"]
#[allow(dead_code, reason = "there are no addresses and no numbers here")]
mod words;

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::sync::Arc;

use self::arguments::Options;
use self::events::Events;
use self::words::Request;

const NAME: &str = "xray";

/// Ends with 0 if all went well, with 1 if something failed, and with 2 if the command line makes
/// no sense.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let done = match arguments::parse(arguments) {
        Ok(Request::Help) => program::print(arguments::HELP),
        Ok(Request::Run(options)) => show(&options),
        Err(sentence) => {
            program::complain(NAME, &format!("{sentence}; --help explains the options"));
            return 2;
        }
    };
    match done {
        Ok(()) => 0,
        Err(error) => {
            program::complain(NAME, &error.to_string());
            1
        }
    }
}

fn show(options: &Options) -> Result<(), Box<dyn Error>> {
    let events = Arc::new(Events::new());
    for scene in &options.scenes {
        scene.play(&events)?;
    }
    let parts = events.end().map_err(|error| format!("cannot write to stdout: {error}"))?;
    if let Some(file) = &options.svg {
        fs::write(file, svg::timeline(&parts))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(())
}
