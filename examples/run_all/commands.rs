//! The commands: from arguments, and from a file of the kind that is known as Procfile.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use crate::arguments::Options;

/// The file that is looked for when nothing is given.
const FILE: &str = "Procfile";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// No two have the same.
    pub name: String,
    /// For the shell.
    pub line: String,
}

/// All that were asked for. The error is a sentence for whoever has written them.
pub fn all(options: &Options) -> Result<Vec<Command>, String> {
    let mut commands = Vec::new();
    for text in &options.commands {
        commands.push(of_argument(text)?);
    }
    match &options.file {
        Some(file) => {
            let text = fs::read_to_string(file)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            commands.extend(of_file(file, &text)?);
        }
        None if commands.is_empty() => match fs::read_to_string(FILE) {
            Ok(text) => commands.extend(of_file(Path::new(FILE), &text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err("there is no COMMAND, and no file Procfile here".to_string());
            }
            Err(error) => return Err(format!("cannot read {FILE}: {error}")),
        },
        None => {}
    }
    if commands.is_empty() {
        return Err("there is no command in the file".to_string());
    }
    number(&mut commands);
    Ok(commands)
}

/// `NAME=COMMAND`, or a command alone, which is named by its program.
fn of_argument(text: &str) -> Result<Command, String> {
    let (name, line) = match text.split_once('=') {
        Some((name, line)) if is_name(name) => (name.to_string(), line.trim()),
        _ => (program_of(text), text.trim()),
    };
    if line.is_empty() {
        return Err(format!("there is no command in {text:?}"));
    }
    Ok(Command { name, line: line.to_string() })
}

/// Lines of `name: command`.
fn of_file(file: &Path, text: &str) -> Result<Vec<Command>, String> {
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, text)| match text.split_once(':') {
            Some((name, line)) if is_name(name) && !line.trim().is_empty() => {
                Ok(Command { name: name.to_string(), line: line.trim().to_string() })
            }
            _ => {
                Err(format!("line {number} of {} is not `name: command`: {text:?}", file.display()))
            }
        })
        .collect()
}

fn is_name(text: &str) -> bool {
    let sensible = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    !text.is_empty() && text.chars().all(sensible)
}

/// `python` for `"C:\Program Files\python.exe" -m http.server`.
fn program_of(line: &str) -> String {
    let line = line.trim();
    let program = match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => line.split_whitespace().next(),
    };
    let program = program.unwrap_or_default();
    let file = program.rsplit(['\\', '/']).next().unwrap_or_default();
    let name = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    if name.is_empty() { "command".to_string() } else { name.to_string() }
}

/// Tells those of the same name apart: ping, ping-2, ping-3.
fn number(commands: &mut [Command]) {
    let mut taken = HashSet::new();
    for command in commands {
        let (base, mut next) = (command.name.clone(), 2);
        while !taken.insert(command.name.clone()) {
            command.name = format!("{base}-{next}");
            next += 1;
        }
    }
}
