//! The records that the system writes, one for each change: `FILE_NOTIFY_INFORMATION`.
//!
//! ```text
//!   0  how far it is from here to the next record, 0 in the last one
//!   4  what has happened
//!   8  how many bytes the name has
//!   12 the name, in UTF-16, without a 0 at its end
//! ```
//!
//! Microsoft says that records begin at multiples of 4. Those of Wine do not always, so the numbers
//! are read byte by byte. What is said of lengths is not believed, either: a record that reaches
//! beyond the bytes is the end.

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub action: u32,
    pub name: String,
}

/// The records in these bytes.
pub fn records(mut bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some((record, next)) = first(bytes) {
        records.push(record);
        if next == 0 {
            break;
        }
        bytes = bytes.get(next..).unwrap_or_default();
    }
    records
}

/// The record at the beginning, and where the next one is.
fn first(bytes: &[u8]) -> Option<(Record, usize)> {
    let number = |at: usize| {
        let four = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(four))
    };
    let (next, action, length) = (number(0)? as usize, number(4)?, number(8)? as usize);
    let name = bytes.get(12..)?.get(..length)?;
    let name: Vec<u16> =
        name.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
    Some((Record { action, name: String::from_utf16_lossy(&name) }, next))
}

// From winnt.h.
pub const ADDED: u32 = 1;
pub const REMOVED: u32 = 2;
pub const MODIFIED: u32 = 3;
pub const OLD_NAME: u32 = 4;
pub const NEW_NAME: u32 = 5;

/// Turns records into lines. A rename is two records, and the second may come in the next bytes.
#[derive(Default)]
pub struct Lines {
    old_name: Option<String>,
}

impl Lines {
    /// The lines for these records.
    pub fn of(&mut self, records: Vec<Record>) -> Vec<String> {
        let mut lines = Vec::new();
        for Record { action, name } in records {
            if action == NEW_NAME {
                lines.push(match self.old_name.take() {
                    Some(old) => format!("renamed  {old} -> {name}"),
                    None => format!("added    {name}"),
                });
                continue;
            }
            lines.extend(self.left());
            match action {
                ADDED => lines.push(format!("added    {name}")),
                REMOVED => lines.push(format!("removed  {name}")),
                MODIFIED => lines.push(format!("changed  {name}")),
                OLD_NAME => self.old_name = Some(name),
                _ => lines.push(format!("changed  {name} (in a way with the number {action})")),
            }
        }
        lines
    }

    /// The line for an old name to which no new one has come: it has one outside of what is
    /// watched.
    pub fn left(&mut self) -> Option<String> {
        self.old_name.take().map(|name| format!("removed  {name}"))
    }
}
