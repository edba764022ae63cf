//! Programs that a test starts, most often itself once more, with one test alone.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use super::support::{DEADLINE, within_deadline};

/// On a busy machine Wine 8 sometimes cannot start a process, and says that by this error.
const ERROR_INTERNAL_ERROR: i32 = 1359;

/// Starts it. What it prints can be read.
#[track_caller]
pub fn started(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let begin = Instant::now();
    loop {
        match command.spawn() {
            Err(error) if error.raw_os_error() == Some(ERROR_INTERNAL_ERROR) => {
                assert!(begin.elapsed() < DEADLINE, "no process can be started");
            }
            child => return child.expect("a process"),
        }
    }
}

/// Waits for its end, and fails if that does not come.
#[track_caller]
pub fn ended(child: Child) -> Output {
    within_deadline(move || child.wait_with_output().expect("its end"))
}
