//! What a server counts, and the line in which it says so while it runs.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::program::count;

#[derive(Default)]
pub struct Statistics {
    connections: AtomicU64,
    ended: AtomicU64,
    bytes: AtomicU64,
}

impl Statistics {
    pub fn connection_begins(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub fn connection_ends(&self) {
        self.ended.fetch_add(1, Relaxed);
    }

    pub fn sent(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }
}

/// A line at the bottom of the terminal, written anew each second.
pub struct Line<'a> {
    statistics: &'a Statistics,
    bytes_before: u64,
    /// How many characters stand there.
    shown: usize,
    somebody_looks: bool,
}

impl<'a> Line<'a> {
    pub fn new(statistics: &'a Statistics) -> Self {
        let somebody_looks = io::stderr().is_terminal();
        Self { statistics, bytes_before: 0, shown: 0, somebody_looks }
    }

    /// To be called once a second.
    pub fn update(&mut self) {
        if !self.somebody_looks {
            return;
        }
        let ended = self.statistics.ended.load(Relaxed);
        let connections = self.statistics.connections();
        let bytes = self.statistics.bytes();
        let text = format!(
            "{}, {} open; {}, {} in the last second",
            count(connections, "connection"),
            connections.saturating_sub(ended),
            count(bytes, "byte"),
            bytes - self.bytes_before,
        );
        self.bytes_before = bytes;
        self.overwrite(&text);
    }

    /// In one write, for stderr has no buffer; and whether it succeeds is of no consequence.
    fn overwrite(&mut self, text: &str) {
        // Spaces, since not every Windows console understands the sequences that clear a line.
        let _ =
            io::stderr().write_all(format!("\r{text:<width$}\r", width = self.shown).as_bytes());
        self.shown = text.len();
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if self.shown > 0 {
            self.overwrite("");
        }
    }
}
