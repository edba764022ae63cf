//! The example `pipe_chat`: what its options mean, and a chat of several processes, each of which
//! is this program, told by a variable of its environment to be the example.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the example gives a function to the system")]
#![allow(dead_code, reason = "each example takes what it needs")]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

#[path = "../examples/pipe_chat/arguments.rs"]
mod arguments;
#[path = "../examples/pipe_chat/chat.rs"]
mod chat;
#[path = "../examples/pipe_chat/client.rs"]
mod client;
#[path = "../examples/shared/ctrl_c.rs"]
mod ctrl_c;
#[path = "../examples/shared/program.rs"]
mod program;
#[path = "../examples/pipe_chat/server.rs"]
mod server;
#[path = "../examples/shared/stdin.rs"]
mod stdin;
#[path = "../examples/shared/words.rs"]
mod words;

const NAME: &str = "pipe_chat";

mod support;
use support::DEADLINE;

#[path = "support/spawn.rs"]
mod spawn;
use spawn::spawned;

use arguments::{HELP, Options};
use words::Request;

fn parse(line: &str) -> Result<Request<Options>, String> {
    arguments::parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
}

#[test]
fn the_options_mean_what_the_help_says() {
    let name = || "overlapped-chat".to_string();
    let join = |name, nick: Option<&str>| Options::Join { name, nick: nick.map(str::to_string) };
    let serve = |name, until_stdin_ends| Options::Serve { name, until_stdin_ends };
    for (line, options) in [
        ("", join(name(), None)),
        ("tea --as Ada", join("tea".into(), Some("Ada"))),
        ("--serve", serve(name(), false)),
        ("--until-stdin-ends --serve tea", serve("tea".into(), true)),
    ] {
        assert_eq!(parse(line), Ok(Request::Run(options)), "{line}");
    }
    assert_eq!(parse("tea -h"), Ok(Request::Help));
    for option in ["--serve", "--as", "--until-stdin-ends", "--help", "Ctrl-C"] {
        assert!(HELP.contains(option), "{option}");
    }
    for (line, words) in [
        ("a b", "NAME is given twice"),
        ("--as", "lacks a value"),
        ("--as=*", "star"),
        ("--serve --as Ada", "says nothing"),
        ("--until-stdin-ends", "--serve"),
        ("--port", "no option"),
    ] {
        let sentence = parse(line).expect_err(line);
        assert!(sentence.contains(words) && !sentence.contains('\n'), "{line}: {sentence}");
    }
}

const VARIABLE: &str = "PIPE_CHAT_ARGUMENTS";

/// Is the example, if it is told so, and else nothing.
#[test]
fn the_example_itself() {
    let Ok(arguments) = std::env::var(VARIABLE) else { return };
    let code = chat::run(arguments.split(' ').map(OsString::from));
    // An `ExitCode` does not show its number.
    let number = (0..3).find(|number| code == ExitCode::from(*number)).expect("0, 1 or 2");
    std::process::exit(number.into());
}

/// One process of the chat.
struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

fn start(arguments: &str) -> Process {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", "the_example_itself", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawned(&mut command);
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("it is piped"));
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    Process { child, stdin, lines }
}

impl Process {
    /// Waits for a line that has this in it, and returns those before it.
    #[track_caller]
    fn says(&self, what: &str) -> Vec<String> {
        let (mut before, start) = (Vec::new(), Instant::now());
        loop {
            let left = DEADLINE.saturating_sub(start.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(what) => return before,
                Ok(line) => before.push(line),
                Err(error) => panic!("{what:?} was not said: {error}; before: {before:?}"),
            }
        }
    }

    fn types(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it is open");
        stdin.write_all(format!("{line}\r\n").as_bytes()).expect("written");
    }

    /// Ends its stdin and waits for its end with this status. Returns what it has complained of.
    #[track_caller]
    fn ends(mut self, status: i32) -> String {
        drop(self.stdin.take());
        let mut complaint = String::new();
        let mut stderr = self.child.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut complaint).expect("text");
        let ended = self.child.wait().expect("its end");
        assert_eq!(ended.code(), Some(status), "{complaint}");
        complaint
    }
}

impl Drop for Process {
    /// Where a test fails, none stays behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn what_one_types_all_others_read() {
    let name = format!("overlapped-chat-{}", std::process::id());
    let server = start(&format!("--serve {name} --until-stdin-ends"));
    server.says("serving");
    let mut ada = start(&format!("{name} --as Ada"));
    ada.says("1 is here");
    let mut bob = start(&format!("{name} --as Bob"));
    ada.says("2 are here");
    bob.says("2 are here");
    let cleo = start(&format!("{name} --as Cleo"));
    for process in [&ada, &bob, &cleo] {
        process.says("3 are here");
    }

    ada.types("good morning");
    for process in [&bob, &cleo] {
        assert_eq!(process.says("Ada: good morning"), [""; 0]);
    }
    bob.types("");
    bob.types(&"long ".repeat(4_000));
    for process in [&ada, &cleo] {
        process.says("Bob: ");
        assert_eq!(process.says(&"long ".repeat(4_000)), [""; 0]);
    }
    // Who types and ends has said it.
    let mut dan = start(&format!("{name} --as Dan"));
    dan.types("just passing");
    assert_eq!(dan.ends(0), "");
    let before = ada.says("Dan: just passing");
    assert_eq!(before, ["* somebody has come; 4 are here"], "and nothing that she has typed");
    ada.says("3 are here");

    assert_eq!(cleo.ends(0), "");
    ada.says("2 are here");
    // The server's end is told to all, and ends them.
    let lines = {
        let mut server = server;
        drop(server.stdin.take());
        server.says("served 4 clients; 0 operations in flight");
        server.ends(0)
    };
    assert_eq!(lines, "");
    for process in [ada, bob] {
        process.says("the chat has ended");
        assert_eq!(process.ends(0), "");
    }
}

#[test]
fn where_nobody_serves_that_is_said() {
    let complaint = start(&format!("nobody-{}", std::process::id())).ends(1);
    assert!(complaint.contains("no pipe of that name"), "{complaint}");
    let complaint = start(r"a\b").ends(1);
    assert!(complaint.contains("backslashes"), "{complaint}");
    let complaint = start("--serve --as Ada").ends(2);
    assert!(complaint.contains("--help"), "{complaint}");
    let complaint = start(r"--serve \\.\file\a").ends(1);
    assert!(complaint.contains("no whole name"), "{complaint}");
}
