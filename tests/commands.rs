//! The commands that README.md and the guide tell a reader to type: each example is there, and knows
//! the options that it is given.

use std::fs;
use std::path::{Path, PathBuf};

fn text_of(path: &Path) -> String {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace('\r', "")
}

/// The files of the folder whose names end so.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.to_string_lossy().ends_with(end)).collect()
}

/// The sources of an example: those of its folder and what all share, or the file that Cargo.toml
/// names.
fn sources_of(example: &str) -> Option<String> {
    let folder = format!("examples/{example}");
    if Path::new(&folder).is_dir() {
        let files = [files(&folder, ".rs"), files("examples/shared", ".rs")].concat();
        return Some(files.iter().map(|file| text_of(file)).collect());
    }
    let manifest = text_of(Path::new("Cargo.toml"));
    let (_, entry) = manifest.split_once(&format!("name = \"{example}\"\n"))?;
    let (_, path) = entry.split_once("path = \"")?;
    Some(text_of(Path::new(path.split_once('"')?.0)))
}

/// The commands of a text, each with the words behind `--example`.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let ends = |rest: &str| rest.find(['\n', '`']).unwrap_or(rest.len());
    let told = text.split("cargo run --example ").skip(1);
    told.map(|rest| rest[..ends(rest)].split_whitespace().collect()).collect()
}

#[test]
fn each_command_runs_an_example_with_options_that_it_knows() {
    let mut texts = files("src/guide", ".md");
    texts.push("README.md".into());
    let mut count = 0;
    for path in &texts {
        let text = text_of(path);
        for command in commands(&text) {
            let example = command[0];
            let sources = sources_of(example)
                .unwrap_or_else(|| panic!("{}: there is no example {example}", path.display()));
            for option in command.iter().filter(|word| word.len() > 2 && word.starts_with("--")) {
                assert!(
                    sources.contains(*option),
                    "{}: {example} does not know {option}",
                    path.display()
                );
            }
            count += 1;
        }
    }
    assert!(count >= 10, "{count} commands");
}
