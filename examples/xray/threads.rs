//! Threads with names, which are printed in place of their numbers, so that each run prints the
//! same.

use std::io;
use std::net::TcpStream;
use std::panic::resume_unwind;
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

use super::events::{Events, Whose};

/// How long anything is waited for. All that is waited for comes sooner, if the system works.
pub const LIMIT: Duration = Duration::from_secs(20);

pub fn named<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().name(name.to_string()).spawn_scoped(scope, work)
}

/// What the thread has returned. Its panic goes on here.
pub fn result<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Sends one byte, on a thread of its own, and returns when it is sent. One, since a stream may
/// deliver several in pieces, and then the lines would differ from run to run.
pub fn peer_sends(events: &Events, whose: Whose, mut peer: &TcpStream) -> io::Result<()> {
    use std::io::Write;

    std::thread::scope(|scope| {
        let sender = named(scope, "peer", || {
            events.say(whose, "sends 1 byte");
            peer.write_all(b"!")
        })?;
        result(sender)
    })
}

/// When nothing has come within the limit.
pub fn nothing_came() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no packet came, so the system has lost an operation")
}
