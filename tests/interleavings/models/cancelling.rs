//! What names an operation to the system names no other one, although the operation may end, and
//! its slot may be wanted for the next, between the look and the naming.

use std::sync::atomic::Ordering::SeqCst;

use super::super::in_flight::OperationId;
use super::super::sync::AtomicUsize;
use super::kit::{Address, SUCCESS, Table, clean_up, complete, is_free, lend, submit};
use crate::explorer::check;
use crate::plan::Bound;

/// A table with one operation in flight, and a note of which operation the system has at its
/// address.
struct Scene {
    table: Table,
    id: OperationId,
    address: Address,
    at_address: AtomicUsize,
}

impl Scene {
    fn new() -> Self {
        let table = Table::new();
        let lent = lend(&table, 0, 7).expect("it is open");
        let (id, address) = (lent.id(), Address::of(&lent));
        drop(lent);
        Self { table, id, address, at_address: AtomicUsize::new(7) }
    }

    /// Cancels: says whether there was something to name.
    fn cancel(&self) -> bool {
        let name = |_| assert_eq!(self.at_address.load(SeqCst), 7, "it names the next operation");
        self.table.while_lent(self.id, name).is_some()
    }

    /// Completes the operation, and submits another, in the same slot if it is free.
    fn complete_and_submit(&self) -> Address {
        self.address.end(SUCCESS);
        assert_eq!(complete(&self.table, self.address), Some(7));
        let next = submit(&self.table, 0, 8).expect("it is open");
        if next == self.address {
            self.at_address.store(8, SeqCst);
        }
        next
    }
}

#[test]
fn naming_an_operation_never_hits_the_next_one() {
    check("cancel", 2, Bound::Outcomes, |execution| {
        let scene = Scene::new();
        let (mut was_there, mut next) = (false, None);
        execution.run([
            Box::new(|| was_there = scene.cancel()),
            Box::new(|| next = Some(scene.complete_and_submit())),
        ]);
        assert!(scene.table.while_lent(scene.id, |_| ()).is_none(), "it is over");
        clean_up(&scene.table, next);
        is_free(&scene.table, scene.address);
    });
}

/// Two that name the same operation do not stand in each other's way.
#[test]
fn two_can_name_an_operation_that_a_third_completes() {
    check("cancel_twice", 3, Bound::Outcomes, |execution| {
        let scene = Scene::new();
        let mut next = None;
        execution.run([
            Box::new(|| _ = scene.cancel()),
            Box::new(|| _ = scene.cancel()),
            Box::new(|| next = Some(scene.complete_and_submit())),
        ]);
        clean_up(&scene.table, next);
        is_free(&scene.table, scene.address);
    });
}

/// The call that was given the slot goes on meanwhile, on a third thread: the slot waits for all.
#[test]
fn a_slot_waits_for_its_call_and_for_whoever_names_it() {
    check("cancel_and_late_call", 3, Bound::Outcomes, |execution| {
        let (table, at_address) = (Table::new(), AtomicUsize::new(7));
        let lent = lend(&table, 0, 7).expect("it is open");
        let (id, address) = (lent.id(), Address::of(&lent));
        let look = || assert_eq!(at_address.load(SeqCst), 7, "the slot serves another operation");
        let mut next = None;
        execution.run([
            Box::new(|| _ = table.while_lent(id, |_| look())),
            Box::new(|| {
                look();
                drop(lent);
            }),
            Box::new(|| {
                address.end(SUCCESS);
                assert_eq!(complete(&table, address), Some(7));
                next = submit(&table, 0, 8);
                if next == Some(address) {
                    at_address.store(8, SeqCst);
                }
            }),
        ]);
        clean_up(&table, next);
        is_free(&table, address);
    });
}
