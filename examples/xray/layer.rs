//! What the scenes say of an operation of the layer, whose `OVERLAPPED` is in the table of its
//! queue. What can be seen of that table from outside is who has how many operations in flight.

use std::io;
use std::net::TcpStream;

use overlapped::{Buffer, Completion, CompletionQueue, Completions, Key, Registration};

use super::events::{Events, Whose};
use super::threads::{LIMIT, nothing_came};

pub const BY_LAYER: &str = "by the layer, with its table";

pub const KEY: Key = Key(7);

/// A queue, and a stream that is registered with it.
pub struct Layer<B: Buffer> {
    /// Before the queue, so that the queue has nothing to wait for.
    pub stream: Registration<TcpStream, B>,
    pub queue: CompletionQueue<B>,
}

impl<B: Buffer> Layer<B> {
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        let queue = CompletionQueue::new()?;
        let stream = queue.register(stream, KEY)?;
        Ok(Self { stream, queue })
    }

    /// The registration counts what lies in a batch unread, and the queue does not.
    pub fn counts(&self, events: &Events, whose: Whose) {
        let (stream, queue) = (self.stream.in_flight(), self.queue.in_flight());
        events.say(whose, format!("in_flight: stream {stream}, queue {queue}"));
    }

    /// Waits until something is in the batch.
    pub fn wait(&self, events: &Events, batch: &mut Completions<B>) -> io::Result<()> {
        wait(&self.queue, batch)?;
        events.say(Whose::Table, format!("wait has brought {} completion", batch.len()));
        self.counts(events, Whose::Table);
        Ok(())
    }
}

pub fn wait<B: Buffer>(queue: &CompletionQueue<B>, batch: &mut Completions<B>) -> io::Result<()> {
    if queue.wait(batch, Some(LIMIT))?.is_empty() { Err(nothing_came()) } else { Ok(()) }
}

/// Reads the batch, of which one completion is expected, and says what it is.
pub fn read(
    layer: &Layer<Vec<u8>>,
    events: &Events,
    batch: &mut Completions,
) -> io::Result<Vec<u8>> {
    let completion = batch.next().ok_or_else(nothing_came)?;
    let Completion::Received { key, buffer, result, .. } = completion else {
        return Err(io::Error::other(format!("another completion has come: {completion:?}")));
    };
    let result = match result {
        Ok(count) => format!("Ok({count})"),
        Err(failure) if failure.is_cancelled() => "Err(Cancelled)".to_string(),
        Err(failure) => return Err(failure.into()),
    };
    events.say(Whose::Program, format!("Received: key {}, {result}", key.0));
    let text = String::from_utf8_lossy(&buffer).into_owned();
    events.say(Whose::Program, format!("the buffer is back: {text:?}"));
    layer.counts(events, Whose::Program);
    Ok(buffer)
}
