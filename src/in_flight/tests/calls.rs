//! The time between the moment when an operation is lent and the return of the call that it was
//! lent for: what is taken back then, and what is not, and who may have the slot.

use super::*;

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

/// The kernel may say in the operation, too, why the call has failed; and then no packet comes.
#[test]
fn what_has_failed_at_once_is_taken_back_although_its_status_is_known() {
    let table = InFlight::new();
    for error in [0xC000_020D_u32, 0xC000_0141, 0xC000_009A] {
        let lent = call(&table, 0, 3);
        end(lent.overlapped(), error as usize, 0);
        // SAFETY: this test is the kernel, whose call fails.
        assert_eq!(unsafe { lent.take_back() }, Some(3), "{error:#x}");
        assert_eq!(table.count(), 0);
    }
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

/// While the call goes on, and while somebody names the operation, the slot is kept; whoever lets
/// go last frees it, in either order.
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

/// Each of many operations is taken back, and named, as if it were alone: the first in their slots,
/// and the second.
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

/// A file is at its end, says the call, and no packet comes of the system.
#[test]
fn what_ends_in_the_place_of_the_system_is_claimed_by_a_packet_of_ours() {
    let table = InFlight::new();
    let lent = call(&table, 0, 3);
    let (id, overlapped) = (lent.id(), lent.overlapped());
    assert!(lent.is_refused());
    let ours = overlapped.wrapping_byte_add(1);
    assert!(complete(&table, ours).is_none(), "it was not ended");
    // The kernel can have written an error.
    end(overlapped, 0xC000_014B, 0);
    // SAFETY: it is lent, and no kernel has it.
    let marked = unsafe { mark_ended(overlapped, Status::END_OF_FILE) };
    assert_eq!(marked, Some(ours));
    assert!(complete(&table, overlapped).is_none(), "a stray packet");
    let ended = complete(&table, ours).expect("it has ended");
    assert_eq!((ended.id, ended.count, ended.value, table.count()), (id, 0, 3, 0));
    assert_eq!(ended.status, Status::END_OF_FILE);
    // SAFETY: the call is not over.
    assert!(unsafe { mark_ended(overlapped, Status::END_OF_FILE) }.is_none(), "it has ended");
    drop(lent);
    assert!(complete(&table, ours).is_none(), "once");
    let next = lend(&table, 4);
    assert_eq!(next.overlapped, overlapped, "the slot serves again");
    assert!(complete(&table, ours).is_none(), "the next operation is not marked");
    finish(&next, SUCCESS, 0);
    assert!(complete(&table, ours).is_none(), "not even when it has ended");
    assert!(complete(&table, next.overlapped).is_some());
}

/// What has failed can be said in the `OVERLAPPED` already, and then a stray packet ends it.
#[test]
fn what_a_stray_packet_has_ended_is_not_ended_again() {
    let table = InFlight::new();
    let lent = call(&table, 0, 3);
    let overlapped = lent.overlapped();
    end(overlapped, 0xC000_0011, 0);
    assert!(complete(&table, overlapped).is_some());
    // SAFETY: the call is not over.
    assert!(unsafe { mark_ended(overlapped, Status::END_OF_FILE) }.is_none());
    // SAFETY: no kernel has it.
    assert!(unsafe { lent.take_ended(Status::END_OF_FILE) }.is_none(), "it was given back");
    let next = lend(&table, 4);
    assert_eq!((next.overlapped, table.count()), (overlapped, 1), "the slot serves again");
    finish(&next, SUCCESS, 0);
    assert!(complete(&table, overlapped).is_some());
}

#[test]
fn what_could_not_be_told_by_a_packet_is_taken_back() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let lent = call(&table, 0, mint.token(3));
    let overlapped = lent.overlapped();
    for status in [Status::CANCELLED, Status::END_OF_FILE] {
        // SAFETY: it is lent, and no kernel has it.
        assert!(unsafe { mark_ended(overlapped, status) }.is_some(), "it can be said again");
    }
    assert!(complete(&table, overlapped).is_none(), "a stray packet");
    // SAFETY: no kernel has it, and no packet was posted.
    let ended = unsafe { lent.take_ended(Status::END_OF_FILE) }.expect("nobody else took it");
    assert_eq!((ended.value.number, ended.status), (3, Status::END_OF_FILE));
    assert_eq!((table.count(), mint.dropped()), (0, 0));
}

#[test]
fn only_what_reads_as_pending_or_as_an_error_is_refused() {
    let table = InFlight::new();
    for (status, refused) in
        [(0x103, true), (0xC000_0011, true), (0x8000_0005, false), (0, false), (0x10C, false)]
    {
        let lent = call(&table, 0, 3);
        end(lent.overlapped(), status, 0);
        assert_eq!(lent.is_refused(), refused, "{status:#x}");
        drop(lent);
    }
}

#[test]
fn the_offset_is_in_the_operation_and_gone_with_it() {
    let table = InFlight::new();
    for offset in [0x1234_5678_9ABC_DEF0, u64::MAX, 0] {
        let lent = reserve(&table, 0, 3).lend(offset).expect("the table is open");
        let overlapped = lent.overlapped();
        // SAFETY: this test is the call, which reads where it is to begin.
        let low = unsafe { (*overlapped).Offset };
        // SAFETY: as above.
        let high = unsafe { (*overlapped).OffsetHigh };
        assert_eq!((low, high), (offset as u32, (offset >> 32) as u32));
        // SAFETY: no kernel has it.
        assert_eq!(unsafe { lent.take_back() }, Some(3));
    }
}
