//! Threads that serve one queue, and how they come to an end.
//!
//! ```text
//!   threads   wait, handle, wait, handle, ... ShutDown    joined
//!   main                                                     stop, drain (2 s at most), close
//! ```
//!
//! When the queue is shut down, each thread finishes its batch and returns. Then one thread is
//! left, and what is in flight: it lets the connections end in order, for a bounded time, and
//! closes those that did not.

use std::collections::VecDeque;
use std::io;
use std::num::NonZero;
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

    /// The server is to end: begin to end each connection. From here on only one thread calls.
    fn stop(&self);

    /// The time is up: drop what is left.
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
    let left = thread::scope(|scope| {
        let (alive, second) = mpsc::channel::<()>();
        let clock = scope.spawn(move || {
            while second.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                service.each_second();
                each_second();
            }
        });
        let work = || work(queue, service);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ends = threads.into_iter().map(|thread| thread.join().expect("no handler panics"));
        let left = ends.collect::<io::Result<Vec<_>>>();
        drop(alive);
        clock.join().expect("no handler panics");
        left
    })?;
    wind_up(queue, service, left.into_iter().flatten().collect())
}

/// Returns what still has to be handled.
fn work(queue: &CompletionQueue, service: &impl Service) -> io::Result<VecDeque<Completion>> {
    let (mut batch, mut later) = (Completions::with_capacity(BATCH), VecDeque::new());
    loop {
        let timeout = if later.is_empty() { None } else { Some(Duration::ZERO) };
        let completions = queue.wait(&mut batch, timeout).inspect_err(|_| {
            // Should this fail as well, the others find the same error by themselves.
            let _ = queue.shut_down();
        })?;
        if handle_all(completions, &mut later, service) {
            return Ok(later);
        }
    }
}

/// Gives everything one turn: what has been put off, and then what is new. Returns whether the
/// queue has been shut down.
fn handle_all(
    completions: &mut Completions,
    later: &mut VecDeque<Completion>,
    service: &impl Service,
) -> bool {
    for _ in 0..later.len() {
        let again = later.pop_front().and_then(|completion| service.handle(completion));
        later.extend(again);
    }
    let mut shut_down = false;
    for completion in completions {
        match completion {
            Completion::ShutDown => shut_down = true,
            completion => later.extend(service.handle(completion)),
        }
    }
    shut_down
}

fn wind_up(
    queue: &CompletionQueue,
    service: &impl Service,
    mut later: VecDeque<Completion>,
) -> io::Result<()> {
    let mut batch = Completions::with_capacity(BATCH);
    let give_up = Instant::now() + FAREWELL;
    service.stop();
    loop {
        let left = give_up.saturating_duration_since(Instant::now());
        let timeout = if later.is_empty() { left } else { Duration::ZERO };
        let completions = queue.drain(&mut batch, timeout)?;
        if left.is_zero() || completions.is_empty() && later.is_empty() {
            break;
        }
        handle_all(completions, &mut later, service);
    }

    // This cancels what is left. Nobody hears of it, but it has to come back all the same.
    service.close();
    while !queue.drain(&mut batch, PATIENCE)?.is_empty() {
        batch.by_ref().for_each(drop);
    }
    match queue.in_flight() {
        0 => Ok(()),
        rest => Err(io::Error::other(format!("{rest} operations are still in flight"))),
    }
}
