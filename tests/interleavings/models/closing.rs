//! Whoever closes the table and then counts has counted everything that is lent, however new its
//! slot is; and whoever makes room for more loses nothing of what another has made.

use std::sync::atomic::Ordering::SeqCst;

use super::super::sync::AtomicUsize;
use super::kit::{Address, SUCCESS, Table, clean_up, complete, submit};
use crate::explorer::check;
use crate::plan::Bound;

/// So many slots has the first block: the next operation needs a new one.
const FIRST_BLOCK: u32 = 32;

fn table_with(operations: u32) -> (Table, Vec<Address>) {
    let table = Table::new();
    let lent = (0..operations).map(|number| submit(&table, number, number).expect("it is open"));
    let lent = lent.collect();
    (table, lent)
}

/// Threads that lend, one of which has the table grow, and one that closes and counts.
fn close_and_count<const LENDERS: usize>(name: &str, before: u32, bound: Bound) {
    check(name, LENDERS + 1, bound, |execution| {
        let (table, mut in_flight) = table_with(before);
        let (mut lent, mut counted) = ([None; LENDERS], 0);
        let mut tasks: Vec<crate::turns::Task<'_>> = Vec::new();
        for lent in &mut lent {
            tasks.push(Box::new(|| *lent = submit(&table, 0, 99)));
        }
        tasks.push(Box::new(|| {
            table.close();
            counted = table.count();
        }));
        execution.run_all(tasks);
        in_flight.extend(lent.into_iter().flatten());
        assert!(counted >= in_flight.len(), "{counted} were counted of {}", in_flight.len());
        clean_up(&table, in_flight);
    });
}

#[test]
fn whoever_closes_and_counts_misses_nothing() {
    close_and_count::<1>("close", 0, Bound::Outcomes);
    close_and_count::<2>("close_two_lenders", 0, Bound::Outcomes);
}

#[test]
fn whoever_closes_and_counts_misses_nothing_in_a_new_block() {
    close_and_count::<1>("close_while_growing", FIRST_BLOCK, Bound::Outcomes);
    close_and_count::<2>("close_while_two_grow", FIRST_BLOCK - 1, Bound::Preemptions(2));
}

/// Two need the same new block, and each finds what is its own again.
#[test]
fn two_that_make_a_new_block_share_one() {
    check("grow_twice", 2, Bound::Outcomes, |execution| {
        let (table, in_flight) = table_with(FIRST_BLOCK);
        let work = |value| {
            let address = submit(&table, 0, value).expect("it is open");
            assert!(!in_flight.contains(&address), "the slot was taken");
            address.end(SUCCESS);
            assert_eq!(complete(&table, address), Some(value));
        };
        execution.run([Box::new(|| work(98)), Box::new(|| work(99))]);
        clean_up(&table, in_flight);
    });
}

/// A thread that completes the last operation finds that nothing is in flight, and one that counts
/// before finds that something is.
#[test]
fn the_count_goes_down_when_an_operation_is_completed() {
    check("count", 2, Bound::Outcomes, |execution| {
        let (table, in_flight) = table_with(2);
        let completed = AtomicUsize::new(0);
        execution.run([
            Box::new(|| {
                for address in &in_flight {
                    address.end(SUCCESS);
                    assert!(complete(&table, *address).is_some());
                    completed.fetch_add(1, SeqCst);
                }
                assert_eq!(table.count(), 0);
            }),
            Box::new(|| {
                let before = completed.load(SeqCst);
                assert!(table.count() <= 2 - before, "what is completed was counted");
            }),
        ]);
    });
}
