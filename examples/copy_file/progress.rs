//! How far it is, and how fast: a line at the bottom of the terminal, if there is one.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(250);

pub struct Progress {
    total: u64,
    start: Instant,
    shown: Option<Instant>,
    /// How many characters stand there.
    length: usize,
    somebody_looks: bool,
}

impl Progress {
    pub fn new(total: u64) -> Self {
        let somebody_looks = io::stderr().is_terminal();
        Self { total, start: Instant::now(), shown: None, length: 0, somebody_looks }
    }

    /// How long a wait may take, for the line to be true.
    pub fn interval(&self) -> Option<Duration> {
        self.somebody_looks.then_some(INTERVAL)
    }

    pub fn show(&mut self, done: u64) {
        let is_due = self.shown.is_none_or(|last| last.elapsed() >= INTERVAL);
        if self.somebody_looks && is_due {
            self.shown = Some(Instant::now());
            let percent = done as f64 / self.total.max(1) as f64 * 100.0;
            let (done, total) = (mebibytes(done), mebibytes(self.total));
            self.overwrite(&format!(
                "{done:.0} of {total:.0} MiB, {percent:.0} %, {:.0} MiB/s",
                done / self.seconds()
            ));
        }
    }

    /// The last word, for stdout.
    pub fn summary(&self, done: u64) -> String {
        let seconds = self.seconds();
        format!("in {seconds:.3} s, {:.1} MiB/s", mebibytes(done) / seconds)
    }

    fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64().max(0.001)
    }

    /// In one write, for stderr has no buffer; and whether it succeeds is of no consequence.
    fn overwrite(&mut self, text: &str) {
        // Spaces, since not every Windows console understands the sequences that clear a line.
        let line = format!("\r{text:<width$}\r", width = self.length);
        let _ = io::stderr().write_all(line.as_bytes());
        self.length = text.len();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.length > 0 {
            self.overwrite("");
        }
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
