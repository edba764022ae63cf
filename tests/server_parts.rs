//! The parts of the examples `echo_server` and `tcp_proxy` that need no Windows: what their options
//! mean.

#[path = "../examples/echo_server/arguments.rs"]
mod echo;
#[path = "../examples/tcp_proxy/arguments.rs"]
mod proxy;
#[path = "../examples/shared/words.rs"]
mod words;

use std::ffi::OsString;

use words::Request;

fn split(line: &str) -> impl Iterator<Item = OsString> {
    line.split(' ').filter(|word| !word.is_empty()).map(OsString::from)
}

fn echo(line: &str) -> Result<Request<echo::Options>, String> {
    echo::parse(split(line))
}

fn proxy(line: &str) -> Result<Request<proxy::Options>, String> {
    proxy::parse(split(line))
}

#[track_caller]
fn echoes(line: &str, address: &str, threads: Option<u32>, inline: bool, until_stdin_ends: bool) {
    let address = address.to_string();
    let options = echo::Options { address, threads, inline, until_stdin_ends };
    assert_eq!(echo(line), Ok(Request::Run(options)), "{line}");
}

#[track_caller]
fn forwards(line: &str, listen: &str, upstream: &str, threads: Option<u32>) {
    let (listen, upstream) = (listen.to_string(), upstream.to_string());
    let options = proxy::Options { listen, upstream, threads, until_stdin_ends: false };
    assert_eq!(proxy(line), Ok(Request::Run(options)), "{line}");
}

/// The sentence is one line, and has the words that tell what is wrong.
#[track_caller]
fn is_refused<T: std::fmt::Debug>(answer: Result<T, String>, words: &str) {
    let sentence = answer.expect_err(words);
    assert!(sentence.contains(words) && !sentence.contains('\n'), "{words}: {sentence}");
}

#[test]
fn the_echo_server_needs_no_options() {
    echoes("", "127.0.0.1:7007", None, false, false);
    echoes("0.0.0.0:0", "0.0.0.0:0", None, false, false);
    echoes("--inline [::1]:7 --threads 256", "[::1]:7", Some(256), true, false);
    echoes("--threads=1 localhost:1 --until-stdin-ends", "localhost:1", Some(1), false, true);
}

#[test]
fn the_proxy_needs_two_addresses() {
    forwards("127.0.0.1:0 example.com:80", "127.0.0.1:0", "example.com:80", None);
    forwards("--threads 2 a:1 [::1]:65535", "a:1", "[::1]:65535", Some(2));
    is_refused(proxy(""), "LISTEN and UPSTREAM are missing");
    is_refused(proxy("127.0.0.1:0"), "UPSTREAM is missing");
    is_refused(proxy("a:1 b:2 c:3"), "no use for \"c:3\"");
    is_refused(proxy("a:1 b:0"), "UPSTREAM is HOST:PORT");
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    is_refused(echo("--threads"), "--threads lacks a value");
    is_refused(echo("--threads --inline"), "--threads lacks a value");
    for number in ["0", "257", "x", "-1", "4294967296"] {
        is_refused(echo(&format!("--threads {number}")), "from 1 to 256");
    }
    is_refused(echo("--threads 1 --threads=2"), "--threads is given twice");
    is_refused(echo("--inline --inline"), "--inline is given twice");
    is_refused(echo("--inline=yes"), "--inline takes no value");
    is_refused(echo("a:1 --inline=yes"), "--inline takes no value");
    is_refused(echo("a:1 b:1"), "ADDR is given twice");
    is_refused(echo("--out"), "no option \"--out\"");
    is_refused(proxy("-x"), "no option \"-x\"");
    for address in ["7007", ":1", "a", "a:", "a:65536", "a/b:1", "a:-1"] {
        is_refused(echo(address), "ADDR is HOST:PORT");
        is_refused(proxy(address), "LISTEN is HOST:PORT");
    }
}

#[test]
fn help_comes_before_anything_else_and_names_every_option() {
    for line in ["--help", "-h", "a:1 --help --nonsense"] {
        assert_eq!(echo(line), Ok(Request::Help), "{line}");
        assert_eq!(proxy(line), Ok(Request::Help), "{line}");
    }
    for option in ["--threads", "--until-stdin-ends"] {
        assert!(echo::HELP.contains(&format!("    {option}")));
        assert!(proxy::HELP.contains(&format!("    {option}")));
    }
    assert!(echo::HELP.contains("    --inline") && proxy::HELP.contains("    UPSTREAM"));
    assert!([echo::HELP, proxy::HELP].iter().all(|help| help.lines().all(|l| l.len() <= 100)));
}
