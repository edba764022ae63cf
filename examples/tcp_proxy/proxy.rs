//! How clients get their connections upstream, and what completes for whom.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use overlapped::{Completion, CompletionQueue, Failure, Key};

use crate::NAME;
use crate::arguments::Options;
use crate::pair::{Fate, Pair, Side};
use crate::shared::acceptor::Acceptor;
use crate::shared::serve::Service;
use crate::shared::statistics::Statistics;
use crate::shared::table::Table;

/// The pairs are counted from 1, and the keys of pair N are 2 N and 2 N + 1.
const LISTENER: Key = Key(0);

fn key(number: usize, side: Side) -> Key {
    Key(2 * number + side as usize)
}

fn whose(key: Key) -> (usize, Side) {
    (key.0 / 2, if key.0 % 2 == 0 { Side::Client } else { Side::Upstream })
}

pub struct Proxy<'a> {
    queue: &'a CompletionQueue,
    acceptor: Acceptor,
    /// All that the name has, of which there is at least one.
    upstream: Vec<SocketAddr>,
    pairs: Table<Mutex<Connecting>>,
    statistics: &'a Statistics,
    failed_to_connect: AtomicU64,
    resets: AtomicU64,
    /// Whether the proxy is to end, and its connections with it.
    stopping: AtomicBool,
}

/// A pair, and how many addresses have been tried for it.
struct Connecting {
    pair: Pair,
    tried: usize,
}

impl<'a> Proxy<'a> {
    /// Listens at the address that is returned.
    pub fn new(
        queue: &'a CompletionQueue,
        options: &Options,
        threads: u32,
        statistics: &'a Statistics,
    ) -> io::Result<(Self, SocketAddr)> {
        let upstream = look_up(&options.upstream)?;
        let (acceptor, address) = Acceptor::new(NAME, queue, LISTENER, &options.listen, threads)?;
        let proxy = Self {
            queue,
            acceptor,
            upstream,
            pairs: Table::new(),
            statistics,
            failed_to_connect: AtomicU64::new(0),
            resets: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        };
        Ok((proxy, address))
    }

    pub fn failed_to_connect(&self) -> u64 {
        self.failed_to_connect.load(Relaxed)
    }

    pub fn resets(&self) -> u64 {
        self.resets.load(Relaxed)
    }

    fn accepted(&self, client: TcpStream) {
        self.statistics.connection_begins();
        let number = self.pairs.new_number();
        // Without this, the end of a message could wait for the acknowledgement of its beginning.
        let _ = client.set_nodelay(true);
        let Ok(client) = self.queue.register(client, key(number, Side::Client)) else {
            // Out of memory: the client is closed, and sees that.
            self.statistics.connection_ends();
            return;
        };
        let entry = Arc::new(Mutex::new(Connecting { pair: Pair::new(client), tried: 0 }));
        self.pairs.insert(number, Arc::clone(&entry));
        self.connect(number, &mut lock(&entry));
        if self.stopping.load(SeqCst) {
            // `stop` may have passed this one by, which was not in the table yet.
            self.stop_pair(number);
        }
    }

    fn stop_pair(&self, number: usize) {
        self.go_on(key(number, Side::Client), |pair, _| Ok(pair.stop()));
    }

    /// Starts to connect to the next address. The pair is locked meanwhile, since the completion
    /// may come on another thread before the upstream is in its place.
    fn connect(&self, number: usize, entry: &mut Connecting) {
        while let Some(address) = self.upstream.get(entry.tried) {
            entry.tried += 1;
            if let Ok(stream) = self.queue.connect(*address, key(number, Side::Upstream)) {
                return entry.pair.connecting(stream);
            }
        }
        self.failed_to_connect.fetch_add(1, Relaxed);
        entry.pair.reset();
        self.remove(number);
    }

    fn connected(&self, key: Key, result: Result<(), Failure>) {
        match result {
            Ok(()) => self.go_on(key, |pair, _| pair.begin()),
            Err(_) => {
                let (number, _) = whose(key);
                if let Some(entry) = self.pairs.get(number) {
                    self.connect(number, &mut lock(&entry));
                }
            }
        }
    }

    /// Deals with a pair, and with what comes of it.
    fn go_on(&self, key: Key, deal: impl FnOnce(&mut Pair, Side) -> io::Result<Fate>) {
        let (number, side) = whose(key);
        let Some(entry) = self.pairs.get(number) else { return };
        let pair = &mut lock(&entry).pair;
        if !pair.is_open() {
            return;
        }
        match deal(pair, side) {
            Ok(Fate::GoesOn) => {}
            Ok(Fate::Ended) => {
                pair.close();
                self.remove(number);
            }
            Err(_) => {
                self.resets.fetch_add(1, Relaxed);
                pair.reset();
                self.remove(number);
            }
        }
    }

    fn remove(&self, number: usize) {
        if self.pairs.remove(number).is_some() {
            self.statistics.connection_ends();
        }
    }
}

impl Service for Proxy<'_> {
    fn handle(&self, completion: Completion) -> Option<Completion> {
        // Looked at while the pair is locked, so that `stop` comes before that or finds what was
        // submitted.
        let stopping = || self.stopping.load(SeqCst);
        match completion {
            Completion::Accepted { result, .. } => self.accepted(self.acceptor.accepted(result)?),
            Completion::Connected { key, result, .. } => self.connected(key, result),
            Completion::Received { key, buffer, result, .. } => {
                self.go_on(key, |pair, from| pair.received(from, buffer, result, stopping()));
            }
            Completion::Sent { key, buffer, count, result, .. } => {
                self.statistics.sent(count);
                self.go_on(key, |pair, to| pair.sent(to, buffer, result, stopping()));
            }
            // The proxy starts nothing else that could complete.
            _ => {}
        }
        None
    }

    fn each_second(&self) {
        self.acceptor.try_again();
    }

    fn stop(&self) {
        self.stopping.store(true, SeqCst);
        self.acceptor.close();
        for (number, _) in self.pairs.all() {
            self.stop_pair(number);
        }
    }

    fn close(&self) {
        for (number, entry) in self.pairs.all() {
            lock(&entry).pair.reset();
            self.remove(number);
        }
    }
}

fn look_up(upstream: &str) -> io::Result<Vec<SocketAddr>> {
    let explain = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot find the host of {upstream}: {error}"))
    };
    let addresses: Vec<_> = upstream.to_socket_addrs().map_err(explain)?.collect();
    match addresses.is_empty() {
        true => Err(explain(io::Error::other("it has no address"))),
        false => Ok(addresses),
    }
}

/// Whoever panics with the lock in hand leaves a pair that can be closed, and that is all that is
/// done with it then.
fn lock(entry: &Mutex<Connecting>) -> MutexGuard<'_, Connecting> {
    entry.lock().unwrap_or_else(PoisonError::into_inner)
}
