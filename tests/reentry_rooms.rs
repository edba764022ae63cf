//! As `reentry`, in all rooms at once: a buffer of a file, of a pipe, of a socket for datagrams or
//! of a raw operation that turns against everything there is, while it counts what has come or is
//! dropped.
#![cfg(windows)]
#![allow(unsafe_code, reason = "a buffer of one's own takes it, and so does a raw operation")]

use std::fs::File;
use std::io::Write;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};
use std::os::windows::io::OwnedHandle;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use overlapped::{
    Buffer, CompletionQueue, Completions, Job, Key, NamedPipe, Registration, Watched,
};

mod support;
use support::{DEADLINE, until, within_deadline};

#[path = "support/events.rs"]
mod events;
use events::Event;

#[path = "support/files.rs"]
mod files;
use files::{Folder, registered_file};

#[path = "support/pipes.rs"]
mod pipes;
use pipes::{bytes, new_name, open_by_std, server};

#[path = "support/raw.rs"]
mod raw;
use raw::start_read;

#[path = "support/udp.rs"]
mod udp;
use udp::{V4, datagrams, peer};

#[path = "support/pages.rs"]
mod pages;

/// So whatever uses memory that was freed is a fault.
#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

type Queue = CompletionQueue<Hostile>;
type Act = fn(&World);

/// A vector that acts once, in one of the two places where its code runs.
struct Hostile {
    bytes: Vec<u8>,
    in_advance: Option<(Act, Arc<World>)>,
    in_drop: Option<(Act, Arc<World>)>,
    lent: Arc<AtomicUsize>,
}

impl Hostile {
    fn idle(lent: &Arc<AtomicUsize>) -> Self {
        lent.fetch_add(1, SeqCst);
        let bytes = Vec::with_capacity(8);
        Self { bytes, in_advance: None, in_drop: None, lent: Arc::clone(lent) }
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.lent.fetch_sub(1, SeqCst);
        if let Some((act, world)) = self.in_drop.take() {
            act(&world);
        }
    }
}

// SAFETY: the memory is that of the vector, which nothing else can reach, and what else happens
// here does not touch it.
unsafe impl Buffer for Hostile {
    fn filled(&self, part: usize) -> &[u8] {
        self.bytes.filled(part)
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        self.bytes.spare(part)
    }

    unsafe fn advance(&mut self, count: usize) {
        if let Some((act, world)) = self.in_advance.take() {
            act(&world);
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { self.bytes.advance(count) }
    }
}

/// What there is. Each can be taken away at any moment, by whichever thread.
struct World {
    queue: Mutex<Option<Arc<Queue>>>,
    file: Mutex<Option<Arc<Registration<File, Hostile>>>>,
    pipe: Mutex<Option<Arc<Registration<NamedPipe, Hostile>>>>,
    socket: Mutex<Option<Arc<Registration<UdpSocket, Hostile>>>>,
    raw: Mutex<Option<Arc<Registration<OwnedHandle, Hostile>>>>,
    watch: Mutex<Option<Arc<Registration<Watched, Hostile>>>>,
    job: Mutex<Option<Registration<Job, Hostile>>>,
    lent: Arc<AtomicUsize>,
}

/// The lock is not held while what was in it is used or dropped.
fn taken<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn used<T>(place: &Mutex<Option<Arc<T>>>) -> Option<Arc<T>> {
    place.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What feeds the operations.
struct Others {
    _folder: Folder,
    far: [File; 2],
    socket: UdpSocket,
    to: SocketAddr,
    event: Event,
}

impl World {
    fn new() -> (Arc<Self>, Others) {
        let queue = Queue::new().expect("a queue");
        let folder = Folder::new();
        let file = registered_file(&queue, Key(0), &folder, b"content of a file");
        let (names, event) = ([new_name(), new_name()], Event::new(false));
        let pipe = server(&queue, Key(1), &names[0], &bytes());
        let other = OwnedHandle::from(NamedPipe::server(&names[1], &bytes()).expect("a pipe"));
        let raw = queue.register(other, Key(2)).expect("overlapped");
        let far = names.map(|name| open_by_std(&name).expect("the other end"));
        let (socket, to) = datagrams(&queue, Key(3), V4);
        let watch = queue.watch(&event, Key(4)).expect("an event");
        let job = queue.register(Job::new().expect("a job"), Key(5)).expect("a new job");
        let world = Self {
            queue: Mutex::new(Some(Arc::new(queue))),
            file: Mutex::new(Some(Arc::new(file))),
            pipe: Mutex::new(Some(Arc::new(pipe))),
            socket: Mutex::new(Some(Arc::new(socket))),
            raw: Mutex::new(Some(Arc::new(raw))),
            watch: Mutex::new(Some(Arc::new(watch))),
            job: Mutex::new(Some(job)),
            lent: Arc::default(),
        };
        (Arc::new(world), Others { _folder: folder, far, socket: peer(V4).0, to, event })
    }

    /// Lends a buffer in one of the four rooms, if that is still there.
    fn lend(&self, room: usize, buffer: Hostile) {
        match room {
            0 => drop(used(&self.file).map(|it| it.read_at(1, buffer))),
            1 => drop(used(&self.pipe).map(|it| it.read(buffer))),
            2 => drop(used(&self.socket).map(|it| it.receive_from(buffer))),
            // SAFETY: it makes one call, with what is lent, and passes its answer on.
            _ => drop(used(&self.raw).map(|it| unsafe { it.submit(0, buffer, start_read) })),
        }
    }
}

fn drops_all_registrations(world: &World) {
    drop(taken(&world.file));
    drop(taken(&world.pipe));
    drop(taken(&world.socket));
    drop(taken(&world.raw));
    drop(taken(&world.watch));
    drop(taken(&world.job));
}

fn drops_the_queue(world: &World) {
    drop(taken(&world.queue));
}

fn drops_all(world: &World) {
    drops_the_queue(world);
    drops_all_registrations(world);
}

fn panics(_: &World) {
    panic!("of a buffer");
}

fn drops_all_and_panics(world: &World) {
    drops_all(world);
    panic!("of a buffer");
}

fn submits(world: &World) {
    (0..4).for_each(|room| world.lend(room, Hostile::idle(&world.lent)));
    used(&world.watch).map(|watch| watch.again());
}

fn cancels(world: &World) {
    used(&world.file).map(|it| it.cancel_all());
    used(&world.pipe).map(|it| it.cancel_all());
    used(&world.socket).map(|it| it.cancel_all());
    used(&world.raw).map(|it| it.cancel_all());
    used(&world.watch).map(|it| it.cancel_all().and_then(|_| it.again()));
}

fn disconnects(world: &World) {
    used(&world.pipe).map(|it| it.cancel_all().and_then(|_| it.disconnect()));
}

fn waits_and_makes_jobs(world: &World) {
    let Some(queue) = used(&world.queue) else { return };
    drop(taken(&world.job));
    let job = queue.register(Job::new().expect("a job"), Key(6)).expect("a new job");
    queue.post(Key(7), 8).expect("posted");
    queue.waker().wake().expect("woken");
    let mut batch = Completions::with_capacity(2);
    let told = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").count();
    assert!(told <= 2);
    drop(job);
}

fn shuts_down_and_collects(world: &World) {
    let Some(queue) = used(&world.queue) else { return };
    queue.shut_down().expect("shut down");
    let mut batch = Completions::with_capacity(2);
    drop(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").next());
}

const ACTS: [Act; 10] = [
    drops_all_registrations,
    drops_the_queue,
    drops_all,
    panics,
    drops_all_and_panics,
    submits,
    cancels,
    disconnects,
    waits_and_makes_jobs,
    shuts_down_and_collects,
];

/// What becomes of the packets: whether they are read, lie in a batch that is dropped, or are taken
/// out by a queue that is dropped.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Read,
    Unread,
    Left,
}

/// Everything goes, in the end, and then no buffer is left.
fn attack(room: usize, act: Act, in_drop: bool, way: Way) {
    let (world, mut others) = World::new();
    let mut buffer = Hostile::idle(&world.lent);
    let place = if in_drop { &mut buffer.in_drop } else { &mut buffer.in_advance };
    *place = Some((act, Arc::clone(&world)));
    world.lend(room, buffer);
    // One behind it in each room, which has ended or not when it acts.
    (0..4).for_each(|other| world.lend(other, Hostile::idle(&world.lent)));
    others.far.iter_mut().for_each(|far| far.write_all(b"bytes").expect("written"));
    others.socket.send_to(b"datagram", others.to).expect("sent");
    others.event.set();

    let mut batch = Completions::with_capacity(64);
    let start = Instant::now();
    while way != Way::Left && start.elapsed() < Duration::from_millis(20) {
        let Some(queue) = used(&world.queue) else { break };
        let waited = queue.wait(&mut batch, Some(Duration::from_millis(5))).is_ok();
        assert!(waited);
        drop(queue);
        if way == Way::Unread {
            break;
        }
        // The buffers of what is read are dropped here.
        let read = || catch_unwind(AssertUnwindSafe(|| batch.next().map(drop)));
        std::iter::repeat_with(read).take_while(|read| !matches!(read, Ok(None))).for_each(drop);
    }
    let _ = catch_unwind(AssertUnwindSafe(|| drop(batch)));
    let start = Instant::now();
    let _ = catch_unwind(|| drops_the_queue(&world));
    assert!(start.elapsed() < Duration::from_secs(2), "something was not given back");
    let _ = catch_unwind(|| drops_all_registrations(&world));
    until("all buffers come back", || world.lent.load(SeqCst) == 0);
}

fn attacks(rooms: usize, in_drop: bool) {
    set_hook(Box::new(|panic| eprintln!("{panic}")));
    for (room, act) in (0..rooms).flat_map(|room| ACTS.map(|act| (room, act))) {
        for way in [Way::Read, Way::Unread, Way::Left] {
            within_deadline(move || attack(room, act, in_drop, way));
        }
    }
}

#[test]
fn a_buffer_may_turn_against_all_while_it_counts() {
    attacks(3, false);
}

#[test]
fn a_buffer_may_turn_against_all_while_it_is_dropped() {
    attacks(4, true);
}
