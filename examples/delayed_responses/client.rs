//! The client: a completion queue at work.
//!
//! Every connection goes the same way: it is *registered* once, under a key, and lends a buffer to
//! the kernel with a *receive*. The thread *waits* for whatever completes first, *handles* it, and
//! lends the buffer again, until the response is complete.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Failure, Key, Registration};

use crate::host::Host;
use crate::program::count;
use crate::report::Report;
use crate::response::{self, Response};

/// The least room that a receive gets. Less would do, only with more packets.
const ROOM: usize = 4096;

/// How many completions one system call can bring.
const BATCH: usize = 64;

/// Far longer than the second thread needs for two calls.
const FAREWELL: Duration = Duration::from_secs(10);

/// Asks for all paths at once, and prints each response when it is complete.
pub fn ask_all(host: Host, paths: &[String], timeout: Duration) -> Result<(), Box<dyn Error>> {
    let queue = &CompletionQueue::new()?;
    let waker = queue.waker();
    let (second_thread, all_answered) = mpsc::channel();

    thread::scope(|scope| {
        // A thread that sleeps in the queue can be reached from any other. This one waits until all
        // responses are there, and then says so. If the client fails, it hears that and just ends.
        let handle = scope.spawn(move || match all_answered.recv() {
            Ok(()) => waker.wake().and_then(|()| queue.shut_down()),
            Err(mpsc::RecvError) => Ok(()),
        });

        let mut client = Client {
            queue,
            host,
            paths,
            streams: BTreeMap::new(),
            unanswered: paths.len(),
            second_thread,
            failed: 0,
            packets: 0,
            batches: 0,
            started: Instant::now(),
            give_up: Instant::now() + timeout,
            report: Report::new(paths),
        };
        let result = client.open_connections().and_then(|()| client.run());

        // This closes the sockets that were never answered, which cancels what they have in flight.
        // The queue is dropped later, and waits until the kernel has returned all of that.
        drop(client);
        handle.join().expect("the second thread makes two calls and does not panic")?;
        result
    })
}

struct Client<'a> {
    queue: &'a CompletionQueue,
    host: Host,
    /// The path with number N is asked for on the connection with key N.
    paths: &'a [String],
    /// The connections with a receive in flight.
    streams: BTreeMap<Key, Registration<TcpStream>>,
    unanswered: usize,
    /// Tells it that all are answered.
    second_thread: Sender<()>,
    failed: usize,
    packets: usize,
    batches: usize,
    started: Instant,
    give_up: Instant,
    report: Report,
}

impl Client<'_> {
    fn open_connections(&mut self) -> Result<(), Box<dyn Error>> {
        let requests = count(self.paths.len(), "request");
        self.report.line(&format!("sending {requests} in the order of the keys"))?;
        for number in 0..self.paths.len() {
            if let Err(error) = self.open_connection(Key(number)) {
                self.answered(Key(number), Err(error))?;
            }
        }
        Ok(())
    }

    fn open_connection(&mut self, key: Key) -> io::Result<()> {
        let mut stream = self.host.connect(self.give_up)?;
        let (path, host) = (&self.paths[key.0], &self.host.name);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;

        // From here on, what is received on this socket is reported to the queue. If the response
        // has come already, the receive ends with it at once, and that is reported there too.
        let stream = self.queue.register(stream, key)?;
        stream.receive(Vec::with_capacity(ROOM))?;
        self.streams.insert(key, stream);
        Ok(())
    }

    /// The loop. All that happens comes to this one place, in the order in which it happens.
    fn run(&mut self) -> Result<(), Box<dyn Error>> {
        let mut batch = Completions::with_capacity(BATCH);
        loop {
            let completions = self.queue.wait(&mut batch, Some(self.time_left()))?;
            self.batches += 1;
            for completion in completions {
                match completion {
                    Completion::Received { key, buffer, result, .. } => {
                        // Else it was a part of a response, and the rest has been asked for.
                        if let Some(outcome) = self.handle(key, buffer, result).transpose() {
                            self.answered(key, outcome)?;
                        }
                    }
                    Completion::Woken => self.report.line("woken by the second thread")?,
                    Completion::ShutDown => return self.end(),
                    // The client starts nothing else that could complete.
                    _ => {}
                }
            }
            // A wait that has lasted too long comes back with nothing. But a server that sends for
            // ever lets no wait last long, so what counts is the clock.
            if self.time_left().is_zero() {
                return Err(self.missing().into());
            }
        }
    }

    /// Looks at what has come for one connection: a complete response, or `None` if there is more
    /// to come, for which another receive is in flight then.
    fn handle(
        &mut self,
        key: Key,
        mut buffer: Vec<u8>,
        result: Result<usize, Failure>,
    ) -> io::Result<Option<Response>> {
        self.packets += 1;
        // A receive always has room, so no bytes means that the server has closed its side.
        let at_end = result? == 0;
        if let Some(response) = response::complete(&buffer, at_end)? {
            return Ok(Some(response));
        }
        // A packet brings what was there at that moment, and knows nothing of responses. The buffer
        // is lent with the bytes that are in it, and the next ones are put behind them.
        buffer.reserve(ROOM);
        self.streams[&key].receive(buffer)?;
        Ok(None)
    }

    /// One more path has its answer, good or bad.
    fn answered(&mut self, key: Key, outcome: io::Result<Response>) -> io::Result<()> {
        // Nothing is in flight on this connection any more, so closing it disturbs nobody.
        self.streams.remove(&key);
        self.unanswered -= 1;
        let what = match outcome {
            Ok(Response { status_line, body }) => {
                format!("{status_line}  {}", count(body, "byte"))
            }
            Err(error) => {
                self.failed += 1;
                format!("failed: {error}")
            }
        };
        self.report.answer(key.0, &self.paths[key.0], &what, self.started.elapsed())?;
        self.report.progress(self.paths.len() - self.unanswered, self.paths.len());
        if self.unanswered == 0 { self.all_answered() } else { Ok(()) }
    }

    /// Leaves the rest to the second thread.
    fn all_answered(&mut self) -> io::Result<()> {
        let responses = count(self.paths.len() - self.failed, "response");
        let (packets, batches) = (count(self.packets, "packet"), count(self.batches, "batch"));
        self.report.line(&format!("{responses}, received in {packets} and {batches}"))?;
        self.give_up = Instant::now() + FAREWELL;
        // This cannot fail, for the second thread waits for nothing else.
        let _ = self.second_thread.send(());
        Ok(())
    }

    /// The queue has been shut down. With nothing in flight, nothing has to be waited for.
    fn end(&mut self) -> Result<(), Box<dyn Error>> {
        let in_flight = count(self.queue.in_flight(), "operation");
        self.report.line(&format!("shut down by the second thread, {in_flight} in flight"))?;
        let asked_for = count(self.paths.len(), "response");
        match self.failed {
            0 => Ok(()),
            failed => Err(format!("{failed} of {asked_for} failed, as printed").into()),
        }
    }

    fn time_left(&self) -> Duration {
        self.give_up.saturating_duration_since(Instant::now())
    }

    /// A sentence that names those who have not answered in time, or the first ten of them.
    fn missing(&self) -> String {
        if self.unanswered == 0 {
            return "the second thread has not shut the queue down".to_string();
        }
        let name = |key: &Key| format!("key {} {}", key.0, self.paths[key.0]);
        let mut missing = self.streams.keys().take(10).map(name).collect::<Vec<_>>().join(", ");
        if self.unanswered > 10 {
            missing += &format!(" and {} more", self.unanswered - 10);
        }
        let seconds = (self.give_up - self.started).as_secs();
        format!("no complete response within {seconds} s for {missing}")
    }
}
