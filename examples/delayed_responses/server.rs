//! A small HTTP server that takes its time: it answers `GET /DELAY_MS/NAME` after that many
//! milliseconds.
//!
//! It is as plain as can be, with a thread for each connection that blocks and sleeps, because it
//! is there to be asked and not to be read. The client is the one with the completion queue.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Enough for the few calls of a connection, and little for two hundred of them.
const STACK: usize = 128 << 10;

/// Starts the server on a port that is free, in a thread that ends with the program.
pub fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::Builder::new().name("server".to_string()).spawn(move || serve(&listener))?;
    Ok(address)
}

fn serve(listener: &TcpListener) {
    // A client that has gone before it was accepted is an error here, and no reason to stop.
    for stream in listener.incoming().flatten() {
        let connection = thread::Builder::new().stack_size(STACK);
        // Whether there is no thread for it or no way to answer it: the connection is closed, and
        // the client sees that.
        let _ = connection.spawn(move || answer(&stream));
    }
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    let request = read_head(stream)?;
    let (status, body) = match delay_and_name(&request) {
        Some((delay, name)) => {
            thread::sleep(Duration::from_millis(delay.into()));
            ("200 OK", format!("{name}, after {delay} ms\n"))
        }
        None => ("400 Bad Request", "the path should be /DELAY_MS/NAME\n".to_string()),
    };
    let length = body.len();

    // In two pieces that are sent at once, as a server does that makes up the body while it sends.
    // Whoever takes a packet for a response is found out.
    stream.set_nodelay(true)?;
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// Reads to the empty line, so that nothing is left unread: closing a connection with bytes unread
/// resets it, and the response may be lost with that. Returns the first line.
fn read_head(stream: &TcpStream) -> io::Result<String> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(request)
}

/// The parts of `GET /DELAY_MS/NAME HTTP/1.1`.
fn delay_and_name(request: &str) -> Option<(u32, &str)> {
    let path = request.strip_prefix("GET /")?.split(' ').next()?;
    let (delay, name) = path.split_once('/')?;
    Some((delay.parse().ok()?, name))
}
