//! Is this a complete HTTP response? As much of HTTP/1.1 as it takes to tell.
//!
//! The bytes of a response come in pieces of any size. So the question is put anew whenever some
//! have been added, about all that there are, and nothing is remembered in between. This costs
//! another look at the head, which is short, and none at the body.

use std::io::{Error, ErrorKind, Result};

/// Longer heads are not real ones.
const LONGEST_HEAD: usize = 64 << 10;

/// The whole response is kept in memory, so there is a limit to it.
const LONGEST_BODY: usize = 1 << 30;

/// A response that is there in full.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// The first line, such as `HTTP/1.1 200 OK`, fit to be printed.
    pub status_line: String,
    /// How many bytes follow the head.
    pub body: usize,
}

/// The response, if `received` has all of it: as many bytes as its `Content-Length` says, or those
/// until the end of the stream. `None` if there is more to come.
///
/// # Errors
///
/// * `InvalidData`: these bytes do not begin an HTTP response, or one that is too long to keep.
/// * `UnexpectedEof`: the stream has ended, and the response is not complete.
pub fn complete(received: &[u8], at_end: bool) -> Result<Option<Response>> {
    // Seen before the end of the head, for what is no HTTP may never send one.
    if received.iter().zip(b"HTTP/1.").any(|(byte, expected)| byte != expected) {
        return Err(invalid("what the server sends is not HTTP/1.1"));
    }
    let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return match received.len() {
            0 if at_end => Err(cut("the connection was closed without a response")),
            _ if at_end => Err(cut("the connection was closed in the head of the response")),
            LONGEST_HEAD.. => Err(invalid("the head of the response is longer than 64 KiB")),
            _ => Ok(None),
        };
    };
    let head = String::from_utf8_lossy(&received[..end]);
    let body = received.len() - (end + 4);
    let length = content_length(&head)?;
    if body.max(length.unwrap_or(0)) > LONGEST_BODY {
        return Err(invalid("the response is longer than 1 GiB, which this example does not keep"));
    }
    match length {
        Some(length) if body >= length => Ok(Some(response(&head, length))),
        Some(length) if at_end => {
            let sentence = format!("the connection was closed after {body} of {length} bytes");
            Err(cut(&sentence))
        }
        None if at_end => Ok(Some(response(&head, body))),
        _ => Ok(None),
    }
}

/// How long the head says that the body is. With a `Transfer-Encoding` it does not say so, and what
/// it says elsewhere does not count.
fn content_length(head: &str) -> Result<Option<usize>> {
    let fields = || head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let field = |wanted: &str| fields().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    match (field("Transfer-Encoding"), field("Content-Length")) {
        (None, Some((_, length))) => match length.trim().parse() {
            Ok(length) => Ok(Some(length)),
            Err(_) => Err(invalid("the Content-Length of the response makes no sense")),
        },
        _ => Ok(None),
    }
}

fn response(head: &str, body: usize) -> Response {
    // It goes to a terminal, so it must not be able to steer one.
    let printable = |c: &char| !c.is_control();
    let status_line = head.lines().next().unwrap_or_default().chars().filter(printable).collect();
    Response { status_line, body }
}

fn invalid(sentence: &str) -> Error {
    Error::new(ErrorKind::InvalidData, sentence)
}

fn cut(sentence: &str) -> Error {
    Error::new(ErrorKind::UnexpectedEof, sentence)
}
