//! The table among threads. Where order matters a run shows it only sometimes: ThreadSanitizer sees
//! more, and Miri, whose memory is as weak as Rust allows.

use std::sync::mpsc;
use std::thread;

use super::*;

/// How often something is tried that shows what it shows only sometimes: less often under Miri,
/// which is slow, and whose threads take turns in more ways.
fn rounds(many: usize) -> usize {
    if cfg!(miri) { many.div_ceil(100) } else { many }
}

/// Runs the threads to their end. Joined one by one, for the end of a scope alone is an order of
/// events that ThreadSanitizer does not see.
fn run<'scope>(threads: impl IntoIterator<Item = thread::ScopedJoinHandle<'scope, ()>>) {
    let threads: Vec<_> = threads.into_iter().collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a thread failed"));
}

/// Each of eight threads lends and completes its own; all share the slots.
#[test]
fn eight_threads_share_a_table() {
    let (table, mint) = (InFlight::new(), Mint::default());
    let kind = |thread: usize| {
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
    thread::scope(|scope| run((0..8).map(|thread| scope.spawn(move || kind(thread)))));
    assert_eq!((table.count(), mint.dropped()), (0, 8 * 3 * rounds(2_000)));
}

/// Four threads submit, and each packet arrives twice, on two threads at once. Every value comes
/// out once.
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
                let slot = table.slots.get(id.slot()).expect("it has a slot").slot();
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

/// One thread lends in a block that nobody has seen before, while another closes the table and
/// counts: either the one is refused, or the other has counted it. Under Miri, whose memory is as
/// weak as Rust allows, this fails if the blocks are not in the one order of the slots.
#[test]
fn whoever_closes_and_counts_misses_nothing_in_a_new_block() {
    for _ in 0..rounds(1_000) {
        let table = &InFlight::new();
        // The first block is full but for one, and two threads lend: one makes a block.
        let full: Vec<_> = (0..31).map(|number| lend(table, number)).collect();
        let lend_one = || reserve(table, 0, 99).lend(0).is_ok();
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
