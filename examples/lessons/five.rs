//! Five connections to a server that takes its time: what the two whole programs talk to.
//!
//! The server is a thread of this program, with sockets of std. It answers the last connection
//! first, and the next when it hears that the answer has been read, so that there is one order.

use std::io::{Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const DELAY: Duration = Duration::from_millis(20);

pub struct Five {
    pub streams: Vec<TcpStream>,
    /// To be told of each answer that has been read. The server ends when this is dropped.
    pub read: Sender<()>,
    server: JoinHandle<Result<()>>,
}

impl Five {
    /// Lets the server end, and waits for that.
    pub fn end(self) -> Result<()> {
        drop(self.read);
        self.server.join().expect("the server does not panic")
    }
}

/// Connects. When all five have been answered, the server calls the function; it sends nothing more
/// then, but keeps the connections open.
pub fn connect(after_all: impl FnOnce() -> Result<()> + Send + 'static) -> Result<Five> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (mut streams, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        streams.push(TcpStream::connect(listener.local_addr()?)?);
        peers.push(listener.accept()?.0);
    }
    let (read, was_read) = channel();
    let server = thread::spawn(move || {
        for (number, peer) in (1..).zip(peers.iter_mut().rev()) {
            thread::sleep(DELAY);
            peer.write_all(format!("answer {number}\n").as_bytes())?;
            if was_read.recv().is_err() {
                return Ok(()); // the program has given up
            }
        }
        let woken = after_all();
        while was_read.recv().is_ok() {}
        woken
    });
    Ok(Five { streams, read, server })
}
