//! What is lent comes back once, whoever takes it back, and its slot serves the next operation
//! after that, and after the call.

#![allow(unsafe_code, reason = "operations are taken back in place of those who make calls")]

use std::sync::atomic::Ordering::SeqCst;

use super::super::sync::AtomicUsize;
use super::kit::{Address, RESET, SUCCESS, Table, clean_up, complete, is_free, lend, submit};
use crate::explorer::check;
use crate::plan::Bound;

/// One packet, or one and its copy, in the hands of two threads.
#[test]
fn of_two_threads_with_the_same_packet_one_gets_the_value() {
    check("one_packet_twice", 2, Bound::Outcomes, |execution| {
        let table = Table::new();
        let address = submit(&table, 0, 7).expect("it is open");
        address.end(SUCCESS);
        let [mut one, mut other] = [None; 2];
        execution.run([
            Box::new(|| one = complete(&table, address)),
            Box::new(|| other = complete(&table, address)),
        ]);
        assert!(matches!((one, other), (Some(7), None) | (None, Some(7))), "{one:?} {other:?}");
        clean_up(&table, []);
    });
}

/// The slot is free after the first of them, and a third thread submits, in the same slot: what the
/// second has is out of date then.
#[test]
fn a_copy_of_a_packet_is_nothing_to_the_next_operation() {
    check("one_packet_twice_and_reuse", 3, Bound::Outcomes, |execution| {
        let table = Table::new();
        let address = submit(&table, 0, 7).expect("it is open");
        address.end(SUCCESS);
        let [mut one, mut other] = [None; 2];
        let mut next = None;
        execution.run([
            Box::new(|| one = complete(&table, address)),
            Box::new(|| other = complete(&table, address)),
            Box::new(|| next = submit(&table, 0, 8)),
        ]);
        assert!(matches!((one, other), (Some(7), None) | (None, Some(7))), "{one:?} {other:?}");
        clean_up(&table, next);
    });
}

/// The call says that it has failed, and a packet comes all the same: one of them has the
/// operation.
#[test]
fn what_is_taken_back_does_not_come_with_its_packet() {
    for (name, status) in [("take_back_failed", RESET), ("take_back_ended", SUCCESS)] {
        check(name, 2, Bound::Outcomes, |execution| {
            let table = Table::new();
            let lent = lend(&table, 0, 7).expect("it is open");
            let address = Address::of(&lent);
            let [mut back, mut packet] = [None; 2];
            execution.run([
                // SAFETY: what can come of the model's call is that the one or the other has it.
                Box::new(|| back = unsafe { lent.take_back() }),
                Box::new(|| {
                    address.end(status);
                    packet = complete(&table, address);
                }),
            ]);
            assert!(matches!((back, packet), (Some(7), None) | (None, Some(7))), "{back:?}");
            is_free(&table, address);
        });
    }
}

#[test]
fn what_is_done_at_once_does_not_come_with_a_packet() {
    check("take_done", 2, Bound::Outcomes, |execution| {
        let table = Table::new();
        let lent = lend(&table, 0, 7).expect("it is open");
        let address = Address::of(&lent);
        address.end(SUCCESS);
        let [mut done, mut packet] = [None; 2];
        execution.run([
            // SAFETY: as above.
            Box::new(|| done = unsafe { lent.take_done() }.map(|ended| ended.value)),
            Box::new(|| packet = complete(&table, address)),
        ]);
        assert!(matches!((done, packet), (Some(7), None) | (None, Some(7))), "{done:?}");
        is_free(&table, address);
    });
}

/// The packet is dequeued while the call goes on, which is a thread of its own here. Nothing is in
/// flight then, and the slot serves no other operation until the call has returned.
#[test]
fn a_slot_serves_no_other_operation_before_its_call_has_returned() {
    check("late_call", 2, Bound::Outcomes, |execution| {
        let (table, in_call) = (Table::new(), AtomicUsize::new(1));
        let lent = lend(&table, 0, 7).expect("it is open");
        let address = Address::of(&lent);
        let mut next = None;
        execution.run([
            Box::new(|| {
                in_call.store(0, SeqCst);
                drop(lent);
            }),
            Box::new(|| {
                address.end(SUCCESS);
                assert_eq!(complete(&table, address), Some(7));
                assert_eq!(table.count(), 0, "although the call may go on");
                next = submit(&table, 0, 8);
                let is_reused = next == Some(address);
                assert!(!is_reused || in_call.load(SeqCst) == 0, "the call can still write here");
            }),
        ]);
        assert_eq!(table.count(), 1);
        clean_up(&table, next);
        is_free(&table, address);
    });
}

/// Two threads, each with an operation of its own, from the beginning to the end, in the same slot
/// if it is free.
#[test]
fn two_threads_share_a_table() {
    check("two_operations", 2, Bound::Outcomes, |execution| {
        let table = Table::new();
        let work = |value| {
            let address = submit(&table, 0, value).expect("it is open");
            address.end(SUCCESS);
            assert_eq!(complete(&table, address), Some(value));
        };
        // The first block is there: that it is made is explored elsewhere.
        clean_up(&table, submit(&table, 0, 1));
        execution.run([Box::new(|| work(7)), Box::new(|| work(8))]);
        clean_up(&table, []);
    });
}
