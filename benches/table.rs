//! What the table of operations in flight costs: putting one in, lending it, and completing it.
//!
//! ```text
//! cargo bench --bench table
//! ```
//!
//! The table makes no system call, so a clock can tell what it costs on any system, and what it
//! costs when several threads use it; `benches/count` has the whole layer, for one. No kernel has
//! part in this: the final status is written where the kernel would write it.

// Included as they are, in a folder of their own, since a module of a crate is closed to its
// benches.
#[path = "../src"]
mod table {
    #![allow(dead_code, unused_imports, reason = "a part of the table is used")]
    #![allow(unsafe_code, reason = "it writes in place of the kernel")]

    #[path = "../ffi/mod.rs"]
    mod ffi;
    mod in_flight;
    mod status;
    mod sync;

    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Release;

    use in_flight::InFlight;
    use status::Status;

    /// As large as what the layer lends along with an operation: a vector, and two words.
    pub type Value = [usize; 5];

    pub struct Table(InFlight<Value>);

    /// An operation that is lent: the slot it has, and its address.
    #[derive(Clone, Copy)]
    pub struct Operation {
        pub slot: u32,
        overlapped: *mut ffi::types::OVERLAPPED,
    }

    impl Table {
        pub fn new() -> Self {
            Self(InFlight::new())
        }

        #[inline]
        pub fn lend(&self, hint: u32, value: Value) -> Operation {
            let Some(vacant) = self.0.take_slot(hint) else { panic!("out of memory") };
            let Ok(lent) = vacant.fill(value).lend(0) else { panic!("closed") };
            Operation { slot: lent.id().slot(), overlapped: lent.overlapped() }
        }

        #[inline]
        pub fn complete(&self, operation: Operation) -> Value {
            // SAFETY: `lend` has given the address, which is that of a slot, and slots stay.
            let field = unsafe { &raw mut (*operation.overlapped).Internal };
            // SAFETY: the field is aligned, and stays as long as the table; it is used as an
            // atomic.
            let internal = unsafe { AtomicUsize::from_ptr(field) };
            internal.store(ffi::ntstatus::STATUS_SUCCESS as usize, Release);
            // SAFETY: nobody else has the operation, since there is no kernel here.
            let Some(claim) = (unsafe { self.0.claim(operation.overlapped) }) else {
                panic!("an operation that was lent is not there")
            };
            // SAFETY: the claim is this table's, and collected here alone.
            let ended = unsafe { self.0.collect(claim) };
            assert!(ended.status == Status::SUCCESS && ended.id.slot() == operation.slot);
            ended.value
        }

        pub fn count(&self) -> usize {
            self.0.count()
        }
    }
}

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use table::{Operation, Table};

const HELP: &str = "\
Measures what the table of operations in flight costs, by the clock, on whatever system it runs.

    --bench       is what cargo passes, and says nothing
    -h, --help    prints this
";

/// How many operations one thread does in one run: enough for the scheduler to have given each
/// thread a processor of its own for most of the time. Where the compiler has not optimised, the
/// numbers mean nothing anyway. Of so many runs the middle one counts.
const OPERATIONS: u32 = if cfg!(debug_assertions) { 10_000 } else { 1_000_000 };
const RUNS: usize = 5;

/// The slots that share a word, in which those that are taken are noted.
const GROUP: u32 = 32;

fn main() -> ExitCode {
    for word in std::env::args_os().skip(1) {
        match word.to_str() {
            Some("--bench") => {}
            Some("-h" | "--help") => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            _ => {
                eprintln!("table: there is no argument {word:?}; --help explains those there are");
                return ExitCode::from(2);
            }
        }
    }
    println!(
        "Nanoseconds to put an operation in, lend it and complete it; the middle of {RUNS} runs."
    );
    println!("With threads it is the time of a processor: that of the clock, times the processors");
    println!("that were at work, divided by the operations of all.\n");
    println!("{:<44}{:>8}", "threads, and where they put their operations", "ns");
    for threads in [1, 2, 8] {
        line(&format!("{threads}, each in a group of its own"), || in_threads(threads, GROUP));
        line(&format!("{threads}, all in the same group"), || in_threads(threads, 0));
    }
    println!("\n{:<44}{:>8}", "operations in flight besides, and where to", "ns");
    for besides in [10, 1_000, 10_000] {
        line(&format!("{besides}, each to the slot it had"), || among(besides, true));
        line(&format!("{besides}, each to the first that is free"), || among(besides, false));
    }
    ExitCode::SUCCESS
}

fn line(what: &str, run: impl Fn() -> f64) {
    let mut runs = [0.0; RUNS].map(|_: f64| run());
    runs.sort_by(f64::total_cmp);
    println!("{what:<44}{:>8.1}", runs[RUNS / 2]);
}

/// Each thread submits and completes one operation after the other, as a connection does, which
/// looks first where it was before. They begin `apart` slots from each other.
fn in_threads(threads: u32, apart: u32) -> f64 {
    let table = Table::new();
    // So that all the groups are there.
    let fill: Vec<Operation> = (0..threads * GROUP).map(|n| table.lend(n, [0; 5])).collect();
    for operation in fill {
        table.complete(operation);
    }

    let start = Barrier::new(threads as usize);
    let longest = thread::scope(|scope| {
        let spawn = |thread| {
            scope.spawn({
                let (table, start) = (&table, &start);
                move || {
                    start.wait();
                    let began = Instant::now();
                    one_after_the_other(table, thread * apart);
                    (began, Instant::now())
                }
            })
        };
        let threads: Vec<_> = (0..threads).map(spawn).collect();
        let times: Vec<_> = threads.into_iter().map(|it| it.join().expect("it ends")).collect();
        let began = times.iter().map(|(began, _)| *began).min();
        let ended = times.iter().map(|(_, ended)| *ended).max();
        ended.zip(began).map_or(Duration::ZERO, |(ended, began)| ended - began)
    });
    assert_eq!(table.count(), 0);

    let processors = thread::available_parallelism().map_or(1, |count| count.get() as u32);
    let at_work = f64::from(threads.min(processors));
    longest.as_secs_f64() * 1e9 * at_work / f64::from(threads) / f64::from(OPERATIONS)
}

fn one_after_the_other(table: &Table, mut near: u32) {
    for number in 0..OPERATIONS as usize {
        let operation = table.lend(near, black_box([number; 5]));
        near = operation.slot;
        assert_eq!(black_box(table.complete(operation))[0], number);
    }
}

/// One thread completes the oldest of many operations and submits another: to the same slot, as a
/// connection does that goes on, or wherever there is room, as one does that is new.
fn among(besides: u32, goes_on: bool) -> f64 {
    let table = Table::new();
    let mut operations: Vec<Operation> = (0..besides).map(|n| table.lend(n, [0; 5])).collect();
    let began = Instant::now();
    for number in 0..OPERATIONS {
        let operation = &mut operations[(number % besides) as usize];
        black_box(table.complete(*operation));
        let near = if goes_on { operation.slot } else { 0 };
        *operation = table.lend(near, black_box([number as usize; 5]));
    }
    let took = began.elapsed();
    for operation in operations {
        table.complete(operation);
    }
    assert_eq!(table.count(), 0);
    took.as_secs_f64() * 1e9 / f64::from(OPERATIONS)
}
