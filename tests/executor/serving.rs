//! The server and its clients, in this process and as programs of their own.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::Waker;

use crate::client::{Load, Totals, clients};
use crate::combine::join;
use crate::executor::Executor;
use crate::programs::{self, started};
use crate::server::{Limits, Served, serve};
use crate::support::{DEADLINE, NO_SOCKET, start_winsock};
use crate::tcp::{V4, heard, heard_to_the_end};
use crate::{run, runs, settle};

fn load(clients: usize, messages: u32, size: usize) -> Load {
    Load { clients, messages, size, limit: DEADLINE }
}

/// A server on a thread of its own, where it is, and what shuts it down.
fn serving(clients: usize, idle: Duration) -> (SocketAddr, Waker, thread::JoinHandle<[u64; 3]>) {
    start_winsock();
    let listener = TcpListener::bind(V4).expect(NO_SOCKET);
    let address = listener.local_addr().expect("its address");
    let (sender, waker) = channel();
    let thread = thread::spawn(move || {
        runs(async move |executor: Rc<Executor>| {
            sender.send(executor.queue.waker()).expect("somebody waits for it");
            let (limits, served) = (Limits { clients, idle }, Rc::<Served>::default());
            serve(&executor, listener, &limits, &served).await.expect("a listener");
            settle(&executor).await;
            [served.clients.get(), served.bytes.get(), served.idle.get()]
        })
    });
    (address, waker.recv().expect("it has begun"), thread)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect(NO_SOCKET);
    stream.set_read_timeout(Some(DEADLINE)).expect("a time limit");
    stream
}

#[test]
fn a_hundred_clients_get_each_of_their_bytes_back() {
    runs(async |executor: Rc<Executor>| {
        let listener = TcpListener::bind(V4).expect(NO_SOCKET);
        let peer = listener.local_addr().expect("its address");
        let (limits, served) = (Limits { clients: 100, idle: DEADLINE }, Rc::<Served>::default());
        let loading = async {
            let totals = clients(&executor, peer, &load(100, 5, 1_000)).await;
            executor.queue.shut_down().expect("told");
            totals
        };
        let (ended, totals) = join(serve(&executor, listener, &limits, &served), loading).await;
        ended.expect("a listener");
        assert!(totals.error.is_none(), "{:?}", totals.error);
        assert_eq!((totals.complete, totals.interrupted, totals.failed), (100, 0, 0));
        assert_eq!((served.clients.get(), served.bytes.get()), (100, 500_000));
        settle(&executor).await;
    });
}

#[test]
fn a_server_on_another_thread_serves_in_turn_when_it_is_full() {
    let (address, waker, server) = serving(3, DEADLINE);
    let totals = runs(async move |executor: Rc<Executor>| {
        clients(&executor, address, &load(20, 3, 70_000)).await
    });
    assert_eq!((totals.complete, totals.failed), (20, 0), "{:?}", totals.error);
    waker.shut_down().expect("told");
    assert_eq!(server.join().expect("no panic"), [20, 20 * 3 * 70_000, 0]);
}

#[test]
fn a_client_that_is_silent_too_long_is_closed() {
    // Also on a busy machine the client says hello sooner.
    let (address, waker, server) = serving(10, Duration::from_secs(1));
    let mut client = connect(address);
    client.write_all(b"hello").expect("sent");
    assert_eq!(heard(&mut client, 5), b"hello");
    let start = Instant::now();
    assert_eq!(heard_to_the_end(&mut client).0, 0);
    assert!(start.elapsed() < DEADLINE / 2);
    waker.shut_down().expect("told");
    assert_eq!(server.join().expect("no panic"), [1, 5, 1]);
}

#[test]
fn at_the_shutdown_each_client_is_told_that_no_more_will_come() {
    let (address, waker, server) = serving(10, DEADLINE);
    let mut clients = [connect(address), connect(address)];
    for client in &mut clients {
        client.write_all(b"hello").expect("sent");
        assert_eq!(heard(client, 5), b"hello");
    }
    waker.shut_down().expect("told");
    for client in &mut clients {
        let (count, end) = heard_to_the_end(client);
        assert_eq!((count, end.is_ok()), (0, true), "the end, and not a reset");
    }
    // It waits until they have closed: what they send now would reset them if nobody received it.
    let (start, moment) = (Instant::now(), Duration::from_millis(200));
    let closing = thread::spawn(move || {
        while start.elapsed() < moment {
            thread::yield_now();
        }
        drop(clients);
    });
    assert_eq!(server.join().expect("no panic"), [2, 10, 0]);
    assert!(start.elapsed() >= moment);
    closing.join().expect("no panic");
}

#[test]
fn who_does_not_close_holds_the_shutdown_up_for_two_seconds_only() {
    let (address, waker, server) = serving(10, DEADLINE);
    let mut client = connect(address);
    client.write_all(b"hello").expect("sent");
    assert_eq!(heard(&mut client, 5), b"hello");
    let start = Instant::now();
    waker.shut_down().expect("told");
    assert_eq!(server.join().expect("no panic"), [1, 5, 0]);
    assert!(start.elapsed() >= Duration::from_secs(2));
    drop(client);
}

/// One client of a server of std's that does this with its connection.
fn talks_to(serve: impl FnOnce(TcpStream) + Send + 'static, limit: Duration) -> Totals {
    start_winsock();
    let listener = TcpListener::bind(V4).expect(NO_SOCKET);
    let address = listener.local_addr().expect("its address");
    let server = thread::spawn(move || serve(listener.accept().expect(NO_SOCKET).0));
    let totals = runs(async move |executor: Rc<Executor>| {
        let totals = clients(&executor, address, &Load { limit, ..load(1, 1, 100) }).await;
        settle(&executor).await;
        totals
    });
    server.join().expect("no panic");
    totals
}

#[test]
fn a_client_complains_of_other_bytes_of_too_few_of_too_many_and_of_none() {
    let answers = |change: fn(&mut Vec<u8>)| {
        move |mut stream: TcpStream| {
            let mut bytes = heard(&mut stream, 100);
            change(&mut bytes);
            stream.write_all(&bytes).expect("sent");
        }
    };
    let moment = Duration::from_millis(100);
    for (totals, kind) in [
        (talks_to(answers(|bytes| bytes[77] ^= 1), DEADLINE), ErrorKind::InvalidData),
        (talks_to(answers(|bytes| bytes.truncate(99)), DEADLINE), ErrorKind::UnexpectedEof),
        (talks_to(answers(|bytes| bytes.push(0)), DEADLINE), ErrorKind::InvalidData),
        (talks_to(|stream| drop(heard_to_the_end(&mut &stream)), moment), ErrorKind::TimedOut),
    ] {
        assert_eq!((totals.complete, totals.failed), (0, 1));
        assert_eq!(totals.error.expect("the reason").kind(), kind);
    }
    assert_eq!(talks_to(answers(|_| {}), DEADLINE).complete, 1);
}

#[test]
fn the_shutdown_stops_clients_that_wait() {
    start_winsock();
    let listener = TcpListener::bind(V4).expect(NO_SOCKET);
    let address = listener.local_addr().expect("its address");
    let totals = runs(async move |executor: Rc<Executor>| {
        let waker = executor.queue.waker();
        let server = thread::spawn(move || {
            let mut stream = listener.accept().expect(NO_SOCKET).0;
            heard(&mut stream, 100);
            waker.shut_down().expect("told");
            stream
        });
        let totals = clients(&executor, address, &load(1, 1, 100)).await;
        drop(server.join().expect("no panic"));
        settle(&executor).await;
        totals
    });
    assert_eq!((totals.complete, totals.interrupted, totals.failed), (0, 1, 0));
}

const ARGUMENTS: &str = "EXECUTOR_ARGUMENTS";

/// The program, where it is started as such. As a test it does nothing.
#[test]
fn the_program() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    // What runs the tests has begun a line.
    println!();
    let code = run::run(arguments.split_whitespace().map(Into::into));
    // An `ExitCode` does not show its number.
    let number = (0..3).find(|number| code == ExitCode::from(*number)).expect("0, 1 or 2");
    std::process::exit(number.into());
}

fn start(arguments: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "serving::the_program", "--nocapture", "--test-threads=1"]);
    command.env(ARGUMENTS, arguments);
    started(command.stdin(Stdio::piped()))
}

/// Waits for its end with this status. Returns what it has printed, and what it has complained of.
#[track_caller]
fn ended(child: Child, status: i32) -> (String, String) {
    let output = programs::ended(child);
    let text = |bytes| String::from_utf8(bytes).expect("text").replace('\r', "");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(status), "{out}{err}");
    (out, err)
}

#[test]
fn the_program_needs_no_arguments() {
    let (out, err) = ended(start(""), 0);
    assert_eq!(err, "");
    for words in [
        "100 of 100 clients had all back, 10 messages each of 100 bytes, in ",
        "; 0 stopped, 0 failed; served 100 clients, 100000 bytes; 0 silent; ",
        "; 0 operations in flight\n",
    ] {
        assert!(out.contains(words), "{out}");
    }
}

#[test]
fn a_server_and_its_clients_are_programs_of_their_own() {
    let mut server = start("serve 127.0.0.1:0 --until-stdin-ends");
    let mut out = BufReader::new(server.stdout.take().expect("it is piped"));
    let (mut line, mut address) = (String::new(), None);
    while address.is_none() {
        line.clear();
        assert!(out.read_line(&mut line).expect("text") > 0, "it says where it listens");
        address = line.trim_end().strip_prefix("listening on ").map(str::to_string);
    }
    let address = address.expect("it was said");
    let arguments = format!("clients {address} --clients 7 --messages 3 --size 1000");
    let (told, err) = ended(start(&arguments), 0);
    assert!(told.contains("7 of 7 clients had all back"), "{told}");
    assert_eq!(err, "");
    drop(server.stdin.take());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("text");
    assert_eq!(rest.trim_end(), "served 7 clients, 21000 bytes; 0 silent; 0 operations in flight");
    assert_eq!(ended(server, 0).1, "");
}

#[test]
fn the_exit_status_says_what_went_wrong() {
    let (_, err) = ended(start("serve"), 2);
    assert!(err.contains("executor: ADDR is missing; --help explains the options"), "{err}");
    let (out, _) = ended(start("--help"), 0);
    assert!(out.contains("executor clients ADDR"), "{out}");
    let taken = TcpListener::bind(V4).expect(NO_SOCKET);
    let address = taken.local_addr().expect("its address");
    let (_, err) = ended(start(&format!("serve {address}")), 1);
    let sentence = format!("executor: cannot listen on {address} (it is in use): ");
    assert!(err.contains(&sentence), "{err}");
    drop(taken);
    let (out, err) = ended(start(&format!("clients {address} --clients 2")), 1);
    assert!(out.contains("0 of 2 clients had all back"), "{out}");
    assert!(err.contains("executor: the first client that failed: "), "{err}");
}
