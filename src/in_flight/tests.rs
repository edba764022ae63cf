//! The table without a kernel: the tests play the kernel's part, and write into lent memory from
//! outside. Values that count their drops show that each comes back once.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, mpsc};
use std::thread;

use super::*;

const SUCCESS: usize = 0;
const CANCELLED: usize = 0xC000_0120;

/// Lent in place of a buffer. Counts itself when it is dropped.
struct Token {
    number: usize,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Relaxed);
    }
}

/// Makes tokens that share one count.
#[derive(Clone, Default)]
struct Mint {
    dropped: Arc<AtomicUsize>,
}

impl Mint {
    fn token(&self, number: usize) -> Token {
        Token { number, dropped: Arc::clone(&self.dropped) }
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Relaxed)
    }
}

fn lend<T>(table: &InFlight<T>, value: T) -> Lent {
    table.reserve(0, value).ok().expect("the table is open").lend()
}

/// What the system does at the end of an operation, before it queues the packet.
fn finish(lent: &Lent, status: usize, count: usize) {
    // SAFETY: the operation is in flight, so its slot is there, and this test is its kernel.
    unsafe { (*lent.overlapped).InternalHigh = count };
    // SAFETY: as above.
    let internal = unsafe { &raw mut (*lent.overlapped).Internal };
    // SAFETY: the field is aligned, and everybody touches it as an atomic.
    unsafe { AtomicUsize::from_ptr(internal) }.store(status, Release);
}

/// Runs the threads to their end. Joined one by one, for the end of a scope alone is an order of
/// events that ThreadSanitizer does not see.
fn run<'scope>(threads: impl IntoIterator<Item = thread::ScopedJoinHandle<'scope, ()>>) {
    let threads: Vec<_> = threads.into_iter().collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a thread failed"));
}

fn complete<T>(table: &InFlight<T>, packet: *mut OVERLAPPED) -> Option<Completed<T>> {
    // SAFETY: a test that finished the operation gives up its part as the kernel, and what it did
    // not finish is turned away.
    unsafe { table.complete(packet) }
}

#[test]
fn a_lent_value_comes_back_with_its_packet() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let lent = lend(&table, mint.token(7));
    assert_eq!(table.count(), 1);
    finish(&lent, SUCCESS, 12);
    let ended = complete(&table, lent.overlapped).expect("it is ours");
    assert_eq!((ended.id, ended.count, ended.value.number), (lent.id, 12, 7));
    assert!(ended.status.result().is_ok());
    assert_eq!((table.count(), mint.dropped()), (0, 0), "given back, not dropped");
}

#[test]
fn the_status_is_the_systems() {
    let table = InFlight::new();
    let lent = lend(&table, ());
    finish(&lent, CANCELLED, 0);
    let ended = complete(&table, lent.overlapped).expect("it is ours");
    assert_eq!(ended.status, Status::from_internal(CANCELLED));
}

#[test]
fn a_packet_counts_once() {
    let table = InFlight::new();
    let lent = lend(&table, ());
    finish(&lent, SUCCESS, 0);
    assert!(complete(&table, lent.overlapped).is_some());
    assert!(complete(&table, lent.overlapped).is_none(), "the slot is free");
}

#[test]
fn a_packet_before_the_end_is_not_the_systems() {
    let table = InFlight::new();
    let lent = lend(&table, 5);
    assert!(complete(&table, lent.overlapped).is_none(), "the kernel still has it");
    finish(&lent, SUCCESS, 0);
    assert_eq!(complete(&table, lent.overlapped).map(|ended| ended.value), Some(5));
}

#[test]
fn an_outdated_packet_does_not_hit_the_next_operation_in_its_slot() {
    let table = InFlight::new();
    let first = lend(&table, 1);
    finish(&first, SUCCESS, 0);
    assert!(complete(&table, first.overlapped).is_some());
    let second = lend(&table, 2);
    assert_eq!(second.overlapped, first.overlapped, "the slot serves again");
    assert!(complete(&table, first.overlapped).is_none());
    finish(&second, SUCCESS, 0);
    assert_eq!(complete(&table, second.overlapped).map(|ended| ended.value), Some(2));
}

#[test]
fn no_other_address_is_ours() {
    let table = InFlight::new();
    let lent = lend(&table, [0_u64; 3]);
    finish(&lent, SUCCESS, 0);
    let ours = lent.overlapped.addr();
    let mut elsewhere = 0_u64;
    let not_ours =
        [0, 1, 8, usize::MAX, (&raw mut elsewhere).addr(), ours ^ (1 << (usize::BITS - 2))];
    let near = (1..200).flat_map(|step| [ours - step, ours + step]);
    for address in not_ours.into_iter().chain(near) {
        let packet = std::ptr::without_provenance_mut(address);
        assert!(complete(&table, packet).is_none(), "{address:#x} beside {ours:#x}");
    }
    assert_eq!(table.count(), 1);
    assert!(complete(&table, lent.overlapped).is_some());
}

#[test]
fn a_packet_of_another_table_is_not_ours() {
    let (one, other) = (InFlight::new(), InFlight::new());
    let _in_other = lend(&other, ());
    let lent = lend(&one, ());
    finish(&lent, SUCCESS, 0);
    assert!(complete(&other, lent.overlapped).is_none());
    assert!(complete(&one, lent.overlapped).is_some());
}

#[test]
fn what_the_system_refuses_is_taken_back() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let lent = lend(&table, mint.token(3));
    // SAFETY: no kernel has it.
    let back = unsafe { table.take_back(lent.id) }.expect("nobody else took it");
    assert_eq!((back.number, table.count(), mint.dropped()), (3, 0, 0));
    // SAFETY: as above.
    assert!(unsafe { table.take_back(lent.id) }.is_none(), "once");
}

#[test]
fn an_outdated_id_takes_nothing_back() {
    let table = InFlight::new();
    let old = lend(&table, 1);
    // SAFETY: no kernel has it.
    assert_eq!(unsafe { table.take_back(old.id) }, Some(1));
    let new = lend(&table, 2);
    assert_eq!(new.overlapped, old.overlapped);
    // SAFETY: as above.
    assert_eq!(unsafe { table.take_back(old.id) }, None);
    // SAFETY: as above.
    assert_eq!(unsafe { table.take_back(new.id) }, Some(2));
}

#[test]
fn a_reservation_that_is_dropped_drops_its_value() {
    let (table, mint) = (InFlight::new(), Mint::default());
    drop(table.reserve(0, mint.token(1)));
    assert_eq!((table.count(), mint.dropped()), (0, 1));
}

#[test]
fn a_reservation_can_be_undone() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let reserved = table.reserve(0, mint.token(9)).ok().expect("open");
    let token = reserved.into_value();
    assert_eq!((token.number, table.count(), mint.dropped()), (9, 0, 0));
}

#[test]
fn a_value_rests_at_one_address_from_reserving_to_completing() {
    let table = InFlight::new();
    let mut reserved = table.reserve(0, [1_u8; 64]).ok().expect("open");
    let place = reserved.value().as_mut_ptr();
    let lent = reserved.lend();
    // SAFETY: the value is lent, and this test is the kernel that writes to it.
    unsafe { place.write(42) };
    finish(&lent, SUCCESS, 1);
    assert_eq!(
        complete(&table, lent.overlapped).map(|ended| ended.value[..2].to_vec()),
        Some(vec![42, 1])
    );
}

#[test]
fn a_closed_table_gives_values_back_and_finishes_what_it_has() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let lent = lend(&table, mint.token(1));
    table.close();
    match table.reserve(0, mint.token(2)) {
        Err(Refused::Closed(token)) => assert_eq!(token.number, 2),
        _ => panic!("a closed table took a value"),
    }
    finish(&lent, SUCCESS, 0);
    assert_eq!(complete(&table, lent.overlapped).map(|ended| ended.value.number), Some(1));
    assert_eq!(table.count(), 0);
}

#[test]
fn nothing_moves_when_the_table_grows() {
    let table = InFlight::new();
    let lent: Vec<_> = (0..1000).map(|number| lend(&table, number)).collect();
    assert_eq!(table.count(), 1000);
    let mut addresses: Vec<_> = lent.iter().map(|lent| lent.overlapped.addr()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 1000, "each has a place of its own");
    for (number, lent) in lent.iter().enumerate().rev() {
        finish(lent, SUCCESS, number);
        let ended = complete(&table, lent.overlapped).expect("found among several blocks");
        assert_eq!((ended.value, ended.count, ended.id), (number, number, lent.id));
    }
    assert_eq!(table.count(), 0);
}

#[test]
fn a_free_slot_nearby_is_preferred() {
    let table = InFlight::new();
    let lent: Vec<_> = (0..200).map(|number| lend(&table, number)).collect();
    let middle = &lent[130];
    finish(middle, SUCCESS, 0);
    assert!(complete(&table, middle.overlapped).is_some());
    let again = table.reserve(middle.id.slot(), 0).ok().expect("open").lend();
    assert_eq!(again.overlapped, middle.overlapped);
    assert_ne!(again.id, middle.id);
}

#[test]
fn ids_of_operations_all_differ() {
    let (one, other) = (InFlight::new(), InFlight::new());
    let mut seen = std::collections::HashSet::new();
    for _ in 0..100 {
        for table in [&one, &other] {
            let lent = lend(table, ());
            finish(&lent, SUCCESS, 0);
            assert!(complete(table, lent.overlapped).is_some());
            assert!(seen.insert(lent.id), "{:?} came twice", lent.id);
        }
    }
}

#[test]
fn an_operation_in_flight_can_be_named_to_the_system() {
    let (table, other) = (InFlight::new(), InFlight::new());
    let lent = lend(&table, ());
    let _same_slot = lend(&other, ());
    assert_eq!(table.while_lent(lent.id, |address| address), Some(lent.overlapped));
    assert_eq!(other.while_lent(lent.id, |address| address), None, "an id of another table");
    finish(&lent, SUCCESS, 0);
    assert!(complete(&table, lent.overlapped).is_some());
    assert_eq!(table.while_lent(lent.id, |address| address), None, "it is over");
}

#[test]
fn a_slot_that_is_being_named_serves_no_other_operation() {
    let table = InFlight::new();
    let lent = lend(&table, 1);
    let next = table.while_lent(lent.id, |address| {
        finish(&lent, CANCELLED, 0);
        assert_eq!(complete(&table, address).map(|ended| ended.value), Some(1));
        assert!(table.while_lent(lent.id, |_| ()).is_none(), "nobody names it twice");
        lend(&table, 2)
    });
    let next = next.expect("it was in flight");
    assert_ne!(next.overlapped, lent.overlapped);
    assert_eq!(table.count(), 1, "the pinned slot is free now");
    assert_eq!(lend(&table, 3).overlapped, lent.overlapped);
}

#[test]
fn a_panic_while_naming_lets_go_of_the_slot() {
    let table = InFlight::new();
    let lent = lend(&table, ());
    let panics =
        std::panic::AssertUnwindSafe(|| table.while_lent(lent.id, |_| panic!("on purpose")));
    assert!(std::panic::catch_unwind(panics).is_err());
    finish(&lent, SUCCESS, 0);
    assert!(complete(&table, lent.overlapped).is_some());
    assert_eq!(table.count(), 0);
}

#[test]
fn a_table_with_nothing_in_flight_frees_its_memory_and_one_with_something_does_not() {
    let mint = Mint::default();
    let table = InFlight::new();
    let lent = lend(&table, mint.token(1));
    drop(table);
    // The kernel still has the operation, and writes to it: under AddressSanitizer, this is the
    // test that fails if the memory was freed.
    finish(&lent, SUCCESS, 0);
    assert_eq!(mint.dropped(), 0, "leaked, with what was lent");
}

/// Each of eight threads lends and completes its own; all share the slots.
#[test]
fn eight_threads_share_a_table() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let work = |thread: usize| {
        for round in 0..2_000 {
            let token = |n| mint.token(thread * 1_000_000 + n);
            let held: Vec<_> = (0..1 + round % 5).map(|n| (n, lend(&table, token(n)))).collect();
            for (n, lent) in &held {
                finish(lent, SUCCESS, *n);
                let ended = complete(&table, lent.overlapped).expect("ours");
                assert_eq!((ended.value.number, ended.count), (thread * 1_000_000 + n, *n));
            }
        }
    };
    thread::scope(|scope| run((0..8).map(|thread| scope.spawn(move || work(thread)))));
    assert_eq!((table.count(), mint.dropped()), (0, 8 * 2_000 * 3));
}

/// Four threads submit, and each packet arrives twice, on two threads at once. Every value comes out
/// once.
#[test]
fn of_two_threads_with_the_same_packet_one_gets_the_value() {
    const EACH: usize = 3_000;
    let (table, mint) = (&InFlight::new(), &Mint::default());
    let taken = &AtomicUsize::new(0);
    thread::scope(|scope| {
        run((0..4).flat_map(|_| {
            let (one, packets) = mpsc::channel::<usize>();
            let (other, copies) = mpsc::channel::<usize>();
            let submit = move || {
                for number in 0..EACH {
                    let lent = lend(table, mint.token(number));
                    finish(&lent, SUCCESS, 0);
                    for port in [&one, &other] {
                        port.send(lent.overlapped.expose_provenance()).expect("somebody waits");
                    }
                }
            };
            let dequeue = move |port: mpsc::Receiver<usize>| {
                for address in port {
                    let packet = std::ptr::with_exposed_provenance_mut(address);
                    taken.fetch_add(complete(table, packet).is_some().into(), Relaxed);
                }
            };
            [
                scope.spawn(submit),
                scope.spawn(move || dequeue(packets)),
                scope.spawn(move || dequeue(copies)),
            ]
        }));
    });
    assert_eq!(taken.load(Relaxed), 4 * EACH);
    assert_eq!((table.count(), mint.dropped()), (0, 4 * EACH));
}

/// One thread names operations to the system that another completes, submitting the next one in the
/// same slot: whatever is named is the operation that was meant.
#[test]
fn naming_an_operation_never_hits_the_next_one() {
    let table = &InFlight::new();
    let (ids, received) = mpsc::channel();
    let submit = move || {
        for number in 0..20_000_usize {
            let lent = lend(table, number);
            ids.send((lent.id, number)).expect("somebody cancels");
            finish(&lent, SUCCESS, number);
            assert_eq!(complete(table, lent.overlapped).map(|ended| ended.value), Some(number));
        }
    };
    let name = move || {
        for (id, number) in received {
            table.while_lent(id, |_| {
                let slot = table.slots.get(id.index).expect("it has a slot").slot;
                // SAFETY: the value was written before the id was known, and nobody writes another
                // one over it while the slot is pinned; moving it out only reads.
                let named = unsafe { slot.value().read() };
                assert_eq!(named, number, "the slot serves another operation");
            });
        }
    };
    thread::scope(|scope| run([scope.spawn(submit), scope.spawn(name)]));
    assert_eq!(table.count(), 0);
}
