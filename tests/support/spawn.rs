//! Processes that a test starts.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// On a busy machine Wine 8 sometimes cannot start a process, and says that by this error.
const ERROR_INTERNAL_ERROR: i32 = 1359;

const DEADLINE: Duration = Duration::from_secs(20);

/// Starts it.
#[track_caller]
pub fn spawned(command: &mut Command) -> Child {
    let start = Instant::now();
    loop {
        match command.spawn() {
            Err(error) if error.raw_os_error() == Some(ERROR_INTERNAL_ERROR) => {
                assert!(start.elapsed() < DEADLINE, "no process in {DEADLINE:?}: {error}");
            }
            child => return child.expect("a process"),
        }
    }
}
