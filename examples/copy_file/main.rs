//! Copies a file, with several reads and writes in flight.
//!
//! ```text
//! cargo run --example copy_file -- SRC DST                  on Windows
//! ./wine cargo run --example copy_file -- --help            on Linux
//! ```
//!
//! The files to read are `copy.rs`, what happens to a block, and `block.rs`, a buffer of pages.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
mod block;
#[cfg(windows)]
mod copy;
#[cfg(windows)]
#[path = "../shared/ctrl_c.rs"]
mod ctrl_c;
#[cfg(windows)]
mod names;
#[cfg(windows)]
#[path = "../shared/program.rs"]
mod program;
#[cfg(windows)]
mod progress;
#[cfg(windows)]
mod sparse;
#[cfg(windows)]
#[path = "../shared/words.rs"]
#[allow(dead_code, reason = "there are no addresses here")]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "copy_file";

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
    use names::Target;
    use program::count;

    let target = Target::of(options)?;
    let (source, metadata) = names::open_source(options)?;
    let length = metadata.len();
    let part = names::part(options, length, &options.source)?;
    let sparse = names::is_sparse(&metadata) || part.start > 0;

    let queue = overlapped::CompletionQueue::new()?;
    ctrl_c::shuts_down(queue.waker())?;
    let file = target.create(options, length, sparse)?;
    let mut progress = progress::Progress::new(part.end - part.start);
    let copied = copy_all(&queue, (source, file), part, options, &mut progress);
    let ended = copied.and_then(|copied| target.finish(length).map(|()| copied));
    let copied = ended.map_err(|trouble| match target.give_up() {
        None => format!("{trouble}; there is no copy"),
        Some(left) => format!("{trouble}; there is no copy, but {left}"),
    })?;
    let summary = progress.summary(copied);
    drop(progress);
    program::print(&format!("copied {} {summary}\n", count(copied, "byte")))
}

/// Returns how many bytes were copied. Both files are closed then.
#[cfg(windows)]
fn copy_all(
    queue: &overlapped::CompletionQueue<block::Block>,
    (source, target): (std::fs::File, std::fs::File),
    part: std::ops::Range<u64>,
    options: &arguments::Options,
    progress: &mut progress::Progress,
) -> Result<u64, String> {
    let copy = copy::Copy::new(queue, source, target, part, options.block, options.unbuffered);
    let mut copy = copy.map_err(|error| error.to_string())?;
    copy.run(queue, options.in_flight, progress)?;
    Ok(copy.copied)
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "copy_file: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example copy_file`"
    );
    ExitCode::from(2)
}
