//! The example `run_all`, with commands that are run: its parts are compiled here as they are, and
//! the program is this one, started once more.
#![cfg(windows)]

use std::process::{Command as Process, Output, Stdio, exit};
use std::time::{Duration, Instant};

#[path = "../examples/run_all/arguments.rs"]
mod arguments;
#[path = "../examples/run_all/commands.rs"]
mod commands;
#[path = "../examples/shared/ctrl_c.rs"]
mod ctrl_c;
#[path = "../examples/run_all/lines.rs"]
mod lines;
#[allow(dead_code, reason = "the program prints its help itself")]
#[path = "../examples/shared/program.rs"]
mod program;
#[path = "../examples/run_all/run.rs"]
mod run;
#[path = "../examples/run_all/start.rs"]
mod start;
#[path = "../examples/shared/stdin.rs"]
mod stdin;
#[path = "../examples/run_all/terminal.rs"]
mod terminal;
#[allow(dead_code, reason = "the program takes no address and no number")]
#[path = "../examples/shared/words.rs"]
mod words;

#[path = "support/spawn.rs"]
mod spawn;
use spawn::spawned;

use arguments::{Colour, Options};
use words::Request;

const NAME: &str = "run_all";
const ARGUMENTS: &str = "RUN_ALL_ARGUMENTS";
const LINES: &str = "RUN_ALL_LINES";
const SEPARATOR: char = '\u{1f}';

/// How long a test may take. None takes nearly as long, and what is to be stopped takes longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// The program, where it is started as such. As a test it does nothing.
#[test]
fn the_program() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    // Its commands are this program, too, with other tests, which go by the same variable.
    let words = arguments.split(SEPARATOR).filter(|word| !word.is_empty()).map(Into::into);
    let options = match arguments::parse(words.collect::<Vec<_>>()) {
        Ok(Request::Run(options)) => options,
        Ok(Request::Help) => {
            println!("{}", arguments::HELP);
            exit(0)
        }
        Err(_) => exit(2),
    };
    let Ok(commands) = commands::all(&options) else { exit(2) };
    let done = run(&options, &commands);
    exit(match done {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(error) => {
            program::complain(NAME, &error.to_string());
            1
        }
    });
}

fn run(
    options: &Options,
    commands: &[commands::Command],
) -> Result<bool, Box<dyn std::error::Error>> {
    let queue = overlapped::CompletionQueue::new()?;
    ctrl_c::shuts_down(queue.waker())?;
    if options.until_stdin_ends {
        stdin::end_shuts_down(queue.waker())?;
    }
    run::Run::start(&queue, options, commands)?.until_the_end()
}

/// A command that does not end by itself while a test waits for it.
#[test]
fn a_command_that_goes_on() {
    if std::env::var_os(ARGUMENTS).is_some() {
        println!("it goes on");
        std::thread::sleep(4 * DEADLINE);
    }
}

/// A command that prints much, in two pieces for each line.
#[test]
fn a_command_that_prints() {
    use std::io::Write;

    if std::env::var_os(ARGUMENTS).is_some() {
        // What runs the tests has begun a line.
        let mut out = std::io::stdout().lock();
        writeln!(out).expect("a pipe");
        for number in 0..2_000 {
            write!(out, "line {number} ").expect("a pipe");
            out.flush().expect("a pipe");
            writeln!(out, "of {LINES}").expect("a pipe");
        }
    }
}

/// The command line for one of those two.
fn command(name: &str) -> String {
    let program = std::env::current_exe().expect("the path of this program");
    format!("\"{}\" --exact {name} --nocapture --test-threads=1", program.display())
}

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Starts the program with these arguments. Its stdin ends with the answer.
fn start(arguments: &[&str]) -> std::process::Child {
    let mut program = Process::new(std::env::current_exe().expect("the path of this program"));
    program.args(["--exact", "the_program", "--nocapture", "--test-threads=1"]);
    program.env(ARGUMENTS, arguments.join(&SEPARATOR.to_string()));
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    spawned(&mut program)
}

fn ended(program: std::process::Child) -> Ended {
    let start = Instant::now();
    let Output { status, stdout, stderr } = program.wait_with_output().expect("its end");
    assert!(start.elapsed() < DEADLINE, "it took {:?}", start.elapsed());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").replace('\r', "");
    let ended = Ended { code: status.code(), out: text(stdout), err: text(stderr) };
    println!("{:?}\n{}\n{}", ended.code, ended.out, ended.err);
    ended
}

/// Runs it, with a stdin that is open until it has ended.
fn run_all(arguments: &[&str]) -> Ended {
    let mut program = start(arguments);
    let input = program.stdin.take();
    let ended = ended(program);
    drop(input);
    ended
}

#[test]
fn what_is_printed_stands_behind_the_names() {
    let ended = run_all(&["one=echo first& echo second", "longer=echo bad 1>&2", "cmd /c exit 0"]);
    assert_eq!(ended.code, Some(0));
    for line in ["one    | first\n", "one    | second\n"] {
        assert!(ended.out.contains(line));
    }
    assert!(ended.err.contains("longer | bad"), "lines of stderr go to stderr");
    for name in ["one", "longer", "cmd"] {
        assert!(ended.err.contains(&format!("run_all: {name} ended with status 0 after ")));
    }
    assert!(ended.err.contains("run_all: 3 commands, "));
}

#[test]
fn one_that_fails_stops_the_others_with_what_they_have_started() {
    let goes_on = command("a_command_that_goes_on");
    // One of them is a child of a child. It holds the pipe open, so the end says that it has gone.
    let (alone, nested) =
        (format!("alone={goes_on}"), format!("nested=cmd /d /s /c \"{goes_on}\""));
    let ended = run_all(&[&alone, &nested, "bad=exit 7"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("run_all: bad ended with status 7"));
    assert!(ended.err.contains("run_all: stopping the others"));
    assert!(ended.err.contains("run_all: nested ended with status 1"));
    assert!(ended.err.contains("run_all: 3 commands, of which 1 failed"));
}

#[test]
fn one_that_fails_alone_stops_nobody() {
    let ended = run_all(&["bad=exit 7"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("run_all: bad ended with status 7"));
    assert!(!ended.err.contains("stopping"), "{}", ended.err);
}

#[test]
fn the_others_can_keep_going() {
    let prints = format!("prints={}", command("a_command_that_prints"));
    let ended = run_all(&["--keep-going", "bad=exit 7", &prints]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("run_all: prints ended with status 0"));
    assert!(ended.err.contains("run_all: 2 commands, of which 1 failed"));
}

#[test]
fn lines_stay_whole_however_many_print() {
    let prints = command("a_command_that_prints");
    let commands = ["a", "b", "c"].map(|name| format!("{name}={prints}"));
    let ended = run_all(&[&commands[0], &commands[1], &commands[2]]);
    assert_eq!(ended.code, Some(0));
    for name in ["a", "b", "c"] {
        let begins = format!("{name} | line ");
        let lines: Vec<_> =
            ended.out.lines().filter_map(|line| line.strip_prefix(&begins)).collect();
        let expected: Vec<_> = (0..2_000).map(|number| format!("{number} of {LINES}")).collect();
        assert!(lines == expected, "{} lines of {name}", lines.len());
    }
}

/// As Ctrl-C does, but for the signal that commands of the same console get besides.
#[test]
fn the_end_of_stdin_stops_all() {
    let goes_on = command("a_command_that_goes_on");
    let (one, other) = (format!("one={goes_on}"), format!("other=cmd /d /s /c \"{goes_on}\""));
    let mut program = start(&["--until-stdin-ends", &one, &other]);
    drop(program.stdin.take());
    let ended = ended(program);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("run_all: stopping\n"));
    assert!(ended.err.contains("run_all: 2 commands, stopped"));
}

/// It has no time to do anything then, and the job ends its commands all the same: the pipes are at
/// their end when the last who has them is gone.
#[test]
fn a_program_that_is_killed_leaves_no_command() {
    let nested = format!("nested=cmd /d /s /c \"{}\"", command("a_command_that_goes_on"));
    let mut program = start(&[&nested]);
    let (input, mut out) = (program.stdin.take(), program.stdout.take().expect("a pipe"));
    let mut so_far = Vec::new();
    while !String::from_utf8_lossy(&so_far).contains("it goes on") {
        let mut some = [0; 256];
        let count = std::io::Read::read(&mut out, &mut some).expect("it is read");
        assert_ne!(count, 0, "it has ended");
        so_far.extend_from_slice(&some[..count]);
    }
    program.kill().expect("killed");
    assert!(program.wait().expect("its end").code().is_some());
    std::io::copy(&mut out, &mut so_far).expect("the end of what it prints");
    drop(input);
}

#[test]
fn help_is_printed_and_what_makes_no_sense_is_told_by_the_status() {
    let ended = run_all(&["--help"]);
    assert!(ended.code == Some(0) && ended.out.contains("Exit status: 0 if"));
    assert_eq!(run_all(&["--loud"]).code, Some(2));
    assert_eq!(run_all(&["--file", "no such file"]).code, Some(2));
}

#[test]
fn names_are_coloured_if_that_is_wanted() {
    for (when, is_coloured) in [("always", true), ("never", false), ("auto", false)] {
        let ended = run_all(&["--colour", when, "one=echo first"]);
        assert_eq!(ended.out.contains("\x1b[36mone |\x1b[0m first"), is_coloured, "{when}");
    }
}

fn options(arguments: &[&str]) -> Result<Options, String> {
    match arguments::parse(arguments.iter().map(Into::into).collect::<Vec<_>>())? {
        Request::Run(options) => Ok(options),
        Request::Help => Err("help".to_string()),
    }
}

/// The names and the lines of the commands.
fn named(arguments: &[&str]) -> Vec<(String, String)> {
    let commands = commands::all(&options(arguments).expect("it makes sense")).expect("and this");
    commands.into_iter().map(|command| (command.name, command.line)).collect()
}

#[test]
fn options_make_sense_or_a_sentence_says_why_not() {
    let all = ["--keep-going", "a=b", "--colour", "never", "--until-stdin-ends", "--", "--x"];
    let expected = Options {
        commands: vec!["a=b".to_string(), "--x".to_string()],
        file: None,
        keep_going: true,
        colour: Colour::Never,
        until_stdin_ends: true,
    };
    assert_eq!(options(&all), Ok(expected));
    assert_eq!(options(&["--help"]), Err("help".to_string()));
    for (arguments, says) in [
        (&["--colour", "red"][..], "--colour takes always, never or auto"),
        (&["--file"], "--file lacks a value"),
        (&["--keep-going", "--keep-going"], "given twice"),
        (&["--loud"], "there is no option"),
    ] {
        let sentence = options(arguments).expect_err("it makes no sense");
        assert!(sentence.contains(says), "{sentence}");
    }
}

#[test]
fn commands_have_names_that_differ() {
    let pair = |name: &str, line: &str| (name.to_string(), line.to_string());
    let program = r#""C:\Program Files\a.exe" --x=1"#;
    assert_eq!(
        named(&["web=run me", "ping -t x", "ping -t y", program, "ping=z"]),
        [
            pair("web", "run me"),
            pair("ping", "ping -t x"),
            pair("ping-2", "ping -t y"),
            pair("a", program),
            pair("ping-3", "z"),
        ]
    );
    let empty = options(&["a= "]).expect("it may make sense");
    assert!(commands::all(&empty).is_err_and(|sentence| sentence.contains("no command in")));
}

#[test]
fn a_file_has_a_command_in_each_line() {
    let file = std::env::temp_dir().join(format!("run_all-{}", std::process::id()));
    let path = file.to_str().expect("text");
    std::fs::write(&file, "# both\n\nweb: run --on 80:80\r\nb: c\n").expect("written");
    let pair = |name: &str, line: &str| (name.to_string(), line.to_string());
    let expected = [pair("x", "y"), pair("web", "run --on 80:80"), pair("b", "c")];
    assert_eq!(named(&["--file", path, "x=y"]), expected);
    for (text, says) in [("a b: c", "line 1 of "), ("a:", "line 1 of "), ("", "no command in")] {
        std::fs::write(&file, text).expect("written");
        let all = commands::all(&options(&["--file", path]).expect("it makes sense"));
        let sentence = all.expect_err("it makes no sense");
        assert!(sentence.contains(says), "{sentence}");
    }
    std::fs::remove_file(&file).expect("removed");
    let all = commands::all(&options(&["--file", path]).expect("it makes sense"));
    assert!(all.is_err_and(|sentence| sentence.contains("cannot read")));
    assert!(commands::all(&options(&[]).expect("it may make sense")).is_err());
}
