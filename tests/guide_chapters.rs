//! What each chapter of the guide has: a program that runs, the test that would catch its mistake,
//! Microsoft's page, and no more than can be read in ten minutes.

use std::fs;
use std::path::Path;

fn text_of(path: &Path) -> String {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace('\r', "")
}

fn chapters() -> Vec<(String, String)> {
    let guide = text_of(Path::new("src/guide.rs"));
    let (_, list) = guide.split_once("chapters! {\n").expect("the list of chapters");
    let lines = list.lines().filter_map(|line| line.strip_suffix(';'));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .map(|name| (name.to_string(), text_of(Path::new(&format!("src/guide/{name}.md")))))
        .collect()
}

/// The text without its programs, and the opening lines of these.
fn prose_and_programs(text: &str) -> (String, Vec<&str>) {
    let (mut prose, mut programs, mut inside) = (String::new(), Vec::new(), false);
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            inside = !inside;
            if inside {
                programs.push(kind);
            }
        } else if !inside {
            prose += line;
            prose.push('\n');
        }
    }
    (prose, programs)
}

/// Whether there is such a function in the file, or in one of the folder.
fn has_function(path: &Path, name: &str) -> bool {
    if path.is_dir() {
        let mut files =
            fs::read_dir(path).expect("a folder of tests").map(|file| file.unwrap().path());
        return files.any(|file| has_function(&file, name));
    }
    path.extension().is_some_and(|end| end == "rs")
        && text_of(path).contains(&format!("fn {name}("))
}

/// The tests that a text names, as "`function` in `tests/file.rs`".
fn tests_named(prose: &str) -> Vec<(String, String)> {
    let flat = prose.split_whitespace().collect::<Vec<_>>().join(" ");
    let places: Vec<_> = flat.match_indices("` in `tests/").map(|(at, _)| at).collect();
    let test_at = |at: usize| {
        let function = flat[..at].rsplit('`').next()?;
        let file = flat[at + "` in `".len()..].split('`').next()?;
        Some((function.to_string(), file.to_string()))
    };
    places.into_iter().filter_map(test_at).collect()
}

#[test]
fn each_chapter_has_a_program_a_test_and_a_page_of_microsofts() {
    let mut missing = Vec::new();
    for (name, text) in chapters() {
        let (prose, programs) = prose_and_programs(&text);
        let tests = tests_named(&prose);
        for (function, file) in &tests {
            if !has_function(Path::new(file), function) {
                missing.push(format!("{name}.md names {function} in {file}, which is not there"));
            }
        }
        let mut wants = |there: bool, what: &str| {
            if !there {
                missing.push(format!("{name}.md has no {what}"));
            }
        };
        let runs = |kind: &&str| matches!(*kind, "rust" | "compile_fail" | "rust,should_panic");
        wants(programs.iter().any(runs) || prose.contains("cargo run --example"), "program");
        wants(!tests.is_empty(), "test, as \"`function` in `tests/file.rs`\"");
        wants(prose.contains("https://learn.microsoft.com/"), "page of Microsoft's");
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// A part is a heading of src/guide.rs, and its exercises stand in the last of its chapters.
#[test]
fn each_part_ends_with_exercises_and_each_exercise_is_told() {
    let guide = text_of(Path::new("src/guide.rs"));
    let parts = guide.split("\n//! # ").skip(1).map(|part| {
        let (_, rest) = part.rsplit_once("](").expect("a list of chapters");
        rest.split_once(')').expect("the name of a chapter").0
    });
    let mut told = Vec::new();
    for chapter in parts {
        let text = text_of(Path::new(&format!("src/guide/{chapter}.md")));
        let (_, exercises) = text
            .split_once("\n# Exercises\n")
            .unwrap_or_else(|| panic!("{chapter}.md ends a part, and has no exercises"));
        let exercises = tests_named(exercises);
        assert!(exercises.len() >= 3, "{chapter}.md has {} exercises", exercises.len());
        told.extend(exercises.into_iter().map(|(function, _)| function));
    }
    for file in fs::read_dir("tests/exercises").expect("the exercises") {
        let text = text_of(&file.expect("a file").path());
        for test in text.split("#[test]\nfn ").skip(1) {
            let name = test.split_once('(').expect("a function").0;
            assert!(told.iter().any(|function| function == name), "no chapter tells of {name}");
        }
    }
    assert!(told.len() >= 20, "{} exercises", told.len());
}

/// Who reads slowly reads 200 words in a minute.
#[test]
fn no_chapter_takes_longer_than_ten_minutes() {
    for (name, text) in chapters() {
        let words = prose_and_programs(&text).0.split_whitespace().count();
        assert!((150..=2_000).contains(&words), "{name}.md has {words} words");
    }
}

/// A block without a language would be a program to rustdoc, and `ignore` would hide one from it.
#[test]
fn each_block_of_code_says_what_it_is() {
    let allowed = ["rust", "rust,no_run", "rust,should_panic", "text", "sh", "console"];
    for (name, text) in chapters() {
        for kind in prose_and_programs(&text).1 {
            let compiled = allowed.contains(&kind) || kind.starts_with("compile_fail");
            assert!(compiled, "{name}.md has a block of the kind {kind:?}");
        }
    }
}
