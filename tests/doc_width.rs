//! The blocks of code in the documentation, the guide and README.md can be read on a telephone. It shows
//! 30 columns of a block at a time, and the reader moves the block to see the others.

use std::fs;
use std::path::{Path, PathBuf};

const COLUMNS: usize = 72;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The lines of examples that are shown, with their numbers.
fn shown(text: &str) -> Vec<(usize, &str)> {
    let (mut lines, mut inside) = (Vec::new(), false);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        let Some(line) = line.strip_prefix("///").or(line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        let line = line.strip_prefix(' ').unwrap_or(line);
        if line.starts_with("```") {
            inside = !inside;
        } else if inside && line.trim_start() != "#" && !line.trim_start().starts_with("# ") {
            lines.push((number, line));
        }
    }
    lines
}

/// The chapters, and what is read first.
fn texts() -> Vec<PathBuf> {
    let chapters =
        fs::read_dir("src/guide").expect("the chapters").map(|file| file.unwrap().path());
    let mut texts: Vec<_> =
        chapters.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    assert!(texts.len() > 20, "{texts:?}");
    texts.push("README.md".into());
    texts
}

#[test]
fn lines_of_examples_have_at_most_72_columns() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let (mut seen, mut wide) = (0, Vec::new());
    for file in &files {
        for (number, line) in shown(&fs::read_to_string(file).expect("a source")) {
            seen += 1;
            if line.chars().count() > COLUMNS {
                wide.push(format!("{}:{number}: {line}", file.display()));
            }
        }
    }
    for path in texts() {
        let text = fs::read_to_string(&path).expect("a text");
        let mut inside = false;
        for (number, line) in (1..).zip(text.lines()) {
            inside ^= line.starts_with("```");
            // What begins so is not shown in the documentation.
            if inside && !line.starts_with("# ") && line.chars().count() > COLUMNS {
                wide.push(format!("{}:{number}: {line}", path.display()));
            }
        }
    }
    assert!(seen > 300, "only {seen} lines of examples were found");
    assert!(wide.is_empty(), "wider than {COLUMNS} columns:\n{}", wide.join("\n"));
}
