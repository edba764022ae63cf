//! Accepting: several accepts are always pending, so that a burst of clients finds one each.
//!
//! A client that has gone before it was accepted is no trouble. If the system is out of handles or
//! memory, trying again at once would be a busy loop. So what is missing then is made up for once a
//! second, and whenever another accept succeeds.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};

use overlapped::{CompletionQueue, Failure, Key, Registration};

use super::listen::cannot_listen;
use super::program::complain;

pub struct Acceptor {
    name: &'static str,
    /// How many accepts should be pending.
    wanted: usize,
    state: Mutex<State>,
}

struct State {
    /// `None` when the server is about to end.
    listener: Option<Registration<TcpListener>>,
    pending: usize,
    /// Whether the trouble that there is has been told.
    told: bool,
}

impl Acceptor {
    /// Listens, and has a pair of accepts pending for each thread. They complete under `key`.
    pub fn new(
        name: &'static str,
        queue: &CompletionQueue,
        key: Key,
        address: &str,
        threads: u32,
    ) -> io::Result<(Self, SocketAddr)> {
        let listener =
            TcpListener::bind(address).map_err(|error| cannot_listen(address, &error))?;
        let bound = listener.local_addr()?;
        let listener = Some(queue.register(listener, key)?);
        let state = Mutex::new(State { listener, pending: 0, told: false });
        let acceptor = Self { name, wanted: (2 * threads).max(8) as usize, state };
        acceptor.fill_up(&mut acceptor.state());
        Ok((acceptor, bound))
    }

    /// What has become of an accept: a connection, or nothing but a reason to try again.
    pub fn accepted(&self, result: Result<(TcpStream, SocketAddr), Failure>) -> Option<TcpStream> {
        let mut state = self.state();
        state.pending -= 1;
        match result {
            Ok((stream, _)) => {
                state.told = false;
                self.fill_up(&mut state);
                return Some(stream);
            }
            Err(Failure::Error(error)) if is_the_clients(&error) => self.fill_up(&mut state),
            Err(failure) => self.complain_once(&mut state, &failure.into()),
        }
        None
    }

    /// To be called once a second.
    pub fn try_again(&self) {
        self.fill_up(&mut self.state());
    }

    /// Stops listening. Accepts that are pending are cancelled, and nothing is heard of them.
    pub fn close(&self) {
        self.state().listener = None;
    }

    fn fill_up(&self, state: &mut State) {
        while state.pending < self.wanted {
            let Some(listener) = &state.listener else { return };
            match listener.accept() {
                Ok(_) => state.pending += 1,
                Err(error) if is_the_clients(&error) => {}
                Err(error) => return self.complain_once(state, &error),
            }
        }
    }

    /// Says it once until a connection has been accepted again: trouble comes in thousands.
    fn complain_once(&self, state: &mut State, error: &io::Error) {
        if !state.told {
            complain(self.name, &format!("cannot accept, and will try again: {error}"));
            state.told = true;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a client came and went before it was accepted. Wine 8 then finds it not connected.
fn is_the_clients(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | NotConnected)
}
