//! The lessons of the guide: each is run as a program, and what it prints is what its chapter says.
//! The chapters show lines that stand in the programs, and the programs are short.

#![allow(
    clippy::duplicate_mod,
    reason = "each lesson is a program, with its own copy of the parts"
)]

use std::fs;
use std::process::{Child, Command, Output, Stdio, exit};
use std::thread;
use std::time::{Duration, Instant};

#[path = "../examples/lessons/close.rs"]
mod close;
#[path = "../examples/lessons/create_port.rs"]
mod create_port;
#[path = "../examples/lessons/dequeue.rs"]
mod dequeue;
#[path = "../examples/lessons/dequeue_many.rs"]
mod dequeue_many;
#[path = "../examples/lessons/last_error.rs"]
mod last_error;
#[path = "../examples/lessons/post.rs"]
mod post;
#[path = "../examples/lessons/receive.rs"]
mod receive;
#[path = "../examples/lessons/whole.rs"]
mod whole;
#[path = "../examples/lessons/whole_safe.rs"]
mod whole_safe;

#[path = "support/spawn.rs"]
mod spawn;
use spawn::spawned;

const LESSON: &str = "LESSON_TO_RUN";
const BEGINNING: &str = "here the lesson begins";

/// How long a lesson may take. None takes nearly as long; it is for one that hangs.
const DEADLINE: Duration = Duration::from_secs(30);

const CALLS: [&str; 7] =
    ["create_port", "post", "dequeue", "dequeue_many", "receive", "last_error", "close"];

/// The program, where it is started as such. As a test it does nothing.
#[test]
fn the_program() {
    let Ok(name) = std::env::var(LESSON) else { return };
    let main = match name.as_str() {
        "create_port" => create_port::main,
        "post" => post::main,
        "dequeue" => dequeue::main,
        "dequeue_many" => dequeue_many::main,
        "receive" => receive::main,
        "last_error" => last_error::main,
        "close" => close::main,
        "whole" => whole::main,
        "whole_safe" => whole_safe::main,
        _ => panic!("there is no lesson {name}"),
    };
    // What runs the tests has begun a line.
    println!("\n{BEGINNING}");
    #[cfg(windows)]
    if let Err(error) = main() {
        eprintln!("Error: {error:?}");
        exit(1);
    }
    // It does not return: it ends with the status that says so.
    #[cfg(not(windows))]
    main();
    exit(0);
}

/// How a lesson has ended, and what it has printed.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn start(name: &str) -> Child {
    let mut program = Command::new(std::env::current_exe().expect("the path of this program"));
    program.args(["--exact", "the_program", "--nocapture", "--test-threads=1"]).env(LESSON, name);
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    spawned(&mut program)
}

fn run(name: &str) -> Ended {
    let (mut program, begun) = (start(name), Instant::now());
    // It prints less than a pipe has room for.
    while program.try_wait().expect("its state").is_none() {
        if begun.elapsed() > DEADLINE {
            let _ = program.kill();
            panic!("{name} has not ended after {DEADLINE:?}");
        }
        thread::yield_now();
    }
    let Output { status, stdout, stderr } = program.wait_with_output().expect("its output");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").replace('\r', "");
    let (out, err) = (text(stdout), text(stderr));
    println!("{:?}\n{out}\n{err}", status.code());
    let (_, out) = out.split_once(&format!("{BEGINNING}\n")).expect("it has begun");
    Ended { code: status.code(), out: out.to_string(), err }
}

/// On Windows the lesson prints this and ends well. Elsewhere it says in a sentence how to run it.
#[track_caller]
fn prints(name: &str, lines: &[&str]) {
    prints_one_of(name, &[lines]);
}

/// As `prints`, where the system has a choice.
#[track_caller]
fn prints_one_of(name: &str, choices: &[&[&str]]) {
    let ended = run(name);
    if cfg!(windows) {
        let lines: Vec<_> = ended.out.lines().collect();
        assert!(choices.contains(&lines.as_slice()), "{name}: {lines:#?}");
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{name}");
    } else {
        let sentence =
            format!("This needs Windows, or Wine, by `./wine cargo run --example lesson_{name}`\n");
        assert_eq!((ended.code, ended.out, ended.err), (Some(2), String::new(), sentence));
    }
}

#[test]
fn a_socket_stays_with_its_first_port() {
    prints(
        "create_port",
        &[
            "first port: the answer is this port: true",
            "the same port: NULL, error 87",
            "another port: NULL, error 87",
        ],
    );
}

#[test]
fn what_is_posted_comes_out_as_it_went_in() {
    prints(
        "post",
        &[
            "count 4294967295, key 7, address 13",
            "count 0, key 0, address 0",
            "count 0, key 0, address 0",
        ],
    );
}

#[test]
fn a_false_with_an_address_is_a_packet() {
    prints(
        "dequeue",
        &[
            "nothing is there: FALSE, NULL, error 258",
            "something was posted: TRUE, NULL, count 0, key 8",
            "a receive has succeeded: TRUE, an operation, count 1, key 7",
            "a receive was cancelled: FALSE, an operation, error 995",
        ],
    );
}

#[test]
fn many_packets_come_at_once_and_those_of_failures_with_them() {
    let posted: Vec<_> =
        (1..=5).map(|key| format!("TRUE: key {key}, an operation: false")).collect();
    let mut lines: Vec<_> = posted.iter().map(String::as_str).collect();
    lines.push("TRUE: key 7, an operation: true");
    lines.push("status 0xc0000120, as an error 995");
    prints("dequeue_many", &lines);
}

#[test]
fn a_receive_that_is_done_at_once_has_a_packet() {
    let pending = ["a packet: \"A\"", "-1, error 997", "a packet: \"B\""];
    // That it is done at once is usual, and is not promised.
    let choices =
        ["0, done at once", "-1, error 997"].map(|first| [&[first], &pending[..]].concat());
    prints_one_of("receive", &choices.each_ref().map(Vec::as_slice));
}

#[test]
fn the_last_error_is_that_of_the_thread_and_of_the_last_call() {
    prints(
        "last_error",
        &[
            "the call: -1; asked at once: 10058",
            "another thread is told the same: false",
            "nothing was dequeued: true; asked after that: 258",
        ],
    );
}

#[test]
fn closing_a_handle_is_not_closing_what_it_is_a_handle_of() {
    prints(
        "close",
        &[
            "one handle of the socket is closed; a packet: false",
            "the last one is closed; a packet: true, of a failure: true",
            "a new port has got the number of one that was closed",
        ],
    );
}

#[test]
fn the_two_whole_programs_print_the_same() {
    for name in ["whole", "whole_safe"] {
        prints(
            name,
            &[
                "connection 5: answer 1",
                "connection 4: answer 2",
                "connection 3: answer 3",
                "connection 2: answer 4",
                "connection 1: answer 5",
                "woken, with 5 receives in flight",
                "5 receives were cancelled, 0 in flight",
            ],
        );
    }
}

fn text_of(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}")).replace('\r', "")
}

fn source(name: &str) -> String {
    text_of(&format!("examples/lessons/{name}.rs"))
}

#[test]
fn the_lessons_are_short() {
    let limits = CALLS.iter().map(|name| (*name, 60));
    for (name, limit) in limits.chain([("whole", 120), ("whole_safe", 120)]) {
        let lines = source(name).lines().count();
        assert!(lines <= limit, "{name}.rs has {lines} lines, and may have {limit}");
    }
}

/// All but one of them make their calls themselves.
#[test]
fn the_lessons_use_nothing_of_the_layer() {
    for name in CALLS.iter().chain(&["whole", "parts", "five"]) {
        let source = source(name);
        for (at, path) in source.match_indices("overlapped::") {
            let item = &source[at + path.len()..];
            assert!(item.starts_with("ffi"), "{name}.rs uses overlapped::{:.20}", item);
        }
    }
}

#[test]
fn each_lesson_is_an_example_of_this_package() {
    let manifest = text_of("Cargo.toml");
    for name in CALLS.iter().chain(&["whole", "whole_safe"]) {
        let entry = format!(
            "[[example]]\nname = \"lesson_{name}\"\npath = \"examples/lessons/{name}.rs\"\n"
        );
        assert!(manifest.contains(&entry), "Cargo.toml has no lesson_{name}");
    }
}

/// Lines as they are compared: without what stands before and behind, and without empty ones.
fn lines_of(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

fn stands_in(block: &[&str], program: &str) -> bool {
    lines_of(program).windows(block.len()).any(|lines| lines == block)
}

/// The blocks of code of a text, each as the lines that a reader sees.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let (mut blocks, mut inside) = (Vec::new(), false);
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            inside = !inside && kind.starts_with("rust");
            if inside {
                blocks.push(Vec::new());
            }
        } else if inside && line != "#" && !line.starts_with("# ") {
            blocks.last_mut().expect("inside of one").extend(lines_of(line));
        }
    }
    blocks
}

/// The sections of a text. A line of code that rustdoc hides begins as a heading does.
fn sections(text: &str) -> Vec<String> {
    let (mut sections, mut inside) = (vec![String::new()], false);
    for line in text.lines() {
        inside ^= line.starts_with("```");
        if !inside && line.starts_with("# ") {
            sections.push(String::new());
        }
        let section = sections.last_mut().expect("there is one");
        section.push_str(line);
        section.push('\n');
    }
    sections
}

/// In the section about a call what is shown without the layer is from its program.
#[test]
fn the_chapter_on_the_calls_shows_lines_of_their_programs() {
    let sections = sections(&text_of("src/guide/seven_calls.md"));
    for name in CALLS {
        let example = format!("cargo run --example lesson_{name}`");
        let section = sections.iter().find(|section| section.contains(&example));
        let section = section.unwrap_or_else(|| panic!("no section names lesson_{name}"));
        let makes_calls = |block: &Vec<&str>| block.iter().any(|line| line.contains("ffi::"));
        let (raw, safe): (Vec<_>, Vec<_>) = blocks(section).into_iter().partition(makes_calls);
        assert!(!raw.is_empty() && !safe.is_empty(), "{name} by hand, and with the layer");
        for block in raw {
            assert!(stands_in(&block, &source(name)), "not in {name}.rs: {block:#?}");
        }
    }
}

/// What is shown of the two whole programs stands in them, and of each as much.
#[test]
fn the_chapter_on_the_whole_shows_lines_of_both_programs() {
    let chapter = text_of("src/guide/by_hand.md");
    let by_hand = source("whole") + &source("parts");
    let (mut raw, mut safe) = (0, 0);
    for block in blocks(&chapter) {
        if stands_in(&block, &by_hand) {
            raw += 1;
        } else if stands_in(&block, &source("whole_safe")) {
            safe += 1;
        } else {
            panic!("in neither of the programs: {block:#?}");
        }
    }
    assert!(raw >= 5 && safe >= 5, "{raw} blocks by hand, and {safe} with the layer");
}
