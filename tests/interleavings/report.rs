//! What is said about an execution that has failed.

use std::any::Any;
use std::fmt;
use std::panic::Location;

/// A step, for whoever reads how it came to a failure.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub thread: usize,
    pub what: &'static str,
    pub place: &'static Location<'static>,
}

/// An execution that has failed.
#[derive(Debug)]
pub struct Failure {
    pub what: String,
    pub trace: Vec<Step>,
}

impl Failure {
    pub fn schedule(&self) -> Vec<usize> {
        self.trace.iter().map(|step| step.thread).collect()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        for Step { thread, what, place } in &self.trace {
            writeln!(f, "  thread {thread}: {what} in {}", short(place))?;
        }
        Ok(())
    }
}

/// The place, without the way from here to it.
pub fn short(place: &Location<'_>) -> String {
    let file = place.file().rsplit("../").next().unwrap_or_default();
    format!("{file}:{}", place.line())
}

/// What a panic has said.
pub fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref().cloned()).unwrap_or_else(|| "without a word".to_owned())
}
