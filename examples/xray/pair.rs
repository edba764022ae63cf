//! Two ends of a connection on this machine.

use std::io;
use std::net::{TcpListener, TcpStream};

pub struct Pair {
    /// The end that receives.
    pub stream: TcpStream,
    /// The end that sends.
    pub peer: TcpStream,
}

impl Pair {
    pub fn new() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let stream = TcpStream::connect(listener.local_addr()?)?;
        let own = stream.local_addr()?;
        // Another program could have connected first, and is turned away.
        loop {
            let (peer, from) = listener.accept()?;
            if from == own {
                return Ok(Self { stream, peer });
            }
        }
    }
}
