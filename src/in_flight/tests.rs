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

/// An operation that is the kernel's, and whose call has returned.
struct Pending {
    id: OperationId,
    overlapped: *mut OVERLAPPED,
}

/// Makes an operation the kernel's, for a call that goes on while what is returned is there.
fn call<T>(table: &InFlight<T>, near: u32, value: T) -> Lent<'_, T> {
    let reserved = table.reserve(near, value).ok().expect("there is memory");
    reserved.lend().ok().expect("the table is open")
}

fn lend<T>(table: &InFlight<T>, value: T) -> Pending {
    lend_near(table, 0, value)
}

fn lend_near<T>(table: &InFlight<T>, near: u32, value: T) -> Pending {
    let lent = call(table, near, value);
    Pending { id: lent.id(), overlapped: lent.overlapped() }
}

/// What the system does at the end of an operation, before it queues the packet.
fn finish(lent: &Pending, status: usize, count: usize) {
    end(lent.overlapped, status, count);
}

fn end(overlapped: *mut OVERLAPPED, status: usize, count: usize) {
    // SAFETY: the operation is in flight, so its slot is there, and this test is its kernel.
    unsafe { (*overlapped).InternalHigh = count };
    // SAFETY: as above.
    let internal = unsafe { &raw mut (*overlapped).Internal };
    // SAFETY: the field is aligned, and everybody touches it as an atomic.
    unsafe { AtomicUsize::from_ptr(internal) }.store(status, Release);
}

/// How often something is tried that shows what it shows only sometimes: less often under Miri, which
/// is slow, and whose threads take turns in more ways.
fn rounds(many: usize) -> usize {
    if cfg!(miri) { many.div_ceil(100) } else { many }
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
    let lent = call(&table, 0, mint.token(3));
    let overlapped = lent.overlapped();
    // SAFETY: no kernel has it.
    let back = unsafe { lent.take_back() }.expect("nobody else took it");
    assert_eq!((back.number, table.count(), mint.dropped()), (3, 0, 0));
    assert!(complete(&table, overlapped).is_none(), "once");
    assert_eq!(lend(&table, mint.token(4)).overlapped, overlapped, "the slot serves again");
}

#[test]
fn what_has_begun_is_not_taken_back_although_the_call_says_that_it_has_failed() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let lent = call(&table, 0, mint.token(3));
    let overlapped = lent.overlapped();
    // A datagram that is cut: the call fails, and a packet comes.
    end(overlapped, 0x8000_0005, 16);
    // SAFETY: this test is the kernel, whose call fails.
    assert!(unsafe { lent.take_back() }.is_none());
    assert_eq!((table.count(), mint.dropped()), (1, 0));
    let ended = complete(&table, overlapped).expect("the packet is ours");
    assert_eq!((ended.count, ended.value.number, table.count()), (16, 3, 0));
}

#[test]
fn what_a_packet_has_completed_is_not_taken_back() {
    let table = InFlight::new();
    let lent = call(&table, 0, 3);
    end(lent.overlapped(), SUCCESS, 0);
    assert_eq!(complete(&table, lent.overlapped()).map(|ended| ended.value), Some(3));
    // SAFETY: the kernel does not have it any more.
    assert!(unsafe { lent.take_done() }.is_none());
    assert_eq!(table.count(), 0);
}

#[test]
fn what_has_ended_at_once_is_taken_with_the_count_of_its_call() {
    let table = InFlight::new();
    let lent = call(&table, 0, 3);
    let id = lent.id();
    // SAFETY: this test is the call, and reports to where it was told.
    unsafe { lent.count().write(12) };
    end(lent.overlapped(), SUCCESS, 12);
    // SAFETY: this test, which is the kernel, brings no packet.
    let ended = unsafe { lent.take_done() }.expect("nobody else took it");
    assert_eq!((ended.id, ended.count, ended.value, table.count()), (id, 12, 3, 0));
    assert!(ended.status.result().is_ok());
}

/// The packet is dequeued while the call that has started the operation is still under way, and the
/// call then writes where it was told to.
#[test]
fn a_slot_whose_call_has_not_returned_serves_no_other_operation() {
    let table = InFlight::new();
    let lent = call(&table, 0, 1_u64);
    let slow = lent.overlapped();
    end(slow, SUCCESS, 8);
    assert_eq!(complete(&table, slow).map(|ended| ended.value), Some(1));
    assert_eq!(table.count(), 0, "the operation has ended");

    let others: Vec<_> = (0..100).map(|number| lend(&table, number)).collect();
    assert!(others.iter().all(|other| other.overlapped != slow), "it is the call's still");
    // SAFETY: this test is the call, and these are the words that it was given.
    unsafe { lent.flags().write(u32::MAX) };
    // SAFETY: as above.
    unsafe { lent.count().write(u32::MAX) };
    // SAFETY: the fields are for the provider of the call, while that is under way.
    unsafe { (*slow).Offset = 7 };
    // SAFETY: as above.
    unsafe { (*slow).OffsetHigh = 7 };
    for (number, other) in others.iter().enumerate() {
        finish(other, SUCCESS, 0);
        let ended = complete(&table, other.overlapped).map(|ended| ended.value);
        assert_eq!(ended, Some(number as u64), "the late call has written over another operation");
    }
    drop(lent);

    let next = call(&table, 0, 2);
    assert_eq!(next.overlapped(), slow, "now it serves again");
    let words = [next.flags(), next.count()];
    // SAFETY: nobody else touches the words of a call.
    assert_eq!(words.map(|word| unsafe { *word }), [0, 0], "whatever a call has left there");
    // SAFETY: as above, of what is the next call's.
    let fresh = unsafe { (*next.overlapped()).Offset };
    // SAFETY: as above.
    assert_eq!((fresh, unsafe { (*next.overlapped()).OffsetHigh }), (0, 0));
}

/// While the call goes on, and while somebody names the operation, the slot is kept; whoever lets go
/// last frees it, in either order.
#[test]
fn a_slot_is_free_when_its_call_has_returned_and_nobody_names_it() {
    for call_returns_first in [true, false] {
        let table = InFlight::new();
        let lent = call(&table, 0, 1);
        let (id, overlapped) = (lent.id(), lent.overlapped());
        let mut lent = Some(lent);
        let named = table.while_lent(id, |_| {
            end(overlapped, SUCCESS, 0);
            assert!(complete(&table, overlapped).is_some());
            lent.take_if(|_| call_returns_first);
            lend(&table, 2).overlapped
        });
        assert!(named.is_some_and(|other| other != overlapped));
        if !call_returns_first {
            assert_ne!(lend(&table, 3).overlapped, overlapped, "the call is under way");
        }
        drop(lent);
        assert_eq!(lend(&table, 4).overlapped, overlapped);
    }
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
    let mut reserved = table.reserve(0, [1_u8; 64]).expect("there is memory");
    let place = reserved.value().as_mut_ptr();
    let lent = reserved.lend().expect("the table is open");
    // SAFETY: the value is lent, and this test is the kernel that writes to it.
    unsafe { place.write(42) };
    end(lent.overlapped(), SUCCESS, 1);
    assert_eq!(
        complete(&table, lent.overlapped()).map(|ended| ended.value[..2].to_vec()),
        Some(vec![42, 1])
    );
}

#[test]
fn a_closed_table_gives_values_back_and_finishes_what_it_has() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let lent = lend(&table, mint.token(1));
    // Closed in between, as by a queue that is dropped while a buffer's code runs.
    let reserved = table.reserve(0, mint.token(2)).ok().expect("there is memory");
    table.close();
    assert_eq!(table.count(), 2, "what is reserved is waited for");
    let returned = reserved.lend().err().expect("a closed table lends nothing");
    assert_eq!((returned.number, table.count()), (2, 1));
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
    let again = lend_near(&table, middle.id.slot(), 0);
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
        assert!(table.while_lent(lent.id, |_| ()).is_none(), "it is over");
        assert_eq!(table.count(), 0, "although its slot is kept");
        lend(&table, 2)
    });
    let next = next.expect("it was in flight");
    assert_ne!(next.overlapped, lent.overlapped);
    assert_eq!(table.count(), 1);
    assert_eq!(lend(&table, 3).overlapped, lent.overlapped);
}

/// So a request that does nothing does not stand in the way of one that cancels.
#[test]
fn an_operation_can_be_named_by_several_at_once() {
    let table = InFlight::new();
    let lent = lend(&table, 1);
    let inner = table.while_lent(lent.id, |outer| {
        let inner = table.while_lent(lent.id, |inner| {
            finish(&lent, CANCELLED, 0);
            assert!(complete(&table, inner).is_some());
            inner
        });
        assert_ne!(lend(&table, 2).overlapped, outer, "the outer one still names it");
        inner
    });
    assert_eq!(inner, Some(Some(lent.overlapped)));
    assert_eq!(lend(&table, 3).overlapped, lent.overlapped, "all have let go");
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
        for round in 0..rounds(2_000) {
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
    assert_eq!((table.count(), mint.dropped()), (0, 8 * 3 * rounds(2_000)));
}

/// Four threads submit, and each packet arrives twice, on two threads at once. Every value comes out
/// once.
#[test]
fn of_two_threads_with_the_same_packet_one_gets_the_value() {
    let each = rounds(3_000);
    let (table, mint) = (&InFlight::new(), &Mint::default());
    let taken = &AtomicUsize::new(0);
    thread::scope(|scope| {
        run((0..4).flat_map(|_| {
            let (one, packets) = mpsc::channel::<usize>();
            let (other, copies) = mpsc::channel::<usize>();
            let submit = move || {
                for number in 0..each {
                    let lent = lend(table, mint.token(number));
                    finish(&lent, SUCCESS, 0);
                    for port in [&one, &other] {
                        port.send(lent.overlapped.addr()).expect("somebody waits");
                    }
                }
            };
            let dequeue = move |port: mpsc::Receiver<usize>| {
                for address in port {
                    let packet = std::ptr::without_provenance_mut(address);
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
    assert_eq!(taken.load(Relaxed), 4 * each);
    assert_eq!((table.count(), mint.dropped()), (0, 4 * each));
}

/// One thread names operations to the system that another completes, submitting the next one in the
/// same slot: whatever is named is the operation that was meant.
#[test]
fn naming_an_operation_never_hits_the_next_one() {
    let table = &InFlight::new();
    let (ids, received) = mpsc::channel();
    let submit = move || {
        for number in 0..rounds(20_000) {
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

/// Each of many operations is taken back, and named, as if it were alone: the first in their slots, and
/// the second.
#[test]
fn each_of_a_thousand_operations_is_taken_back_and_named() {
    const MANY: usize = if cfg!(miri) { 100 } else { 1_000 };
    let table = InFlight::new();
    for _ in 0..2 {
        let lent: Vec<_> = (0..MANY).map(|number| call(&table, 0, number)).collect();
        for one in &lent {
            assert_eq!(table.while_lent(one.id(), |address| address), Some(one.overlapped()));
        }
        let ids: Vec<_> = lent.iter().map(Lent::id).collect();
        for (number, one) in lent.into_iter().enumerate().rev() {
            // SAFETY: no kernel has it.
            assert_eq!(unsafe { one.take_back() }, Some(number));
            assert_eq!(table.count(), number);
        }
        assert!(ids.iter().all(|id| table.while_lent(*id, |_| ()).is_none()), "they are over");
    }
}

/// Two connections that have let go of their slots find each its own again, whichever comes first.
#[test]
fn an_operation_finds_the_slot_that_it_names() {
    for order in [[0, 1], [1, 0]] {
        let table = InFlight::new();
        let lent: Vec<_> = (0..100).map(|number| lend(&table, number)).collect();
        let free = [&lent[7], &lent[70]];
        for one in free {
            finish(one, SUCCESS, 0);
            assert!(complete(&table, one.overlapped).is_some());
        }
        for which in order {
            let again = lend_near(&table, free[which].id.slot(), 0);
            assert_eq!(again.overlapped, free[which].overlapped);
        }
        for one in lent.iter().filter(|one| ![lent[7].id, lent[70].id].contains(&one.id)) {
            assert!(table.while_lent(one.id, |_| ()).is_some(), "the others stay");
        }
    }
}

/// Numbers of tables go on beyond 32 bits: an id of a table that is long gone names nothing in one
/// whose number ends with the same bits.
#[test]
fn tables_do_not_share_ids_when_their_numbers_are_large() {
    let mut tables = [InFlight::new(), InFlight::new(), InFlight::new()];
    for (table, number) in tables.iter_mut().zip([7, 7 + (1 << 32), 7 + (1 << 45)]) {
        table.number = number;
    }
    let lent = tables.each_ref().map(|table| lend(table, ()));
    for (n, table) in tables.iter().enumerate() {
        for (m, other) in lent.iter().enumerate() {
            assert_eq!(table.while_lent(other.id, |_| ()).is_some(), n == m, "{n} {m}");
        }
    }
}

/// One thread lends in a block that nobody has seen before, while another closes the table and counts:
/// either the one is refused, or the other has counted it. Under Miri, whose memory is as weak as Rust
/// allows, this fails if the blocks are not in the one order of the slots.
#[test]
fn whoever_closes_and_counts_misses_nothing_in_a_new_block() {
    for _ in 0..rounds(3_000) {
        let table = &InFlight::new();
        // The first block is full but for one, and two threads lend: one makes a block.
        let full: Vec<_> = (0..31).map(|number| lend(table, number)).collect();
        let lend_one = || table.reserve(0, 99).ok().and_then(|one| one.lend().ok()).is_some();
        thread::scope(|scope| {
            let lenders = [(); 2].map(|()| scope.spawn(lend_one));
            let counter = scope.spawn(|| {
                table.close();
                table.count()
            });
            let counted = counter.join().expect("no panic");
            let lent = lenders.map(|lender| lender.join().expect("no panic"));
            let lent = lent.iter().filter(|lent| **lent).count();
            assert!(counted >= full.len() + lent, "{counted} counted, and {lent} lent");
        });
        for one in &full {
            finish(one, SUCCESS, 0);
            complete(table, one.overlapped);
        }
    }
}
