//! What has happened: printed at once, and kept for the picture.
//!
//! Threads take turns: each says what it is about to do before it lets another go on. So the lines
//! are the same ones each time, although several threads print them.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Who may use the memory of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Program,
    Kernel,
    /// The operation has ended, and rests in the table of the queue until its completion is read.
    Table,
    /// It is freed.
    Nobody,
}

impl Whose {
    pub fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Kernel => "kernel",
            Self::Table => "table",
            Self::Nobody => "nobody",
        }
    }
}

pub struct Event {
    pub thread: String,
    pub whose: Whose,
    pub text: String,
}

/// A part of a scene: who makes the calls, and what happens then.
pub struct Part {
    pub scene: String,
    pub by: &'static str,
    pub events: Vec<Event>,
}

pub struct Events {
    state: Mutex<State>,
}

struct State {
    parts: Vec<Part>,
    /// The first failure to print. An event is also said where a buffer is dropped, which is no
    /// place to return an error.
    written: io::Result<()>,
}

impl State {
    fn print(&mut self, line: &str) {
        if self.written.is_ok() {
            let mut out = io::stdout().lock();
            self.written = writeln!(out, "{}", line.trim_end()).and_then(|()| out.flush());
        }
    }
}

impl Events {
    pub fn new() -> Self {
        Self { state: Mutex::new(State { parts: Vec::new(), written: Ok(()) }) }
    }

    /// Begins a part of a scene.
    pub fn part(&self, scene: &str, by: &'static str) {
        let mut state = self.state();
        match state.parts.last() {
            Some(last) if last.scene == scene => state.print(""),
            Some(_) => state.print(&format!("\n{scene}\n")),
            None => state.print(&format!("{scene}\n")),
        }
        state.print(&line("thread", "whose", by));
        state.parts.push(Part { scene: scene.to_string(), by, events: Vec::new() });
    }

    /// Says what happens on this thread, and whose the memory is from then on.
    pub fn say(&self, whose: Whose, text: impl Into<String>) {
        let thread = thread::current().name().unwrap_or("a thread").to_string();
        let event = Event { thread, whose, text: text.into() };
        let mut state = self.state();
        state.print(&line(&event.thread, whose.name(), &event.text));
        if let Some(part) = state.parts.last_mut() {
            part.events.push(event);
        }
    }

    /// All that has happened, if all of it was printed.
    pub fn end(&self) -> io::Result<Vec<Part>> {
        let mut state = self.state();
        std::mem::replace(&mut state.written, Ok(()))?;
        Ok(std::mem::take(&mut state.parts))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has left the list whole: each change of it is one call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line(thread: &str, whose: &str, text: &str) -> String {
    format!("{thread:<7}{whose:<8}{text}")
}
