//! The parts of the example `executor` that need no Windows: what its options mean, how long its
//! executor is, and where the chapter that explains it says that things stand.

#[path = "../examples/executor/arguments.rs"]
mod arguments;
#[path = "../examples/shared/words.rs"]
mod words;

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use arguments::{HELP, Mode, Options};
use words::Request;

const FOLDER: &str = "examples/executor";
const EXECUTOR: &str = "examples/executor/executor.rs";
const OPERATIONS: &str = "examples/executor/operations.rs";

fn text_of(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}")).replace('\r', "")
}

fn parse(line: &str) -> Result<Request<Options>, String> {
    arguments::parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
}

/// What is meant if only this is said.
fn options(mode: Mode) -> Options {
    let limit = Duration::from_secs(30);
    Options { mode, clients: 100, messages: 10, size: 100, limit, until_stdin_ends: false }
}

#[test]
fn the_options_mean_what_the_help_says() {
    let serve = |place: &str| options(Mode::Serve(place.to_string()));
    let clients = |place: &str| options(Mode::Clients(place.to_string()));
    for (line, meant) in [
        ("", options(Mode::Both)),
        (
            "--clients 1 --size=1048576",
            Options { clients: 1, size: 1 << 20, ..options(Mode::Both) },
        ),
        ("serve 127.0.0.1:0", serve("127.0.0.1:0")),
        ("--limit 1 serve a:1", Options { limit: Duration::from_secs(1), ..serve("a:1") }),
        (
            "serve [::1]:7 --until-stdin-ends",
            Options { until_stdin_ends: true, ..serve("[::1]:7") },
        ),
        ("clients a:1 --messages 7", Options { messages: 7, ..clients("a:1") }),
    ] {
        assert_eq!(parse(line), Ok(Request::Run(meant)), "{line}");
    }
    for line in ["-h", "--help", "serve --help --nonsense"] {
        assert_eq!(parse(line), Ok(Request::Help), "{line}");
    }
    for option in ["ADDR", "--clients", "--messages", "--size", "--limit", "--until-stdin-ends"] {
        assert!(HELP.contains(&format!("    {option}")), "{option}");
    }
    assert!(HELP.lines().all(|line| line.len() <= 100));
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    for (line, words) in [
        ("serve", "ADDR is missing"),
        ("clients", "ADDR is missing"),
        ("clients a:0", "ADDR is HOST:PORT"),
        ("serve 7007", "ADDR is HOST:PORT"),
        ("serve a:1 b:1", "ADDR is given twice"),
        ("listen a:1", "no command \"listen\""),
        ("a:1", "no command \"a:1\""),
        ("--threads 3", "no option \"--threads\""),
        ("--clients 0", "from 1 to 10000"),
        ("--messages x", "from 1 to 1000000"),
        ("--size 1048577", "from 1 to 1048576"),
        ("--limit 3601", "from 1 to 3600"),
        ("--limit", "lacks a value"),
        ("--size 1 --size 1", "--size is given twice"),
        ("--until-stdin-ends", "is for \"serve\""),
        ("clients a:1 --until-stdin-ends", "is for \"serve\""),
        ("serve a:1 --size 3", "are for clients"),
        ("serve a:1 --messages 3", "are for clients"),
    ] {
        let sentence = parse(line).expect_err(line);
        assert!(sentence.contains(words) && !sentence.contains('\n'), "{line}: {sentence}");
    }
}

/// Tasks, timers, and what they do with sockets. Comments are free.
#[test]
fn the_executor_and_its_operations_have_200_lines_of_code_at_most() {
    let code = [EXECUTOR, OPERATIONS].map(text_of).concat();
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
    let lines = code.lines().map(str::trim).filter(is_code).count();
    assert!((100..=200).contains(&lines), "they have {lines}");
}

/// The places in the chapter, "`item`, lines 1 to 2".
fn places(chapter: &str) -> Vec<(&str, usize, usize)> {
    let pieces: Vec<_> = chapter.split("`, lines ").collect();
    let mut places = Vec::new();
    for two in pieces.windows(2) {
        let item = two[0].rsplit('`').next().expect("the part before");
        let numbers = two[1].split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
        let numbers: Vec<usize> = numbers.take(2).map(|word| word.parse().expect("few")).collect();
        places.push((item, numbers[0], numbers[1]));
    }
    places
}

/// Whoever changes the executor has the numbers told by this test.
#[test]
fn the_chapter_says_where_its_steps_stand() {
    let (text, chapter) = (text_of(EXECUTOR), text_of("src/guide/async_on_top.md"));
    let lines: Vec<_> = text.lines().collect();
    let places = places(&chapter);
    assert!(places.len() >= 7, "only {} places were found", places.len());
    for (item, first, last) in places {
        let begins = |line: &&str| line.trim_start().starts_with(item);
        let at = lines.iter().position(begins).unwrap_or_else(|| panic!("there is no {item}"));
        let indent = lines[at].len() - lines[at].trim_start().len();
        let close = format!("{}}}", " ".repeat(indent));
        let length = lines[at..].iter().position(|line| *line == close).expect("its last line");
        assert_eq!((first, last), (at + 1, at + length + 1), "the lines of {item}");
    }
}

/// Async is what these files are about, and nothing that a reader would have to take on trust.
#[test]
fn all_of_the_example_is_safe_code() {
    for file in ["executor", "operations", "combine", "server", "client"] {
        let text = text_of(&format!("{FOLDER}/{file}.rs"));
        assert!(text.contains("\n#![forbid(unsafe_code)]\n"), "{file}.rs");
        assert_eq!(text.matches("unsafe").count(), 1, "{file}.rs");
    }
}
