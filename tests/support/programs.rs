//! Programs that a test starts, most often itself once more, with one test alone.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::process::{Child, Command, Output, Stdio};

use super::spawn::spawned;
use super::support::within_deadline;

/// Starts it. What it prints can be read.
#[track_caller]
pub fn started(command: &mut Command) -> Child {
    spawned(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// Waits for its end, and fails if that does not come.
#[track_caller]
pub fn ended(child: Child) -> Output {
    within_deadline(move || child.wait_with_output().expect("its end"))
}
