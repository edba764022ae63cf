//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::words::{Request, Words, once};

pub const HELP: &str = "\
Copies a file. Several reads and writes are in flight at a time, all on one completion queue, and
each block is written as soon as it has been read.

    copy_file SRC DST [--in-flight N] [--block SIZE] [--from OFFSET] [--unbuffered] [--overwrite]

    SRC                  the file to copy; its bytes, and not its times and rights
    DST                  the copy, or a folder, in which the copy gets the name of SRC
    --in-flight N        how many blocks are read or written at a time, 1 to 256; 8 if not given
    --block SIZE         how many bytes each has, such as 65536, 64K or 1M, up to 64M; 1M if not
                         given
    --from OFFSET        copies what begins there. In the copy it stands at the same place, and
                         what is before it is zeros; for a copy that is to be gone on with, or tried
    --unbuffered         reads from the disk and writes to it without the system's memory in
                         between; SIZE and OFFSET are multiples of 4096 then
    --overwrite          replaces DST if it is there
    -h, --help           prints this

The copy is written under the name DST.partial, and gets its own name when it is complete. When
something goes wrong, that file is deleted, and what was under the name DST before is still there.

If stderr is a terminal, a line there shows how far it is, and how fast.

Ctrl-C ends it: what is in flight is cancelled and collected, and DST.partial is deleted. A second
Ctrl-C ends it at once, and then DST.partial stays.

Exit status: 0 if the copy is complete, and stdout has been told; 1 if not; 2 if the options make no
sense.
";

/// What sectors and pages of memory have, on every system that this runs on, or a part of it.
pub const SECTOR: u64 = 4096;

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub source: PathBuf,
    pub target: PathBuf,
    pub in_flight: u32,
    pub block: u64,
    pub from: u64,
    pub unbuffered: bool,
    pub overwrite: bool,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let (mut source, mut target) = (None, None);
    let (mut in_flight, mut block, mut from) = (None, None, None);
    let (mut unbuffered, mut overwrite) = (None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--in-flight" => once(&mut in_flight, words.number(1..=256)?, &word)?,
            "--block" => once(&mut block, size(&word, &words.value()?, 1, 64 << 20)?, &word)?,
            "--from" => {
                let most = i64::MAX as u64;
                once(&mut from, size(&word, &words.value()?, 0, most)?, &word)?;
            }
            "--unbuffered" => once(&mut unbuffered, (), &word)?,
            "--overwrite" => once(&mut overwrite, (), &word)?,
            _ if word.starts_with('-') => return Err(format!("there is no option {word:?}")),
            "" => return Err("an argument is empty, and no name of a file".to_string()),
            _ if source.is_none() => source = Some(PathBuf::from(word)),
            _ => once(&mut target, PathBuf::from(word), "DST")?,
        }
    }
    let (Some(source), Some(target)) = (source, target) else {
        return Err("SRC and DST are needed, the file to copy and the copy".to_string());
    };
    let (block, from) = (block.unwrap_or(1 << 20), from.unwrap_or(0));
    let unbuffered = unbuffered.is_some();
    if unbuffered && (block % SECTOR != 0 || from % SECTOR != 0) {
        return Err(format!("with --unbuffered SIZE and OFFSET are multiples of {SECTOR}"));
    }
    Ok(Request::Run(Options {
        source,
        target,
        in_flight: in_flight.unwrap_or(8),
        block,
        from,
        unbuffered,
        overwrite: overwrite.is_some(),
    }))
}

/// A number of bytes, which may end with K, M or G.
fn size(option: &str, text: &str, least: u64, most: u64) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        format!(
            "{option} takes a number of bytes from {least} to {most}, or one with K, M or G, not \
             {text:?}"
        )
    })
}
