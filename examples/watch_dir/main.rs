//! Prints what changes in a folder.
//!
//! ```text
//! cargo run --example watch_dir -- DIR                    on Windows
//! ./wine cargo run --example watch_dir -- --help          on Linux
//! ```
//!
//! The files to read are `watch.rs`, an operation that the crate has no method for, and
//! `records.rs`, what it brings.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
#[path = "../shared/ctrl_c.rs"]
mod ctrl_c;
#[cfg(windows)]
#[path = "../shared/program.rs"]
#[allow(dead_code, reason = "nothing is counted here")]
mod program;
#[cfg(windows)]
mod records;
#[cfg(windows)]
mod watch;
#[cfg(windows)]
#[path = "../shared/words.rs"]
#[allow(dead_code, reason = "there are no numbers and addresses here")]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "watch_dir";

#[cfg(windows)]
fn main() -> ExitCode {
    use words::Request;

    let done = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Request::Help) => program::print(arguments::HELP),
        Ok(Request::Run(options)) => run(&options),
        Err(sentence) => return program::misunderstood(NAME, &sentence),
    };
    program::exit_code(NAME, done)
}

#[cfg(windows)]
fn run(options: &arguments::Options) -> Result<(), Box<dyn std::error::Error>> {
    use overlapped::{Completion, CompletionQueue, Completions};
    use program::print;
    use std::time::Duration;
    use watch::Room;

    let (queue, name) = (CompletionQueue::new()?, options.directory.display());
    if !options.directory.is_dir() {
        return Err(format!("there is no folder {name}").into());
    }
    let watch = watch::Watch::new(&queue, &options.directory, options.recursive)?;
    ctrl_c::shuts_down(queue.waker())?;
    watch.go_on(Room::new())?;
    print(&format!("watching {name}\n"))?;

    let (mut lines, mut other) = (records::Lines::default(), Some(Room::new()));
    let mut batch = Completions::with_capacity(4);
    loop {
        // Some systems say nothing when the folder itself is deleted, so it is looked for.
        let mut waited = queue.wait(&mut batch, Some(Duration::from_secs(1)))?.peekable();
        if waited.peek().is_none() {
            lines.left().map_or(Ok(()), |line| print(&format!("{line}\n")))?;
            if !options.directory.is_dir() {
                return Err(format!("{name} is there no more").into());
            }
        }
        for completion in waited {
            let (mut room, count, result) = match completion {
                Completion::Raw { buffer, count, result, .. } => (buffer, count, result),
                Completion::ShutDown => return Ok(()),
                _ => continue,
            };
            result.map_err(|failure| format!("{name} cannot be watched any more: {failure}"))?;
            watch.go_on(other.take().unwrap_or_else(Room::new))?;
            if count == 0 {
                print("lost\n")?;
            }
            for line in lines.of(records::records(room.written(count))) {
                print(&format!("{line}\n"))?;
            }
            other = Some(room);
        }
    }
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "watch_dir: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example watch_dir`"
    );
    ExitCode::from(2)
}
