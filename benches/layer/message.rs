//! What both sides have in common: the bytes that are sent, and the connections that they go over.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

/// The length of a message.
pub const SIZE: usize = 64;

/// The number of connections, where there are many.
pub const MANY: usize = 64;

/// How many packets one wait can bring.
pub const CAPACITY: usize = 64;

/// A message: a number, which differs from round to round, and behind it a pattern.
pub fn message() -> [u8; SIZE] {
    std::array::from_fn(|index| index as u8 ^ 0xA5)
}

/// Writes the number at the front of a message.
pub fn set_number(message: &mut [u8], number: u64) {
    message[..8].copy_from_slice(&number.to_ne_bytes());
}

/// An error unless this is the message of that number.
pub fn check(message: &[u8], number: u64) -> io::Result<()> {
    let mut wanted = self::message();
    set_number(&mut wanted, number);
    if message == wanted { Ok(()) } else { Err(wrong("another message has come than was sent")) }
}

/// That a round was not as it should be.
#[cold]
pub fn wrong(sentence: &str) -> io::Error {
    io::Error::other(sentence.to_string())
}

/// A name for a pipe that nobody else has.
pub fn pipe_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("overlapped-bench-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

/// The two ends of a connection.
pub fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    for end in [&near, &far] {
        // Nothing shall wait for more to be sent along with it.
        end.set_nodelay(true)?;
    }
    Ok((near, far))
}
