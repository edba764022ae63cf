//! The model: what was submitted, what came back, and who is gone.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use overlapped::{Buffer, Key, OperationId};

/// What is known of an operation, on either side of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub kind: Kind,
    pub key: Key,
    /// Of the buffer that was lent.
    pub tag: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Receive,
    Readable,
    Send,
    Accept,
}

/// Both can come first: an operation may be told of before the call that submits it has returned.
#[derive(Default)]
struct Entry {
    submitted: Option<Facts>,
    told: Option<Facts>,
}

#[derive(Default)]
pub struct Ledger {
    operations: Mutex<HashMap<OperationId, Entry>>,
    buffers: Mutex<HashSet<u64>>,
    posts: Mutex<HashSet<u32>>,
    /// Of the sockets that send to themselves.
    addresses: Mutex<HashMap<Key, SocketAddr>>,
    /// When each registration was gone.
    gone: Mutex<HashMap<Key, u64>>,
    clock: AtomicU64,
    tags: AtomicU64,
    pub strangers: AtomicU64,
    /// Completions that were dropped unread with their batch.
    pub dropped: AtomicU64,
    /// Sockets whose registrations are gone, and whether all go this way.
    kept: Mutex<Vec<TcpStream>>,
    keeps_sockets: AtomicBool,
}

fn open<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    pub fn submitted(&self, id: OperationId, facts: Facts) {
        let mut operations = open(&self.operations);
        let entry = operations.entry(id).or_default();
        assert_eq!(entry.submitted.replace(facts), None, "{id:?} was given out twice");
        assert!(entry.told.is_none_or(|told| told == facts), "{facts:?} became {:?}", entry.told);
    }

    /// Something came out of a batch that was asked at `moment`.
    pub fn told(&self, moment: u64, id: OperationId, facts: Facts) {
        self.assert_not_gone(moment, facts.key);
        let mut operations = open(&self.operations);
        let entry = operations.entry(id).or_default();
        assert_eq!(entry.told.replace(facts), None, "{id:?} was told of twice");
        let submitted = entry.submitted;
        assert!(submitted.is_none_or(|was| was == facts), "{submitted:?} became {facts:?}");
    }

    pub fn moment(&self) -> u64 {
        self.clock.load(SeqCst)
    }

    pub fn gone(&self, key: Key) {
        open(&self.gone).insert(key, self.clock.fetch_add(1, SeqCst));
    }

    pub fn assert_not_gone(&self, moment: u64, key: Key) {
        let gone = open(&self.gone).get(&key).copied();
        assert!(gone.is_none_or(|gone| gone >= moment), "{key:?} speaks after it was gone");
    }

    pub fn has_address(&self, key: Key, address: SocketAddr) {
        open(&self.addresses).insert(key, address);
    }

    /// A datagram has come from there.
    pub fn assert_itself(&self, key: Key, from: SocketAddr) {
        assert_eq!(open(&self.addresses).get(&key), Some(&from), "another one's sender");
    }

    pub fn posted(&self, value: u32) {
        open(&self.posts).insert(value);
    }

    pub fn arrived(&self, value: u32) {
        assert!(open(&self.posts).remove(&value), "{value} came twice, or was not posted");
    }

    /// Whether sockets are kept rather than closed in the midst of things.
    ///
    /// Wine lets the thread that has submitted a receive fetch the bytes, and has it look the
    /// socket up by its number at that moment. If the socket has been closed by then and its number
    /// is another one's, the receive is never heard of again. So with Wine no number becomes free
    /// meanwhile.
    pub fn is_socket_kept(&self) -> bool {
        self.keeps_sockets.load(SeqCst)
    }

    pub fn keep_sockets(&self, keep: bool) {
        self.keeps_sockets.store(keep, SeqCst);
    }

    /// Keeps a socket, which ends its connection.
    pub fn keep_socket(&self, socket: TcpStream) {
        // It fails if the peer has gone, or was never there.
        let _ = socket.shutdown(Shutdown::Both);
        open(&self.kept).push(socket);
    }

    /// Closes all that were kept.
    pub fn close_sockets(&self) {
        open(&self.kept).clear();
    }

    /// What has not come, of those that should have: neither their registration nor their batch was
    /// dropped.
    pub fn assert_all_told(&self) {
        let (operations, gone) = (open(&self.operations), open(&self.gone));
        let stray = operations.iter().find(|(_, entry)| entry.submitted.is_none());
        assert!(stray.is_none(), "nobody has submitted {:?}", stray.map(|(id, _)| id));
        let untold = |entry: &&Entry| {
            entry.told.is_none() && entry.submitted.is_some_and(|was| !gone.contains_key(&was.key))
        };
        let missing = operations.values().filter(untold).count() + open(&self.posts).len();
        let dropped = self.dropped.load(SeqCst) as usize;
        assert!(missing <= dropped, "{missing} are missing, and {dropped} were dropped unread");
    }

    pub fn assert_no_buffer_left(&self) {
        let left = open(&self.buffers);
        assert!(left.is_empty(), "{} buffers have not come back", left.len());
    }
}

/// A buffer with a name of its own, which is struck off the list when it is dropped.
#[derive(Debug)]
pub struct Tagged {
    pub bytes: Vec<u8>,
    pub tag: u64,
    list: List,
}

struct List(Arc<Ledger>);

impl Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl Tagged {
    pub fn new(ledger: &Arc<Ledger>, bytes: Vec<u8>) -> Self {
        let tag = ledger.tags.fetch_add(1, SeqCst);
        open(&ledger.buffers).insert(tag);
        Self { bytes, tag, list: List(Arc::clone(ledger)) }
    }
}

impl Drop for Tagged {
    fn drop(&mut self) {
        if !open(&self.list.0.buffers).remove(&self.tag) {
            // Memory may be anything now, so there is no point in going on.
            eprintln!("buffer {} was dropped twice", self.tag);
            std::process::abort();
        }
    }
}

// SAFETY: all three methods are those of the vector, which nothing else changes meanwhile.
unsafe impl Buffer for Tagged {
    fn filled(&self, part: usize) -> &[u8] {
        self.bytes.filled(part)
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        self.bytes.spare(part)
    }

    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.bytes.advance(count) }
    }
}
