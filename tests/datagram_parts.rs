//! The parts of the examples `udp_echo` and `udp_load` that need no Windows: what their options
//! mean, and how they keep books.

#[path = "../examples/udp_echo/arguments.rs"]
mod echo;
#[path = "../examples/udp_load/ledger.rs"]
mod ledger;
#[path = "../examples/udp_load/arguments.rs"]
mod load;
#[path = "../examples/udp_load/times.rs"]
mod times;
#[path = "../examples/shared/words.rs"]
mod words;

use std::ffi::OsString;

use ledger::{Label, Ledger};
use times::Times;
use words::Request;

fn split(line: &str) -> impl Iterator<Item = OsString> {
    line.split(' ').filter(|word| !word.is_empty()).map(OsString::from)
}

#[track_caller]
fn echoes(line: &str, address: &str, room: usize, until_stdin_ends: bool) {
    let options = echo::Options { address: address.to_string(), room, until_stdin_ends };
    assert_eq!(echo::parse(split(line)), Ok(Request::Run(options)), "{line}");
}

#[track_caller]
fn loads(line: &str, target: Option<&str>, rate: u32, size: usize, seconds: u32) {
    let options = load::Options { target: target.map(str::to_string), rate, size, seconds };
    assert_eq!(load::parse(split(line)), Ok(Request::Run(options)), "{line}");
}

#[test]
fn options_mean_what_the_help_says() {
    echoes("", "127.0.0.1:7007", 65_507, false);
    echoes("--listen 0.0.0.0:0 --until-stdin-ends", "0.0.0.0:0", 65_507, true);
    echoes("--room=1 --listen [::]:53", "[::]:53", 1, false);
    loads("", None, 1_000, 64, 3);
    loads(
        "--target localhost:7 --rate 1 --size 24 --seconds 3600",
        Some("localhost:7"),
        1,
        24,
        3600,
    );
    loads("--rate=100000 --size=65507", None, 100_000, 65_507, 3);
    assert_eq!(echo::parse(split("--room 7 --help")), Ok(Request::Help));
    assert_eq!(load::parse(split("-h")), Ok(Request::Help));
}

#[test]
fn the_help_names_each_option_in_lines_that_fit() {
    let options = [
        (echo::HELP, &["udp_echo", "--listen", "--room", "--until-stdin-ends"][..]),
        (load::HELP, &["udp_load", "--target", "--rate", "--size", "--seconds"][..]),
    ];
    for (help, options) in options {
        assert!(help.lines().all(|line| line.len() <= 100));
        for word in options.iter().chain(&["--help", "Exit status: 0 "]) {
            assert!(help.contains(word), "{word}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_one_sentence() {
    let refused = [
        (echo::parse(split("--listen 7007")).err(), "HOST:PORT"),
        (echo::parse(split("--room 0")).err(), "from 1 to 65507"),
        (echo::parse(split("--room 65508")).err(), "from 1 to 65507"),
        (echo::parse(split("127.0.0.1:7")).err(), "an address is given by --listen"),
        (echo::parse(split("--loud")).err(), "no option"),
        (load::parse(split("--target 127.0.0.1:0")).err(), "HOST:PORT"),
        (load::parse(split("--rate 0")).err(), "from 1 to 100000"),
        (load::parse(split("--size 23")).err(), "from 24 to 65507"),
        (load::parse(split("--seconds")).err(), "lacks a value"),
        (load::parse(split("--rate 1 --rate 2")).err(), "twice"),
    ];
    for (sentence, words) in refused {
        let sentence = sentence.expect(words);
        assert!(sentence.contains(words) && !sentence.contains('\n'), "{sentence}");
    }
}

#[test]
fn a_label_comes_back_and_a_part_of_one_does_not() {
    let label = Label { run: 1 << 63 | 5, number: 7, time: u64::MAX };
    let mut datagram = [9; 30];
    label.write(&mut datagram);
    assert_eq!((Label::read(&datagram), &datagram[24..]), (Some(label), &[9; 6][..]));
    assert_eq!(Label::read(&datagram[..24]), Some(label));
    assert_eq!(Label::read(&datagram[..23]), None);
}

#[test]
fn the_ledger_tells_what_is_lost_comes_twice_or_late() {
    let mut ledger = Ledger::default();
    ledger.sent = 200;
    for number in [0, 1, 3, 2, 2, 150, 149, 199] {
        ledger.note(number);
    }
    assert_eq!((ledger.back, ledger.twice, ledger.late, ledger.lost()), (7, 1, 2, 193));
    assert!(!ledger.note(200), "nobody has sent that");
    assert_eq!((ledger.back, ledger.strange), (7, 1));
    // However long it goes on, it is a bit for each.
    let mut ledger = Ledger::default();
    ledger.sent = 100_000;
    assert_eq!((0..100_000).filter(|number| ledger.note(*number)).count(), 100_000);
    assert_eq!((ledger.lost(), ledger.late, ledger.twice), (0, 0, 0));
}

#[test]
fn times_are_told_to_two_parts_of_a_hundred() {
    let mut times = Times::new();
    assert_eq!((times.part(50), times.text().as_str()), (None, "none came back"));
    for time in 1..=100_u64 {
        times.add(time * 1_000_000);
    }
    for part in [1, 50, 99] {
        let told = times.part(part).expect("there are some") as f64;
        let right = part as f64 * 1e6;
        assert!((told - right).abs() <= 0.02 * right, "{part}: {told}");
    }
    assert_eq!(times.part(100), Some(100_000_000), "the longest is exact");
    assert!(times.text().starts_with("min/median/99th/max 1.000/"), "{}", times.text());
    times.clear();
    for extreme in [0, 1, 63, 64, 65, 127, 128, u64::MAX] {
        times.add(extreme);
        assert_eq!(times.part(100), Some(extreme));
        times.clear();
    }
}
