//! What the program prints: its results on stdout, and on the way a count on stderr if somebody is
//! looking.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::program::count;

pub struct Report {
    /// The widths of the columns.
    key: usize,
    path: usize,
    /// How many characters of progress stand in the last line of the terminal.
    shown: usize,
    somebody_looks: bool,
}

impl Report {
    pub fn new(paths: &[String]) -> Self {
        let path = paths.iter().map(String::len).max().unwrap_or(0).min(40);
        let key = paths.len().saturating_sub(1).to_string().len();
        Self { key, path, shown: 0, somebody_looks: io::stderr().is_terminal() }
    }

    /// One line for one path.
    pub fn answer(
        &mut self,
        key: usize,
        path: &str,
        what: &str,
        after: Duration,
    ) -> io::Result<()> {
        let (key_width, path_width, after) = (self.key, self.path, after.as_millis());
        self.line(&format!("key {key:<key_width$}  {path:<path_width$}  {what}  after {after} ms"))
    }

    /// A line on stdout. `println!` would panic when the reader has gone, as `head` does.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        self.clear();
        writeln!(io::stdout(), "{line}")
    }

    /// A count in the last line of the terminal, until something else is printed there.
    pub fn progress(&mut self, done: usize, all: usize) {
        if self.somebody_looks && done < all {
            let text = format!("{done} of {}", count(all, "response"));
            self.overwrite(&text);
            self.shown = text.len();
        }
    }

    fn clear(&mut self) {
        if self.shown > 0 {
            // Spaces, since not every Windows console understands the sequences for this.
            self.overwrite(&" ".repeat(self.shown));
            self.shown = 0;
        }
    }

    /// In one write, for stderr has no buffer; and whether it succeeds is of no consequence.
    fn overwrite(&self, text: &str) {
        let _ = io::stderr().write_all(format!("\r{text}\r").as_bytes());
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.clear();
    }
}
