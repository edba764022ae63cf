//! What the tests share: connected streams, waiting that always ends, and a few calls of Windows
//! that std does not make.
//!
//! No test sleeps. A test that expects something waits for just that, and fails with a sentence
//! when it has not come by the deadline; one that expects nothing looks once, after everything that
//! could have caused it has happened.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it makes sockets that std cannot make")]

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Debug;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::windows::io::{AsHandle, AsRawHandle, AsRawSocket, FromRawSocket};
use std::panic::resume_unwind;
use std::sync::Once;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::ffi;
use overlapped::ffi::constants::{FALSE, INVALID_SOCKET, SOCKET_ERROR};
use overlapped::ffi::types::{OVERLAPPED_ENTRY, SOCKET};
use overlapped::{
    Buffer, Completion, CompletionQueue, Completions, Failure, Key, OperationId, Registration,
};

/// How long anything may take. No test takes nearly as long; it is for those that hang.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// What a test says that cannot have its sockets. It is not about the crate then.
pub const NO_SOCKET: &str = "the system has no socket for this test: a limit of open files may be too \
    low (ulimit -n, where Wine is used; a test of many connections takes thousands), or all ports are \
    in use";

/// Starts Winsock, as std does with the first socket of a program. When the first sockets of
/// several threads are made at once, std starts it on each and ends it again on all but one; and
/// Wine 8 counts that without a lock, so that sometimes it takes Winsock for ended.
pub fn start_winsock() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(TcpListener::bind("127.0.0.1:0").expect(NO_SOCKET)));
}

/// Two ends of one connection.
#[track_caller]
pub fn pair() -> (TcpStream, TcpStream) {
    start_winsock();
    let listener = TcpListener::bind("127.0.0.1:0").expect(NO_SOCKET);
    let address = listener.local_addr().expect("the address of a listener");
    let near = TcpStream::connect(address).expect(NO_SOCKET);
    let (far, _) = listener.accept().expect(NO_SOCKET);
    // So that no test hangs in a read of std's. It says nothing about overlapped receives.
    far.set_read_timeout(Some(DEADLINE)).expect("a time limit for reading");
    (near, far)
}

/// A connection, of which one end is registered and the other is the peer.
#[track_caller]
pub fn registered<B: Buffer>(
    queue: &CompletionQueue<B>,
    key: Key,
) -> (Registration<TcpStream, B>, TcpStream) {
    let (near, far) = pair();
    (queue.register(near, key).expect("a new socket of std's can be registered"), far)
}

/// Waits until at least `count` completions have come, and returns all that have.
#[track_caller]
pub fn collect<B: Buffer + Debug>(queue: &CompletionQueue<B>, count: usize) -> Vec<Completion<B>> {
    let (mut batch, start) = (Completions::with_capacity(64), Instant::now());
    let mut collected = Vec::new();
    while collected.len() < count {
        let left = DEADLINE.saturating_sub(start.elapsed());
        collected.extend(queue.wait(&mut batch, Some(left)).expect("waiting"));
        assert!(
            collected.len() >= count || start.elapsed() < DEADLINE,
            "of {count} completions only {} came in {DEADLINE:?}: {collected:?}",
            collected.len(),
        );
    }
    collected
}

/// Waits for one completion, which must come alone.
#[track_caller]
pub fn one<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> Completion<B> {
    let mut collected = collect(queue, 1);
    assert_eq!(collected.len(), 1, "one completion was expected: {collected:?}");
    collected.remove(0)
}

/// Waits for the end of one receive, which must come alone.
#[track_caller]
pub fn one_received<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> Received<B> {
    Received::of(one(queue))
}

/// Looks, without waiting, whether nothing has been completed.
#[track_caller]
pub fn assert_quiet<B: Buffer + Debug>(queue: &CompletionQueue<B>) {
    let mut batch = Completions::with_capacity(64);
    let collected: Vec<_> = queue.wait(&mut batch, Some(Duration::ZERO)).expect("a look").collect();
    assert!(collected.is_empty(), "nothing was expected: {collected:?}");
}

/// The end of a receive.
#[derive(Debug)]
pub struct Received<B> {
    pub key: Key,
    pub id: OperationId,
    pub buffer: B,
    pub result: Result<usize, Failure>,
}

impl<B: Debug> Received<B> {
    #[track_caller]
    pub fn of(completion: Completion<B>) -> Self {
        match completion {
            Completion::Received { key, id, buffer, result } => Self { key, id, buffer, result },
            other => panic!("the end of a receive was expected: {other:?}"),
        }
    }

    /// How many bytes came.
    #[track_caller]
    pub fn count(&self) -> usize {
        match &self.result {
            Ok(count) => *count,
            Err(failure) => panic!("the receive failed: {failure}"),
        }
    }

    #[track_caller]
    pub fn assert_cancelled(&self) {
        assert!(matches!(self.result, Err(Failure::Cancelled)), "not cancelled: {self:?}");
    }

    /// The error that it ended with, which is not that it was cancelled.
    #[track_caller]
    pub fn error(self) -> io::Error {
        match self.result {
            Err(Failure::Error(error)) => error,
            other => panic!("an error was expected: {other:?}"),
        }
    }
}

/// What each receive has brought. All must have succeeded, under ids that differ.
#[track_caller]
pub fn bytes_by_id(completions: Vec<Completion>) -> HashMap<OperationId, Vec<u8>> {
    let mut bytes = HashMap::new();
    for received in completions.into_iter().map(Received::of) {
        assert_ne!(received.count(), 0, "the end of the stream came: {received:?}");
        let twice = bytes.insert(received.id, received.buffer);
        assert!(twice.is_none(), "{:?} was completed twice", received.id);
    }
    bytes
}

/// Receives into one buffer, again and again, until it holds `count` bytes: a stream may deliver in
/// more pieces than were sent.
#[track_caller]
pub fn gather(
    queue: &CompletionQueue,
    stream: &Registration<TcpStream>,
    mut buffer: Vec<u8>,
    count: usize,
) -> Vec<u8> {
    while buffer.len() < count {
        stream.receive(buffer).expect("a receive on a connected stream");
        let received = one_received(queue);
        assert_ne!(received.count(), 0, "the stream ended before it had brought {count} bytes");
        buffer = received.buffer;
    }
    buffer
}

/// Takes up to `count` packets out of a port without whoever owns it, and so at least one.
#[track_caller]
pub fn dequeue_by_hand(port: &impl AsHandle, count: usize) -> Vec<OVERLAPPED_ENTRY> {
    let (mut packets, mut removed) = (Vec::with_capacity(count), 0);
    let deadline = DEADLINE.as_millis() as u32;
    // SAFETY: the port is open, and there is room for so many entries and for their number.
    let some = unsafe {
        let (port, room) = (port.as_handle().as_raw_handle(), packets.as_mut_ptr());
        let count = count as u32;
        ffi::kernel32::GetQueuedCompletionStatusEx(port, room, count, &mut removed, deadline, FALSE)
    };
    assert_ne!(some, FALSE, "no packet came: {}", io::Error::last_os_error());
    // SAFETY: the system has filled so many.
    unsafe { packets.set_len(removed as usize) };
    packets
}

/// Runs something that might never end in a thread of its own, and fails if it does not.
#[track_caller]
pub fn within_deadline<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    let worker = thread::spawn(move || drop(sender.send(work())));
    match receiver.recv_timeout(DEADLINE) {
        Ok(done) => {
            // Nothing of the thread is left when this returns, for those who count.
            worker.join().expect("it has done its work");
            done
        }
        Err(RecvTimeoutError::Timeout) => panic!("it has not ended after {DEADLINE:?}"),
        Err(RecvTimeoutError::Disconnected) => resume_unwind(panic_of(worker.join())),
    }
}

fn panic_of(joined: thread::Result<()>) -> Box<dyn Any + Send> {
    joined.expect_err("a thread that did not answer has panicked")
}

/// Gives way to other threads many times, so that what is about to go wrong can; but no longer than
/// a moment, for on a busy machine each time takes a while.
pub fn give_way(until: impl Fn() -> bool) {
    const MANY: usize = 10_000;
    const MOMENT: Duration = Duration::from_millis(300);
    let start = Instant::now();
    for _ in 0..MANY {
        if until() || start.elapsed() > MOMENT {
            break;
        }
        thread::yield_now();
    }
}

/// Looks again and again, giving way to other threads, until `condition` holds.
#[track_caller]
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "{what}: not after {DEADLINE:?}");
        thread::yield_now();
    }
}

/// Ends a thread of a storm when all of them have come here. Wine loses a receive if the thread that
/// submitted it ends in the moment in which its bytes arrive: the packet comes with 0 bytes, and the
/// `OVERLAPPED` says "pending" for ever. So none may end while another still takes packets. (Windows
/// lets the operations of a handle that has a port live on.)
pub fn leave_together(left: &AtomicU64, threads: u64) {
    left.fetch_add(1, SeqCst);
    until("the others take no packets any more", || left.load(SeqCst) == threads);
}

/// Closes a stream with a reset in place of an orderly end: lingering for no time at all makes
/// Windows throw the connection away.
pub fn reset(stream: TcpStream) {
    let linger = Linger { on: 1, seconds: 0 };
    let size = size_of::<Linger>() as i32;
    // SAFETY: the socket is open, and the option is a `LINGER` of that size.
    let answer = unsafe {
        setsockopt(stream.as_raw_socket() as SOCKET, SOL_SOCKET, SO_LINGER, &raw const linger, size)
    };
    assert_ne!(answer, SOCKET_ERROR, "SO_LINGER: {}", io::Error::last_os_error());
}

/// A TCP socket that is not connected, made with or without `WSA_FLAG_OVERLAPPED`.
pub fn unconnected(flags: u32) -> TcpStream {
    start_winsock();
    // SAFETY: without a protocol description the call touches no memory of ours.
    let socket = unsafe { WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, 0, flags) };
    assert_ne!(socket, INVALID_SOCKET, "{NO_SOCKET}: {}", io::Error::last_os_error());
    // SAFETY: the socket is new and nobody else's.
    unsafe { TcpStream::from_raw_socket(socket as _) }
}

pub const WSA_FLAG_OVERLAPPED: u32 = 1;

const AF_INET: i32 = 2;
const SOCK_STREAM: i32 = 1;
const IPPROTO_TCP: i32 = 6;
const SOL_SOCKET: i32 = 0xFFFF;
const SO_LINGER: i32 = 0x80;

/// `LINGER` of winsock2.h.
#[repr(C)]
struct Linger {
    on: u16,
    seconds: u16,
}

#[link(name = "ws2_32")]
unsafe extern "system" {
    fn setsockopt(s: SOCKET, level: i32, name: i32, value: *const Linger, length: i32) -> i32;

    /// `lpProtocolInfo` is a pointer, and always NULL here.
    fn WSASocketW(
        af: i32,
        kind: i32,
        protocol: i32,
        lpProtocolInfo: usize,
        group: u32,
        dwFlags: u32,
    ) -> SOCKET;
}
