//! From bytes as they come to whole lines behind the name of a command.

use std::io::{self, Write};

/// A line that is longer is shown in pieces, so that nobody can make this program keep it all.
const LONGEST: usize = 64 * 1024;

/// What one pipe has brought that is no whole line yet.
pub struct Lines {
    /// The name, aligned with the others, in colour or not.
    prefix: Vec<u8>,
    rest: Vec<u8>,
    /// Whether the destination takes nothing but text.
    is_text: bool,
}

impl Lines {
    pub fn new(prefix: String, is_text: bool) -> Self {
        Self { prefix: prefix.into_bytes(), rest: Vec::new(), is_text }
    }

    /// Takes bytes, and writes the lines that are whole now.
    pub fn take(&mut self, mut bytes: &[u8], to: &mut impl Write) -> io::Result<()> {
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(&bytes[..at]);
            bytes = &bytes[at + 1..];
            self.write(to)?;
        }
        self.rest.extend_from_slice(bytes);
        if self.rest.len() > LONGEST { self.write(to) } else { Ok(()) }
    }

    /// Nothing more comes: what is left is a line.
    pub fn end(&mut self, to: &mut impl Write) -> io::Result<()> {
        if self.rest.is_empty() { Ok(()) } else { self.write(to) }
    }

    /// In one write, so that no line of another comes between.
    fn write(&mut self, to: &mut impl Write) -> io::Result<()> {
        if self.rest.last() == Some(&b'\r') {
            self.rest.pop();
        }
        let mut line = self.prefix.clone();
        if self.is_text {
            line.extend_from_slice(String::from_utf8_lossy(&self.rest).as_bytes());
        } else {
            line.extend_from_slice(&self.rest);
        }
        line.push(b'\n');
        self.rest.clear();
        to.write_all(&line)
    }
}

/// The names of the commands, as they stand before their lines.
pub fn prefixes<'a>(names: impl Iterator<Item = &'a str> + Clone, colour: bool) -> Vec<String> {
    /// Six that can be read on black and on white.
    const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 31];
    let width = names.clone().map(|name| name.chars().count()).max().unwrap_or_default();
    let named = names.zip(COLOURS.iter().cycle());
    named
        .map(|(name, code)| match colour {
            true => format!("\x1b[{code}m{name:<width$} |\x1b[0m "),
            false => format!("{name:<width$} | "),
        })
        .collect()
}
