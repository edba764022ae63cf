//! The example `slow_client` of the lessons: what is in flight to a client that does not read stays
//! within the limit, nothing is lost of the stream, and no buffer of it.
#![cfg(windows)]

use std::io::{self, Read};
use std::net::TcpStream;
use std::process::{Command, exit};
use std::thread;
use std::time::Duration;

use overlapped::{Completion, CompletionQueue, Completions, Key};

#[allow(dead_code, reason = "the tests run its parts, and its arguments by themselves")]
#[path = "../examples/lessons/slow_client.rs"]
mod slow_client;
mod support;
#[path = "support/tcp.rs"]
mod tcp;

#[path = "support/programs.rs"]
mod programs;
#[path = "support/spawn.rs"]
mod spawn;

use programs::{ended, started};
use slow_client::sending::{PIECE, Sending};
use slow_client::{transfer, words::Request};
use support::{DEADLINE, registered, reset};
use tcp::{LARGE, sweep};

const ARGUMENTS: &str = "SLOW_CLIENT_ARGUMENTS";

/// How many bytes may be in flight in these tests.
const MOST: usize = 5 * PIECE;

const TOTAL: usize = 100 * PIECE + 77;

fn queue_and_server(total: usize, most: usize) -> (CompletionQueue, Sending, TcpStream) {
    let queue = CompletionQueue::new().expect("a queue");
    let (stream, peer) = registered(&queue, Key(7));
    (queue, Sending::new(stream, total, most), peer)
}

/// What has come of one wait.
#[derive(Default)]
struct Round {
    ended: usize,
    failed: usize,
}

/// Waits once, handles what has come as the program does, and looks at the limit each time.
fn round(queue: &CompletionQueue, server: &mut Sending, patience: Duration) -> Round {
    let (mut batch, mut round) = (Completions::with_capacity(64), Round::default());
    for completion in queue.wait(&mut batch, Some(patience)).expect("waiting") {
        let Completion::Sent { buffer, result, .. } = completion else {
            panic!("nothing but sends is in flight: {completion:?}");
        };
        server.ended(buffer);
        let went_on = result.map_err(io::Error::from).and_then(|()| server.fill());
        round.ended += 1;
        round.failed += usize::from(went_on.is_err());
        assert_within_limit(server);
    }
    round
}

/// The layer counts what is in flight by itself.
#[track_caller]
fn assert_within_limit(server: &Sending) {
    let (free, made) = server.buffers();
    assert_eq!(made - free, server.stream().in_flight(), "buffers that are lent");
    assert!((made - free) * PIECE <= MOST, "{} of {MOST} bytes", (made - free) * PIECE);
}

#[test]
fn what_is_in_flight_stays_within_the_limit() -> io::Result<()> {
    let (queue, mut server, mut peer) = queue_and_server(TOTAL, MOST);
    server.fill()?;
    assert_within_limit(&server);
    assert_eq!(server.stream().in_flight(), MOST / PIECE, "and as much as the limit allows");
    let reader = thread::spawn(move || peer.read_exact(&mut vec![0; TOTAL]));
    while server.stream().in_flight() > 0 {
        let round = round(&queue, &mut server, DEADLINE);
        assert!(round.ended > 0 && round.failed == 0, "the client reads");
    }
    reader.join().expect("it has read")?;
    assert_eq!(server.peak(), MOST);
    assert_eq!(server.buffers(), (MOST / PIECE, MOST / PIECE), "they have gone round");
    Ok(())
}

#[test]
fn without_a_limit_everything_is_in_flight_at_once() -> io::Result<()> {
    let (queue, mut server, peer) = queue_and_server(TOTAL, usize::MAX);
    server.fill()?;
    assert_eq!(server.stream().in_flight(), TOTAL.div_ceil(PIECE));
    assert_eq!(server.peak(), TOTAL);
    drop((server, peer));
    sweep(&queue);
    Ok(())
}

#[test]
fn all_bytes_arrive_in_order_however_the_client_reads() -> io::Result<()> {
    let (queue, mut server, mut peer) = queue_and_server(TOTAL, MOST);
    server.fill()?;
    let reader = thread::spawn(move || {
        let (mut bytes, mut lengths) =
            (Vec::new(), [1, 2, 977, PIECE - 1, 3 * PIECE].iter().cycle());
        while bytes.len() < TOTAL {
            let mut piece = vec![0; *lengths.next().expect("it goes round")];
            let count = peer.read(&mut piece).expect("what was sent");
            assert_ne!(count, 0, "the stream has ended at {} bytes", bytes.len());
            bytes.extend_from_slice(&piece[..count]);
        }
        bytes
    });
    while server.stream().in_flight() > 0 {
        assert_eq!(round(&queue, &mut server, DEADLINE).failed, 0);
    }
    let bytes = reader.join().expect("it has read");
    let wrong = (0..TOTAL).find(|&at| usize::from(bytes[at]) != at % 251);
    assert_eq!((bytes.len(), wrong), (TOTAL, None));
    Ok(())
}

#[test]
fn a_client_that_goes_away_while_sends_wait_gives_all_buffers_back() -> io::Result<()> {
    let (queue, mut server, peer) = queue_and_server(LARGE, MOST);
    server.fill()?;
    // Nobody reads, so at last the system takes no more, and the sends wait.
    while round(&queue, &mut server, Duration::from_millis(100)).ended > 0 {}
    let waiting = server.stream().in_flight();
    assert_eq!(waiting, MOST / PIECE);

    reset(peer);
    let (mut ended, mut failed) = (0, 0);
    while server.stream().in_flight() > 0 {
        let round = round(&queue, &mut server, DEADLINE);
        assert!(round.ended > 0, "still in flight: {}", server.stream().in_flight());
        (ended, failed) = (ended + round.ended, failed + round.failed);
    }
    assert!(ended >= waiting && failed > 0, "{failed} of {ended} have failed");
    assert_eq!(server.buffers(), (waiting, waiting), "each has come back, and once");
    assert!(server.fill().is_err(), "nobody is there");
    assert_eq!(server.buffers(), (waiting, waiting), "what is refused comes back as well");
    Ok(())
}

/// The program, where it is started as such. As a test it does nothing.
#[test]
fn the_program() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    // What runs the tests has begun a line.
    println!();
    let done = match transfer::parse(arguments.split_whitespace().map(Into::into)) {
        Ok(Request::Run((total, most))) => transfer::run(total, most),
        Ok(Request::Help) => slow_client::program::print(transfer::HELP),
        Err(_) => exit(2),
    };
    exit(i32::from(done.is_err()))
}

/// Its exit status, and what it has printed.
fn run(arguments: &str) -> (Option<i32>, String) {
    let mut program = Command::new(std::env::current_exe().expect("the path of this program"));
    program.args(["--exact", "the_program", "--nocapture", "--test-threads=1"]);
    let ended = ended(started(program.env(ARGUMENTS, arguments)));
    let printed = String::from_utf8(ended.stdout).expect("text").replace('\r', "");
    (ended.status.code(), printed)
}

#[test]
fn the_program_says_how_much_was_in_flight() {
    let (status, printed) = run("--total 16384 --most 200");
    let without = "\nno limit: 16384 KiB in flight at most, 16384 KiB arrived in order\n";
    let with = "\nlimit of 200 KiB: 192 KiB in flight at most, 16384 KiB arrived in order\n";
    assert!(printed.contains(without) && printed.contains(with), "{printed}");
    assert_eq!(status, Some(0));
}

#[test]
fn what_makes_no_sense_is_refused_and_help_is_given() {
    for arguments in ["--most 63", "--total", "--total 64 --total 64", "--loud", "here"] {
        assert_eq!(run(arguments).0, Some(2), "{arguments}");
    }
    let (status, printed) = run("--help");
    assert!(printed.contains("--most KIB") && status == Some(0), "{printed}");
}
