//! The parts of the examples `copy_file` and `watch_dir` that need no Windows: what their options
//! mean, and what the records of changes say.

#[path = "../examples/copy_file/arguments.rs"]
mod copy;
#[path = "../examples/watch_dir/records.rs"]
mod records;
#[path = "../examples/watch_dir/arguments.rs"]
mod watch;
#[path = "../examples/shared/words.rs"]
#[allow(dead_code, reason = "there are no addresses here")]
mod words;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use records::{ADDED, Lines, MODIFIED, NEW_NAME, OLD_NAME, REMOVED, Record, records};
use words::Request;

fn split(line: &str) -> impl Iterator<Item = OsString> {
    line.split(' ').filter(|word| !word.is_empty()).map(OsString::from)
}

/// The sentence is one line, and has the words that tell what is wrong.
#[track_caller]
fn is_refused<T: std::fmt::Debug>(answer: Result<T, String>, words: &str) {
    let sentence = answer.expect_err(words);
    assert!(sentence.contains(words) && !sentence.contains('\n'), "{words}: {sentence}");
}

fn copies(line: &str) -> copy::Options {
    match copy::parse(split(line)) {
        Ok(Request::Run(options)) => options,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_copy_needs_two_names_and_no_options() {
    let plain = copies("a b");
    let expected = copy::Options {
        source: PathBuf::from("a"),
        target: PathBuf::from("b"),
        in_flight: 8,
        block: 1 << 20,
        from: 0,
        unbuffered: false,
        overwrite: false,
    };
    assert_eq!(plain, expected);
    let all = "--unbuffered a --in-flight 256 --block=64K b --from 5G --overwrite";
    let expected = copy::Options {
        in_flight: 256,
        block: 65_536,
        from: 5 << 30,
        unbuffered: true,
        overwrite: true,
        ..expected
    };
    assert_eq!(copies(all), expected);
    assert_eq!(copies("a b --block 64m --from 7k").from, 7_168);
    assert!(matches!(copy::parse(split("--help")), Ok(Request::Help)));
}

#[test]
fn what_a_copy_cannot_be_asked_for_has_a_sentence() {
    for (line, words) in [
        ("", "SRC and DST are needed"),
        ("a", "SRC and DST are needed"),
        ("a b c", "DST is given twice"),
        ("a b --block=", "--block takes a number"),
        ("a b --block 0", "from 1 to 67108864"),
        ("a b --block 65M", "from 1 to 67108864"),
        ("a b --block K", "--block takes a number"),
        ("a b --from -1", "--from takes a number"),
        ("a b --from 99999999999G", "--from takes a number"),
        ("a b --in-flight 0", "--in-flight"),
        ("a b --block", "lacks a value"),
        ("a b --unbuffered --block 1000", "multiples of 4096"),
        ("a b --unbuffered --from 1", "multiples of 4096"),
        ("a b --fast", "no option"),
    ] {
        is_refused(copy::parse(split(line)), words);
    }
    is_refused(copy::parse(["", "b"].map(OsString::from)), "an argument is empty");
}

#[test]
fn what_is_watched_is_one_folder() {
    let watches = |line: &str| match watch::parse(split(line)) {
        Ok(Request::Run(options)) => options,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(watches("").directory, Path::new("."));
    let options = watches("--recursive C:/folder");
    assert_eq!((options.directory.as_path(), options.recursive), (Path::new("C:/folder"), true));
    is_refused(watch::parse(split("a b")), "DIR is given twice");
    is_refused(watch::parse(split("--all")), "no option");
    is_refused(watch::parse([OsString::new()]), "an argument is empty");
    for help in [copy::HELP, watch::HELP] {
        assert!(help.lines().all(|line| line.len() <= 100));
    }
}

/// A record, and whatever is between it and the next one.
fn record(action: u32, name: &str, next: u32, padding: usize) -> Vec<u8> {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let numbers = [next, action, name.len() as u32];
    let mut bytes: Vec<u8> = numbers.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend(name);
    bytes.resize(bytes.len() + padding, 0xAA);
    bytes
}

fn of(action: u32, name: &str) -> Record {
    Record { action, name: name.to_string() }
}

#[test]
fn records_are_read_wherever_they_begin() {
    // The first is 18 bytes long, and the second begins there, as Wine does it; or at 20.
    for padding in [0, 2] {
        let mut bytes = record(ADDED, "abc", 18 + padding, padding as usize);
        bytes.extend(record(REMOVED, "ähnlich 名前", 0, 0));
        assert_eq!(records(&bytes), [of(ADDED, "abc"), of(REMOVED, "ähnlich 名前")]);
    }
    assert_eq!(records(&[]), []);
    assert_eq!(records(&record(ADDED, "", 0, 7)), [of(ADDED, "")]);
}

/// Whatever the numbers say, nothing is read beyond the bytes, and there is an end.
#[test]
fn records_that_are_nonsense_are_the_end() {
    let whole = record(ADDED, "abc", 18, 0);
    for length in 0..whole.len() {
        assert_eq!(records(&whole[..length]), [], "{length} bytes");
    }
    assert_eq!(records(&whole).len(), 1, "the next one is beyond the end");
    assert_eq!(records(&record(ADDED, "abc", u32::MAX, 0)).len(), 1);
    let mut number = 1_u32;
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..40)
            .map(|_| {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((number >> 24) as u8) & if number >> 20 & 3 == 0 { 0xFF } else { 0x0F }
            })
            .collect();
        assert!(records(&bytes).len() <= 40);
    }
}

#[test]
fn two_names_of_one_file_are_one_line() {
    let mut lines = Lines::default();
    let records = vec![of(OLD_NAME, "a"), of(NEW_NAME, "b"), of(MODIFIED, "b")];
    assert_eq!(lines.of(records), ["renamed  a -> b", "changed  b"]);
    // The second name comes with the next records.
    assert_eq!(lines.of(vec![of(ADDED, "x"), of(OLD_NAME, "c")]), ["added    x"]);
    assert_eq!(lines.of(vec![of(NEW_NAME, "d")]), ["renamed  c -> d"]);
    // Or does not come.
    assert!(lines.of(vec![of(OLD_NAME, "e")]).is_empty());
    assert_eq!(lines.of(vec![of(ADDED, "f")]), ["removed  e", "added    f"]);
    assert!(lines.of(vec![of(OLD_NAME, "g")]).is_empty());
    assert_eq!((lines.left(), lines.left()), (Some("removed  g".to_string()), None));
    // Nor the first one: it has come from elsewhere.
    assert_eq!(lines.of(vec![of(NEW_NAME, "h")]), ["added    h"]);
    assert_eq!(lines.of(vec![of(9, "i")]), ["changed  i (in a way with the number 9)"]);
}
