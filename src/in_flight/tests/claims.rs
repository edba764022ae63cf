//! The time between claiming an operation by its packet and collecting what was lent for it.

use super::super::slot::HOLDS_VALUE;
use super::*;

/// Claims an operation that has ended.
#[track_caller]
fn claim<T>(table: &InFlight<T>, ended: &Pending) -> Claim {
    finish(ended, SUCCESS, 3);
    // SAFETY: the test that has finished the operation gives up its part as the kernel.
    unsafe { table.claim(ended.overlapped) }.expect("it is ours")
}

#[test]
fn what_is_claimed_is_in_flight_no_more_and_keeps_its_value() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let lent = lend(&table, mint.token(7));
    let claim = claim(&table, &lent);
    assert_eq!((table.count(), mint.dropped()), (0, 0));
    assert!(table.is_empty());
    // SAFETY: a second packet for the same operation.
    assert!(unsafe { table.claim(lent.overlapped) }.is_none(), "it is claimed once");
    assert!(table.while_lent(lent.id, |_| ()).is_none(), "nothing can be asked for it");
    assert_ne!(lend(&table, mint.token(8)).overlapped, lent.overlapped, "the slot is in use");
    // SAFETY: the claim is this table's, and collected here alone.
    let ended = unsafe { table.collect(claim) };
    assert_eq!((ended.id, ended.count, ended.value.number), (lent.id, 3, 7));
    drop(ended);
    assert_eq!(lend(&table, mint.token(9)).overlapped, lent.overlapped, "it serves again");
}

/// The claims are collected in another order than they were made, among several groups.
#[test]
fn each_of_many_claims_has_its_own_value() {
    let table = InFlight::new();
    let lent: Vec<_> = (0..100).map(|number| lend(&table, number)).collect();
    let claims: Vec<_> = lent.iter().map(|one| claim(&table, one)).collect();
    assert!(table.is_empty());
    for (number, claim) in claims.iter().enumerate().rev() {
        // SAFETY: the claims are this table's, and each is collected once.
        let ended = unsafe { table.collect(*claim) };
        assert_eq!((ended.value, ended.id), (number, lent[number].id));
    }
    assert_eq!(lend(&table, 0).overlapped, lent[0].overlapped, "all slots are free");
}

/// The slot serves again when the value is out, the call is back, and nobody names the operation,
/// whichever comes last.
#[test]
fn a_claimed_slot_waits_for_its_call_and_for_those_who_name_it() {
    for collected_first in [true, false] {
        let table = InFlight::new();
        let lent = call(&table, 0, 1);
        let (id, overlapped) = (lent.id(), lent.overlapped());
        let mut lent = Some(lent);
        table.while_lent(id, |_| {
            let claim = claim(&table, &Pending { id, overlapped });
            lent.take_if(|_| !collected_first);
            // SAFETY: the claim is this table's, and collected here alone.
            assert_eq!(unsafe { table.collect(claim) }.value, 1);
            assert_ne!(lend(&table, 2).overlapped, overlapped);
        });
        drop(lent);
        assert_eq!(lend(&table, 3).overlapped, overlapped);
    }
}

/// Memory of a claim that nobody collects is kept, as is that of an operation which never ends.
#[test]
fn a_table_with_a_claim_that_is_never_collected_keeps_its_memory() {
    let mint = Mint::default();
    let table = InFlight::new();
    let lent = lend(&table, mint.token(1));
    let forgotten = claim(&table, &lent);
    drop(table);
    // Under AddressSanitizer this fails if the memory was freed.
    // SAFETY: the table has leaked its memory, since a slot is in use.
    let place = unsafe { SlotRef::<Slot<Token>>::from_raw(forgotten.group, forgotten.index) };
    let state = place.slot().state.load(Relaxed);
    assert_eq!((state & USES, mint.dropped()), (HOLDS_VALUE, 0));
}

/// The slot is given back by a value that is dropped there, also if its drop panics.
#[test]
fn a_value_that_is_dropped_in_its_slot_gives_it_back() {
    struct Panics(bool);
    impl Drop for Panics {
        fn drop(&mut self) {
            if self.0 {
                // Without a message, and the trace of calls that would come with it.
                std::panic::resume_unwind(Box::new("on purpose"));
            }
        }
    }
    let table = InFlight::new();
    let mut slots = Vec::new();
    for panics in [false, true, false] {
        let lent = lend(&table, Panics(panics));
        slots.push(lent.overlapped);
        let claim = claim(&table, &lent);
        // SAFETY: the claim is this table's, and collected here alone.
        let drop_it = std::panic::AssertUnwindSafe(|| drop(unsafe { table.collect(claim) }));
        assert_eq!(std::panic::catch_unwind(drop_it).is_err(), panics);
    }
    assert!(slots.iter().all(|slot| *slot == slots[0]), "each has had the same: {slots:?}");
}
