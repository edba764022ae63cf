//! Threads that serve one queue, and how they come to an end.
//!
//! ```text
//!   wait, handle, wait, handle, ... ShutDown   stop, wait, handle, ... nothing is in flight: the end
//!                                                                  ... 2 s have passed: close, wait, ...
//! ```
//!
//! Each thread has one loop for all of this. When the queue is shut down, each is told once; then
//! the connections are asked to end in order, and the loop goes on while there is something to
//! collect. After a bounded time those that have not ended are closed.

use std::io;
use std::num::NonZero;
use std::sync::Once;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions};

/// How many completions one system call brings at most. Few, so that many threads have a share.
const BATCH: usize = 16;

/// How long the connections have to end when the server does.
const FAREWELL: Duration = Duration::from_secs(2);

/// Cancelled operations come back within microseconds. This is for a driver that is broken.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a server does. All threads use it at the same time.
pub trait Service: Sync {
    /// Deals with one thing that has happened. Returns what comes of it if that has happened
    /// already, but others should have a turn first.
    fn handle(&self, completion: Completion) -> Option<Completion>;

    /// Is called once a second, until `stop`.
    fn each_second(&self);

    /// The server is to end: begin to end each connection. Is called once, while other threads
    /// handle what has happened before, or after.
    fn stop(&self);

    /// The time is up: drop what is left. Is called once, after `stop`.
    fn close(&self);
}

/// How many threads are meant, where `None` stands for as many as processors.
pub fn threads(wanted: Option<u32>) -> u32 {
    let processors = || thread::available_parallelism().map_or(1, NonZero::get) as u32;
    wanted.unwrap_or_else(processors)
}

/// Serves until the queue is shut down, and returns when nothing is in flight any more.
pub fn serve(
    queue: &CompletionQueue,
    threads: u32,
    service: &impl Service,
    mut each_second: impl FnMut() + Send,
) -> io::Result<()> {
    let (stop, close) = (Once::new(), Once::new());
    thread::scope(|scope| {
        let (alive, second) = mpsc::channel::<()>();
        let clock = scope.spawn(move || {
            while second.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                service.each_second();
                each_second();
            }
        });
        let work = || work(queue, service, &stop, &close);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ends = threads.into_iter().map(|thread| thread.join().expect("no handler panics"));
        let ended = ends.collect::<Vec<_>>();
        drop(alive);
        clock.join().expect("no handler panics");
        ended.into_iter().collect::<io::Result<()>>()
    })?;
    match queue.in_flight() {
        0 => Ok(()),
        rest => Err(io::Error::other(format!("{rest} operations are still in flight"))),
    }
}

/// One thread, from the first completion to the last.
fn work(
    queue: &CompletionQueue,
    service: &impl Service,
    stop: &Once,
    close: &Once,
) -> io::Result<()> {
    let mut batch = Completions::with_capacity(BATCH);
    let mut until = None;
    loop {
        let waited = match until {
            None => queue.wait(&mut batch, None),
            Some(moment) => queue.wait_until(&mut batch, moment),
        };
        // If shutting down fails as well, the others find the same error by themselves.
        let completions = waited.inspect_err(|_| drop(queue.shut_down()))?;
        if completions.is_empty() {
            // Nothing is in flight any more, or the time is up: once for the farewell, and once for
            // what was closed after that, which has to come back all the same.
            if queue.in_flight() == 0 || close.is_completed() {
                return Ok(());
            }
            close.call_once(|| service.close());
            until = Some(Instant::now() + PATIENCE);
        }
        while let Some(completion) = batch.next() {
            if let Completion::ShutDown = completion {
                stop.call_once(|| service.stop());
                until = Some(Instant::now() + FAREWELL);
            } else if let Some(later) = service.handle(completion) {
                batch.push(later);
            }
        }
    }
}
