//! The parts of the example `delayed_responses` that need no Windows: what its options mean, when a
//! response is complete, and the server that it asks.

#[path = "../examples/delayed_responses/arguments.rs"]
mod arguments;
#[path = "../examples/delayed_responses/response.rs"]
mod response;
#[path = "../examples/delayed_responses/server.rs"]
mod server;
#[path = "../examples/shared/words.rs"]
mod words;

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use arguments::{HELP, Options};
use response::{Response, complete};
use words::Request;

const SHORT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// What a command line means, or the sentence about it.
fn parse(line: &str) -> Result<Request<Options>, String> {
    arguments::parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
}

#[track_caller]
fn asks(line: &str, server: Option<&str>, paths: &[&str], seconds: u64) {
    let server = server.map(str::to_string);
    let paths = paths.iter().map(|path| path.to_string()).collect();
    let timeout = Duration::from_secs(seconds);
    assert_eq!(parse(line), Ok(Request::Run(Options { server, paths, timeout })), "{line}");
}

/// The sentence is one line, and has the words that tell what is wrong.
#[track_caller]
fn is_refused(line: &str, words: &str) {
    let sentence = parse(line).expect_err(line);
    assert!(sentence.contains(words) && !sentence.contains('\n'), "{line}: {sentence}");
}

#[test]
fn without_options_five_delays_fall_evenly() {
    asks("", None, &["/1000/a", "/800/b", "/600/c", "/400/d", "/200/e"], 30);
    asks("--connections 2", None, &["/1000/a", "/500/b"], 30);
    asks("--connections=1 --timeout=86400", None, &["/1000/a"], 86_400);
}

#[test]
fn delays_become_paths_in_the_order_given() {
    asks("--delays 0,0,3600000", None, &["/0/a", "/0/b", "/3600000/c"], 30);
    let many = vec!["7"; 28].join(",");
    let Ok(Request::Run(options)) = parse(&format!("--delays {many}")) else { panic!("{many}") };
    assert_eq!(options.paths[25..], ["/7/z", "/7/aa", "/7/ab"]);
}

#[test]
fn another_server_is_asked_for_each_path() {
    let local = Some("127.0.0.1:8000");
    asks("--connect 127.0.0.1:8000", local, &["/"], 30);
    asks("--connect 127.0.0.1:8000 --path /x --path=/y?z=1", local, &["/x", "/y?z=1"], 30);
    asks("--connect [::1]:80 --timeout 2", Some("[::1]:80"), &["/"], 2);
}

#[test]
fn options_that_make_no_sense_get_a_sentence() {
    for line in ["--delays", "--delays --timeout 2", "--connect", "--path"] {
        is_refused(line, "lacks a value");
    }
    let numbers = ["0", "-1", "1001", "5.5", "many", "99999999999999999999"];
    for number in numbers {
        is_refused(&format!("--connections {number}"), "from 1 to 1000, not");
    }
    for number in ["0", "-1", "1e3", "86401", "99999999999999999999"] {
        is_refused(&format!("--timeout {number}"), "from 1 to 86400, not");
    }
    for list in ["--delays=", "--delays ,", "--delays 1,,2", "--delays 1,2,", "--delays -5"] {
        is_refused(list, "from 0 to 3600000 with commas between, not");
    }
    is_refused(&format!("--delays {}", vec!["0"; 1001].join(",")), "more than 1000");
    is_refused("--delays 1 --connections 2", "exclude each other");
    is_refused("--timeout 1 --timeout 2", "twice");
    is_refused("--path /x", "--connect");
    is_refused("--connect a:1 --delays 1", "--delays");
    is_refused("--connect a:1 --connections 2", "--path");
    for server in ["localhost", "localhost:", ":80", "a:0", "a:65536", "http://a:80", "a:b"] {
        is_refused(&format!("--connect {server}"), "HOST:PORT");
    }
    is_refused("--connect a:1 --path x", "begins with /");
    for odd in ["200", "--Delays", "-x", "--", "--connections\n", "--delay=3"] {
        is_refused(odd, "there is no option");
    }
}

#[test]
fn no_argument_can_smuggle_a_line_into_a_request() {
    let parse = |words: &[&str]| arguments::parse(words.iter().map(OsString::from));
    assert!(parse(&["--connect", "a:1", "--path", "/ HTTP/1.1\r\nX: y"]).is_err());
    assert!(parse(&["--connect", "a\r\nX: y:80"]).is_err());
}

#[test]
fn help_comes_before_anything_else_and_names_every_option() {
    for line in ["--help", "-h", "--delays 1 --help --nonsense"] {
        assert_eq!(parse(line), Ok(Request::Help), "{line}");
    }
    for option in ["--delays", "--connections", "--connect", "--path", "--timeout", "--help"] {
        assert!(HELP.contains(&format!("    {option}")) || HELP.contains(&format!(", {option}")));
    }
    assert!(HELP.lines().all(|line| line.len() <= 100));
}

#[test]
fn a_response_is_complete_with_its_last_byte_and_not_before() {
    for end in 0..SHORT.len() {
        assert_eq!(complete(&SHORT[..end], false).expect("a part"), None, "{end} bytes");
        let cut = complete(&SHORT[..end], true).expect_err("it was cut");
        assert_eq!(cut.kind(), ErrorKind::UnexpectedEof, "{end} bytes");
    }
    let whole = Response { status_line: "HTTP/1.1 200 OK".to_string(), body: 5 };
    assert_eq!(complete(SHORT, false).expect("a response"), Some(whole));
}

#[test]
fn without_a_length_the_end_of_the_stream_is_the_end_of_the_response() {
    let lengthless = b"HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\nnothing here";
    let chunked =
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    for (response, body) in [(&lengthless[..], 12), (&chunked[..], 5)] {
        assert_eq!(complete(response, false).expect("a part"), None);
        let complete = complete(response, true).expect("a response").expect("all of it");
        assert_eq!(complete.body, body);
    }
}

#[test]
fn the_length_is_that_of_the_body_and_nothing_else() {
    let empty = b"HTTP/1.1 204 No Content\r\nX-Content-Length: 9\r\nCONTENT-LENGTH:0\r\n\r\n";
    assert_eq!(complete(empty, false).expect("a response").map(|whole| whole.body), Some(0));
    let more = [SHORT, b"HTTP/1.1"].concat();
    assert_eq!(complete(&more, false).expect("a response").map(|whole| whole.body), Some(5));
}

#[test]
fn what_is_no_response_is_refused_before_the_stream_ends() {
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'x'; 1 << 16]].concat();
    let odd: [&[u8]; 5] = [
        b"SSH-2.0-x\r\n",
        b"\0",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n",
        &endless,
    ];
    for bytes in odd {
        let refused = complete(bytes, false).expect_err("no response");
        assert_eq!(refused.kind(), ErrorKind::InvalidData);
    }
}

#[test]
fn a_status_line_cannot_steer_a_terminal() {
    let whole = complete(b"HTTP/1.1 200 \x1b[2JOK\x07\r\n\r\n", true).expect("a response");
    assert_eq!(whole.expect("all of it").status_line, "HTTP/1.1 200 [2JOK");
}

#[test]
fn the_server_answers_every_request_in_full() {
    let address = server::start().expect("a free port");
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("not zero");
        stream.write_all(request.as_bytes()).expect("the server reads");
        let mut received = Vec::new();
        stream.read_to_end(&mut received).expect("the server closes without a reset");
        let whole = complete(&received, false).expect("a response").expect("all of it");
        (whole.status_line, String::from_utf8_lossy(&received).into_owned())
    };
    let (status, response) = ask("GET /1/b HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(response.ends_with("\r\n\r\nb, after 1 ms\n"), "{response}");
    for odd in ["GET / HTTP/1.1", "GET /-1/a HTTP/1.1", "POST /1/a HTTP/1.1", "hello", ""] {
        assert_eq!(ask(&format!("{odd}\r\n\r\n")).0, "HTTP/1.1 400 Bad Request", "{odd}");
    }
}
