//! One queue from its beginning to its end.

use std::any::Any;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use overlapped::{CompletionQueue, Key, Registration, Waker};

use super::ONE_IN;
use super::calls::{Calls, Numbers};
use super::ledger::{Facts, Kind, Ledger, Tagged};
use super::link::{Link, Stream};
use super::wine::is_wine;
use super::worker::Worker;

const WORKERS: usize = 3;
const STEPS: u64 = 150;
const MOST_LINKS: usize = 12;
const LISTENER: Key = Key(0);

/// What the threads of an episode share.
pub struct World {
    pub queue: CompletionQueue<Tagged>,
    pub ledger: Arc<Ledger>,
    pub waker: Waker,
    listener: Registration<TcpListener, Tagged>,
    address: SocketAddr,
    links: Mutex<Vec<Arc<Link>>>,
    next_key: AtomicUsize,
}

impl World {
    fn new() -> Self {
        let queue = CompletionQueue::new().expect("a queue");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback");
        let address = listener.local_addr().expect("the address of a listener");
        let listener = queue.register(listener, LISTENER).expect("a new socket");
        let (ledger, waker) = (Arc::default(), queue.waker());
        let (links, next_key) = (Mutex::default(), AtomicUsize::new(1));
        Self { queue, ledger, waker, listener, address, links, next_key }
    }

    fn links(&self) -> MutexGuard<'_, Vec<Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn a_link(&self, numbers: &mut Numbers) -> Option<Arc<Link>> {
        let links = self.links();
        let count = links.len() as u64;
        (count > 0).then(|| Arc::clone(&links[numbers.below(count) as usize]))
    }

    pub fn take_a_link(&self, numbers: &mut Numbers) -> Option<Arc<Link>> {
        let mut links = self.links();
        let count = links.len() as u64;
        (count > 0).then(|| links.swap_remove(numbers.below(count) as usize))
    }

    fn key(&self) -> Key {
        Key(self.next_key.fetch_add(1, SeqCst))
    }

    pub fn connect(&self) {
        let key = self.key();
        if self.links().len() < MOST_LINKS {
            if key.0 % 4 == 1 {
                return self.datagrams(key);
            }
            if let Ok((stream, _)) = self.queue.connect(self.address, key) {
                self.links().push(Link::new(Stream::Queued(stream), key, &self.ledger));
            }
        }
    }

    /// A socket that sends datagrams to itself.
    fn datagrams(&self, key: Key) {
        let Ok(socket) = UdpSocket::bind("127.0.0.1:0") else { return };
        let address = socket.local_addr().expect("it is bound");
        self.ledger.has_address(key, address);
        let Ok(socket) = self.queue.register(socket, key) else { return };
        self.links().push(Link::new(Stream::Datagrams(socket, address), key, &self.ledger));
    }

    pub fn accept(&self) {
        if self.listener.in_flight() < 6 {
            if let Ok(id) = self.listener.accept() {
                let facts = Facts { kind: Kind::Accept, key: LISTENER, tag: None };
                self.ledger.submitted(id, facts);
            }
        }
    }

    /// A connection that was accepted; every third one gets its answers inline.
    pub fn register(&self, stream: TcpStream) {
        let key = self.key();
        let Ok(stream) = self.queue.register(stream, key) else { return };
        let stream = match key.0 % 3 {
            0 => stream.inline().map_or_else(|back| Stream::Queued(back.returned), Stream::Inline),
            _ => Stream::Queued(stream),
        };
        self.links().push(Link::new(stream, key, &self.ledger));
    }

    pub fn post(&self) {
        let value = self.next_key.fetch_add(1, SeqCst) as u32;
        // Noted first: it may arrive before the call returns.
        self.ledger.posted(value);
        if self.queue.post(Key(usize::MAX), value).is_err() {
            self.ledger.arrived(value);
        }
    }
}

/// Where threads meet: when their work is done, when they hold nothing of the world any more, and
/// when that has ended. They stay until then, since a Wine loses what a thread has submitted that
/// ends.
struct Meetings {
    done: Barrier,
    empty_handed: Barrier,
    over: Barrier,
}

pub fn run(seed: u64) {
    let calls = Calls::watch();
    let (world, mut numbers) = (Arc::new(World::new()), Numbers::new(seed));
    world.ledger.keep_sockets(is_wine());
    for _ in 0..4 {
        world.accept();
        world.connect();
    }
    calls.spoil_at_random(numbers.next(), ONE_IN);
    let [done, empty_handed, over] = [1, 2, 2].map(|others| Barrier::new(WORKERS + others));
    let meetings = Arc::new(Meetings { done, empty_handed, over });
    let mut worker = || Worker::new(Arc::clone(&world), Numbers::new(numbers.next()));
    let workers = [(); WORKERS].map(|()| start(worker(), Arc::clone(&meetings)));
    let sleeper = start_to_sleep(worker(), Arc::clone(&meetings));

    meetings.done.wait();
    calls.spare();
    world.queue.shut_down().expect("nothing is spoilt any more");
    meetings.empty_handed.wait();
    world.ledger.keep_sockets(false);
    let ledger = Arc::clone(&world.ledger);
    if numbers.below(2) == 0 {
        end_in_order(&calls, Worker::new(world, numbers));
    } else {
        end_in_disorder(world);
    }
    meetings.over.wait();
    for thread in workers.into_iter().chain([sleeper]) {
        if let Err(panic) = thread.join().expect("it catches its own") {
            resume_unwind(panic);
        }
    }
    ledger.assert_no_buffer_left();
}

type Outcome = Result<(), Box<dyn Any + Send>>;

fn start(mut worker: Worker, meetings: Arc<Meetings>) -> JoinHandle<Outcome> {
    thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| worker.work(STEPS)));
        meetings.done.wait();
        leave(worker, &meetings);
        outcome
    })
}

fn start_to_sleep(mut worker: Worker, meetings: Arc<Meetings>) -> JoinHandle<Outcome> {
    thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| worker.sleep()));
        leave(worker, &meetings);
        outcome
    })
}

/// What came out of the queue outlives it here.
fn leave(worker: Worker, meetings: &Meetings) {
    let remains = worker.into_remains();
    meetings.empty_handed.wait();
    meetings.over.wait();
    drop(remains);
}

/// Cancels, collects, and looks whether everything has come.
fn end_in_order(calls: &Calls, mut worker: Worker) {
    let world = Arc::clone(worker.world());
    world.links().iter().for_each(|link| link.cancel_all());
    world.listener.cancel_all().expect("nothing is spoilt any more");
    world.ledger.close_sockets();
    worker.collect();
    let ledger = &world.ledger;
    ledger.assert_all_told();
    let (mixed_in, seen) = (calls.strangers(), ledger.strangers.load(SeqCst));
    assert!(seen <= mixed_in && mixed_in - seen <= ledger.dropped.load(SeqCst));
}

/// Drops the queue while another thread drops what is registered with it.
fn end_in_disorder(world: Arc<World>) {
    let World { queue, listener, links, waker, ledger, .. } =
        Arc::into_inner(world).expect("all others are empty-handed");
    let other = thread::spawn(move || {
        drop((links, listener));
        ledger.close_sockets();
    });
    drop(queue);
    other.join().expect("nothing panics");
    waker.wake().expect_err("there is nobody to wake");
}
