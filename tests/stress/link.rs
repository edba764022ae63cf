//! One registered stream of either mode, or a socket for datagrams that sends to itself, and the
//! bytes that go through it.

use std::io;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::windows::io::OwnedSocket;
use std::sync::{Arc, Mutex, PoisonError};

use overlapped::{Buffer, Completion, Inline, Key, OperationId, Registration, Rejected, Submitted};

use super::calls::Numbers;
use super::ledger::{Facts, Kind, Ledger, Tagged};

/// What a stream carries at each place of it: so any piece of it can be checked by itself.
const CYCLE: u8 = 251;

pub enum Stream {
    Queued(Registration<TcpStream, Tagged>),
    Inline(Registration<TcpStream, Tagged, Inline>),
    /// And its address.
    Datagrams(Registration<UdpSocket, Tagged>, SocketAddr),
}

/// A stream and the byte that is sent next on it. When it is dropped, the ledger is told that its
/// key is silent from now on.
pub struct Link {
    stream: Option<Stream>,
    next: Mutex<u8>,
    key: Key,
    ledger: Arc<Ledger>,
}

/// What a submission answers, whatever the mode.
type Answer = (OperationId, Option<Completion<Tagged>>);

impl Link {
    pub fn new(stream: Stream, key: Key, ledger: &Arc<Ledger>) -> Arc<Self> {
        let (next, ledger) = (Mutex::new(0), Arc::clone(ledger));
        Arc::new(Self { stream: Some(stream), next, key, ledger })
    }

    fn stream(&self) -> &Stream {
        self.stream.as_ref().expect("taken out when it is dropped")
    }

    /// Receives into a buffer that may hold something already, or turns it away.
    pub fn receive(&self, numbers: &mut Numbers) -> Option<Answer> {
        let mut bytes = Vec::with_capacity(1 + numbers.below(3_000) as usize);
        bytes.resize(bytes.capacity() / 4, CYCLE);
        let buffer = Tagged::new(&self.ledger, bytes);
        let (tag, before) = (buffer.tag, buffer.bytes.clone());
        let answer = match self.stream() {
            Stream::Queued(stream) => stream.receive(buffer).map(pending),
            Stream::Inline(stream) => stream.receive(buffer).map(submitted),
            Stream::Datagrams(socket, _) => socket.receive_from(buffer).map(pending),
        };
        self.answered(
            Kind::Receive,
            Some(tag),
            answer.map_err(|back| came_back(back, tag, &before)),
        )
    }

    pub fn readable(&self) -> Option<Answer> {
        let answer = match self.stream() {
            Stream::Queued(stream) => stream.readable().map(pending),
            Stream::Inline(stream) => stream.readable().map(submitted),
            Stream::Datagrams(..) => return None,
        };
        self.answered(Kind::Readable, None, answer)
    }

    /// Sends what comes next in the cycle. What fails has sent nothing; what is cancelled later may
    /// have sent a part, and leaves a gap.
    pub fn send(&self, numbers: &mut Numbers) -> Option<Answer> {
        let size = if numbers.below(50) == 0 { 200_000 } else { numbers.below(3_000) };
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let cycle = (0..CYCLE).cycle().skip(usize::from(*next));
        let buffer = Tagged::new(&self.ledger, cycle.take(size as usize).collect());
        let (tag, before) = (buffer.tag, buffer.bytes.clone());
        let answer = match self.stream() {
            Stream::Queued(stream) => stream.send(buffer).map(pending),
            Stream::Inline(stream) => stream.send(buffer).map(submitted),
            Stream::Datagrams(socket, itself) => socket.send_to(buffer, *itself).map(pending),
        };
        if answer.is_ok() {
            *next = ((u64::from(*next) + size) % u64::from(CYCLE)) as u8;
        }
        drop(next);
        self.answered(Kind::Send, Some(tag), answer.map_err(|back| came_back(back, tag, &before)))
    }

    fn answered(&self, kind: Kind, tag: Option<u64>, answer: io::Result<Answer>) -> Option<Answer> {
        match answer {
            Ok((id, done)) => {
                self.ledger.submitted(id, Facts { kind, key: self.key, tag });
                Some((id, done))
            }
            Err(error) => {
                let theirs = [io::ErrorKind::BrokenPipe, io::ErrorKind::OutOfMemory];
                assert!(!theirs.contains(&error.kind()), "the queue is there: {error}");
                None
            }
        }
    }

    /// Asks for the end of one operation, of this link or of another.
    pub fn cancel(&self, id: OperationId) {
        let _asked = match self.stream() {
            Stream::Queued(stream) => stream.cancel(id),
            Stream::Inline(stream) => stream.cancel(id),
            Stream::Datagrams(socket, _) => socket.cancel(id),
        };
    }

    pub fn cancel_all(&self) {
        let _asked = match self.stream() {
            Stream::Queued(stream) => stream.cancel_all(),
            Stream::Inline(stream) => stream.cancel_all(),
            Stream::Datagrams(socket, _) => socket.cancel_all(),
        };
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let stream = self.stream.take().expect("taken here alone");
        if self.key.0 % 2 == 0 || self.ledger.is_socket_kept() {
            self.ledger.keep_socket(match stream {
                Stream::Queued(stream) => stream.into_inner(),
                Stream::Inline(stream) => stream.into_inner(),
                Stream::Datagrams(socket, _) => {
                    TcpStream::from(OwnedSocket::from(socket.into_inner()))
                }
            });
        } else {
            drop(stream);
        }
        self.ledger.gone(self.key);
    }
}

fn pending(id: OperationId) -> Answer {
    (id, None)
}

fn submitted(answer: Submitted<Tagged>) -> Answer {
    match answer {
        Submitted::Pending(id) => (id, None),
        Submitted::Done(completion) => match &completion {
            Completion::Received { id, .. }
            | Completion::Readable { id, .. }
            | Completion::Sent { id, .. } => (*id, Some(completion)),
            other => panic!("no such operation was submitted: {other:?}"),
        },
    }
}

/// A buffer that was turned away is the one that was given, and as it was.
fn came_back(rejected: Rejected<Tagged>, tag: u64, before: &[u8]) -> io::Error {
    assert_eq!((rejected.returned.tag, rejected.returned.filled(0)), (tag, before));
    rejected.error
}

/// Whether a piece of a stream is one: each byte follows from the one before it.
pub fn is_a_piece(bytes: &[u8]) -> bool {
    bytes.windows(2).all(|two| two[1] == (two[0] + 1) % CYCLE) && bytes.iter().all(|b| *b < CYCLE)
}

/// What was in the buffer before, and what came behind it.
pub fn split(buffer: &Tagged, count: usize) -> (&[u8], &[u8]) {
    buffer.bytes.split_at(buffer.bytes.len() - count)
}

/// Whether what was there before is as it was.
pub fn is_untouched(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == CYCLE)
}
