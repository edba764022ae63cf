//! The server's side of one connection: sends, of which so many bytes are in flight at most.

use std::io;
use std::net::TcpStream;

use overlapped::Registration;

/// How long one send is.
pub const PIECE: usize = 64 * 1024;

/// What is sent: the byte at each position follows from the position.
pub struct Pattern(Vec<u8>);

impl Pattern {
    pub fn new() -> Self {
        Self((0..=250).cycle().take(PIECE + 251).collect())
    }

    /// The bytes from a position on, a piece of them at the most.
    fn at(&self, position: usize, length: usize) -> &[u8] {
        let start = position % 251;
        &self.0[start..start + length]
    }

    /// Whether these bytes are what is sent from a position on.
    pub fn is_at(&self, position: usize, bytes: &[u8]) -> bool {
        let mut pieces = (position..).step_by(PIECE).zip(bytes.chunks(PIECE));
        pieces.all(|(position, piece)| piece == self.at(position, piece.len()))
    }
}

pub struct Sending {
    stream: Registration<TcpStream>,
    total: usize,
    most: usize,
    position: usize,
    in_flight: usize,
    peak: usize,
    pattern: Pattern,
    /// Buffers that are not lent.
    free: Vec<Vec<u8>>,
    made: usize,
}

impl Sending {
    /// So many bytes are to be sent in all, and so many may be in flight.
    pub fn new(stream: Registration<TcpStream>, total: usize, most: usize) -> Self {
        let (position, in_flight, peak, made) = (0, 0, 0, 0);
        let (pattern, free) = (Pattern::new(), Vec::new());
        Self { stream, total, most, position, in_flight, peak, pattern, free, made }
    }

    /// Submits sends until all is submitted, or no more may be in flight.
    pub fn fill(&mut self) -> io::Result<()> {
        while self.position < self.total {
            let length = PIECE.min(self.total - self.position);
            if self.in_flight + length > self.most {
                break; // the next send that ends makes room
            }
            let mut buffer = self.free.pop().unwrap_or_else(|| {
                self.made += 1;
                Vec::with_capacity(PIECE)
            });
            buffer.extend_from_slice(self.pattern.at(self.position, length));
            if let Err(mut rejected) = self.stream.send(buffer) {
                rejected.returned.clear();
                self.free.push(rejected.returned);
                return Err(rejected.error);
            }
            self.position += length;
            self.in_flight += length;
            self.peak = self.peak.max(self.in_flight);
        }
        Ok(())
    }

    /// Takes back the buffer of a send that has ended, in whatever way.
    pub fn ended(&mut self, mut buffer: Vec<u8>) {
        self.in_flight -= buffer.len();
        buffer.clear();
        self.free.push(buffer);
    }

    /// How many bytes were in flight at most.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// How many buffers are not lent, and how many there are.
    pub fn buffers(&self) -> (usize, usize) {
        (self.free.len(), self.made)
    }

    pub fn stream(&self) -> &Registration<TcpStream> {
        &self.stream
    }
}
