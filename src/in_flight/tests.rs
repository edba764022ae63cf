//! The table without a kernel: the tests play the kernel's part, and write into lent memory from
//! outside. Values that count their drops show that each comes back once.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::*;

mod annexes;
mod calls;
mod claims;
mod threads;

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

fn reserve<T>(table: &InFlight<T>, hint: u32, value: T) -> Reserved<'_, T> {
    table.take_slot(hint).expect("there is memory").fill(value)
}

/// Makes an operation the kernel's, for a call that goes on while what is returned is there.
fn call<T>(table: &InFlight<T>, hint: u32, value: T) -> Lent<'_, T> {
    let reserved = reserve(table, hint, value);
    reserved.lend(0).ok().expect("the table is open")
}

fn lend<T>(table: &InFlight<T>, value: T) -> Pending {
    lend_at(table, 0, value)
}

fn lend_at<T>(table: &InFlight<T>, hint: u32, value: T) -> Pending {
    let lent = call(table, hint, value);
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

fn complete<T>(table: &InFlight<T>, packet: *mut OVERLAPPED) -> Option<Completed<T>> {
    // SAFETY: a test that finished the operation gives up its part as the kernel, and what it did
    // not finish is turned away.
    let claim = unsafe { table.claim(packet) }?;
    // SAFETY: the claim is this table's, and collected here alone.
    Some(unsafe { table.collect(claim) })
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
fn a_reservation_that_is_dropped_drops_its_value() {
    let (table, mint) = (InFlight::new(), Mint::default());
    drop(reserve(&table, 0, mint.token(1)));
    assert_eq!((table.count(), mint.dropped()), (0, 1));
}

#[test]
fn a_reservation_can_be_undone() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let reserved = reserve(&table, 0, mint.token(9));
    let token = reserved.into_value();
    assert_eq!((token.number, table.count(), mint.dropped()), (9, 0, 0));
}

#[test]
fn a_value_rests_at_one_address_from_reserving_to_completing() {
    let table = InFlight::new();
    let mut reserved = reserve(&table, 0, [1_u8; 64]);
    let place = reserved.value().as_mut_ptr();
    let lent = reserved.lend(0).expect("the table is open");
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
    let reserved = reserve(&table, 0, mint.token(2));
    table.close();
    let returned = reserved.lend(0).err().expect("a closed table lends nothing");
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
    let again = lend_at(&table, middle.id.slot(), 0);
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
    // Without a message, and the trace of calls that would come with it.
    let panic = |_| -> () { std::panic::resume_unwind(Box::new("on purpose")) };
    let panics = std::panic::AssertUnwindSafe(|| table.while_lent(lent.id, panic));
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
            let again = lend_at(&table, free[which].id.slot(), 0);
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
