//! Those who are asked: a thread for each connection, which blocks and sleeps.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// How long a peer that sends little by little takes for each byte.
const PAUSE: Duration = Duration::from_millis(5);

/// Starts them on a port that is free, in threads that end with their connections or the program.
pub fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // An error is that the connection has been closed, which is how each of them ends.
            thread::spawn(move || answer(stream));
        }
    });
    Ok(address)
}

/// A question is one line, which says how it is to be answered.
fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut question = String::new();
    BufReader::new(&stream).read_line(&mut question)?;
    match question.trim_end() {
        "at once" => stream.write_all(b"a whole answer\n"),
        "bit by bit" => loop {
            stream.write_all(b".")?;
            thread::sleep(PAUSE);
        },
        _ => stream.read(&mut [0]).map(drop),
    }
}
