//! The memory beside a slot: whose it is, and for how long.

use super::*;

/// An operation with an annex, for a call that goes on while what is returned is there.
fn call_with_annex<T>(table: &InFlight<T>, hint: u32, value: T) -> (Lent<'_, T>, *mut [u64; 4]) {
    let reserved = reserve(table, hint, value);
    let annex = reserved.annex().expect("there is memory").as_ptr();
    (reserved.lend(0).ok().expect("the table is open"), annex)
}

/// What the system reports besides.
fn write(annex: *mut [u64; 4], what: u64) {
    // SAFETY: the annex is there as long as its table, and this test is the kernel.
    unsafe { annex.write([what; 4]) };
}

/// What the owner of a completed operation finds in its annex, and the operation.
fn read<T>(table: &InFlight<T>, packet: *mut OVERLAPPED) -> ([u64; 4], Completed<T>) {
    // SAFETY: the test that plays the kernel has finished the operation.
    let claim = unsafe { table.claim(packet) }.expect("it is ours");
    // SAFETY: the claim is this table's, and nobody collects it meanwhile.
    let annex = unsafe { table.annex(claim) };
    // SAFETY: it is collected here alone.
    (annex, unsafe { table.collect(claim) })
}

#[test]
fn what_is_written_beside_an_operation_is_found_there() {
    let table = InFlight::new();
    let (lent, annex) = call_with_annex(&table, 0, 7);
    write(annex, 5);
    end(lent.overlapped(), SUCCESS, 12);
    let (found, ended) = read(&table, lent.overlapped());
    assert_eq!((found, ended.value, ended.count), ([5; 4], 7, 12));
}

#[test]
fn an_operation_that_was_given_no_annex_has_zeros() {
    let table = InFlight::new();
    let lent = lend(&table, 7);
    finish(&lent, SUCCESS, 0);
    assert_eq!(read(&table, lent.overlapped).0, [0; 4]);
}

/// The packet can come first, and what has ended can be collected. What the call then writes meets
/// nobody.
#[test]
fn an_annex_whose_call_has_not_returned_is_no_other_operations() {
    let table = InFlight::new();
    let (first, annex) = call_with_annex(&table, 0, 1);
    write(annex, 1);
    end(first.overlapped(), SUCCESS, 0);
    assert_eq!(read(&table, first.overlapped()).0, [1; 4]);

    let (second, other) = call_with_annex(&table, 0, 2);
    assert_ne!(other, annex, "its call has not returned");
    write(other, 2);
    write(annex, 3);
    end(second.overlapped(), SUCCESS, 0);
    assert_eq!(read(&table, second.overlapped()).0, [2; 4]);

    drop(first);
    let (_third, again) = call_with_annex(&table, 0, 3);
    assert_eq!(again, annex, "now it serves again");
}

/// What was claimed waits in its slot, and so does what stands beside it.
#[test]
fn an_annex_is_no_other_operations_before_its_own_is_collected() {
    let table = InFlight::new();
    let (first, annex) = call_with_annex(&table, 0, 1);
    let packet = first.overlapped();
    write(annex, 1);
    end(packet, SUCCESS, 0);
    drop(first);
    // SAFETY: the operation has ended.
    let claim = unsafe { table.claim(packet) }.expect("it is ours");
    let (_second, other) = call_with_annex(&table, 0, 2);
    assert_ne!(other, annex, "nobody has collected the first one");
    write(other, 2);
    // SAFETY: the claim is this table's, and nobody has collected it.
    assert_eq!(unsafe { table.annex(claim) }, [1; 4]);
    // SAFETY: it is collected here alone.
    unsafe { table.collect(claim) };
}

#[test]
fn each_operation_has_an_annex_of_its_own_that_stays_where_it_is() {
    let table = InFlight::new();
    // Others without an annex lie in between, and the blocks of both grow.
    let mut lent = Vec::new();
    for number in 0..500_u64 {
        lend(&table, number);
        let (operation, annex) = call_with_annex(&table, 0, number);
        write(annex, number);
        lent.push((operation.overlapped(), number));
    }
    for (packet, number) in lent {
        end(packet, SUCCESS, 0);
        let (found, ended) = read(&table, packet);
        assert_eq!((found, ended.value), ([number; 4], number));
    }
}

/// The memory beside the slots is made once.
#[test]
fn an_annex_serves_again_and_again() {
    let table = InFlight::new();
    let mut places = std::collections::HashSet::new();
    for round in 0..100 {
        let (lent, annex) = call_with_annex(&table, 0, round);
        places.insert(annex);
        write(annex, round);
        end(lent.overlapped(), SUCCESS, 0);
        let packet = lent.overlapped();
        drop(lent);
        assert_eq!(read(&table, packet).0, [round; 4]);
    }
    assert_eq!(places.len(), 1);
}

/// The table keeps what it has lent, and so what stands beside it: the kernel may still write
/// there.
#[test]
fn a_table_with_something_in_flight_keeps_its_annexes() {
    let table = InFlight::new();
    let (lent, annex) = call_with_annex(&table, 0, 1);
    drop(lent);
    drop(table);
    write(annex, 1);
}

#[test]
fn two_threads_that_need_the_first_annex_get_one_each() {
    let table = InFlight::new();
    std::thread::scope(|scope| {
        let work = || {
            for round in 0..50 {
                let (lent, annex) = call_with_annex(&table, 0, round);
                write(annex, round);
                end(lent.overlapped(), SUCCESS, 0);
                let packet = lent.overlapped();
                assert_eq!(read(&table, packet).0, [round; 4]);
            }
        };
        // One by one, because ThreadSanitizer does not see the end of a scope.
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads.into_iter().for_each(|thread| thread.join().expect("nothing panics"));
    });
}
