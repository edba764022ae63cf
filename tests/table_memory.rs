//! What the table of operations allocates it gives back, with the layout with which it was
//! allocated, which an allocator may rely on; and a table from which something has not come back
//! keeps all.
//!
//! The table makes no system call, so this runs on every system, and under Miri.
#![allow(unsafe_code, reason = "it stands before the allocator, and writes in place of the kernel")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

// Included as they are, in a folder of their own, since a module of a crate is closed to its tests.
#[path = "../src"]
mod table {
    #![allow(dead_code, unused_imports, reason = "a part of the table is used")]

    #[path = "../ffi/mod.rs"]
    mod ffi;
    mod in_flight;
    mod status;
    mod sync;

    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Release;

    use in_flight::InFlight;

    pub struct Table(InFlight<super::Value>);

    impl Table {
        pub fn new() -> Self {
            Self(InFlight::new())
        }

        /// Lends so many, and completes all but those that are kept.
        pub fn lend_and_complete(&self, count: usize, kept: usize) {
            let lend = |number| {
                let reserved = self.0.take_slot(0).expect("there is memory").fill([number; 37]);
                reserved.lend(0).expect("the table is open").overlapped()
            };
            let lent: Vec<_> = (0..count as u64).map(lend).collect();
            for overlapped in &lent[kept..] {
                // SAFETY: the operation is lent, and this test is its kernel.
                let status = unsafe { &raw mut (**overlapped).Internal };
                // SAFETY: the field is aligned, and everybody touches it as an atomic.
                unsafe { AtomicUsize::from_ptr(status) }.store(0, Release);
                // SAFETY: the operation has ended.
                let claim = unsafe { self.0.claim(*overlapped) }.expect("it is in flight");
                // SAFETY: the claim is this table's, and collected here alone.
                let _ = unsafe { self.0.collect(claim) };
            }
            assert_eq!(self.0.count(), kept);
        }
    }
}

use table::Table;

/// Of a size that no other table here has: the unit tests of what is included come along, and run
/// at the same time.
pub type Value = [u64; 37];

/// The size of a group of slots that hold such values.
const GROUP: usize = if cfg!(target_pointer_width = "64") { 11_072 } else { 10_816 };

/// Keeps books of the blocks of such tables.
struct Books;

#[global_allocator]
static ALLOCATOR: Books = Books;

const MOST: usize = 64;
/// The address and the size of each piece that is there.
static PIECES: [[AtomicUsize; 2]; MOST] =
    [const { [AtomicUsize::new(0), AtomicUsize::new(0)] }; MOST];
static WRONG: AtomicUsize = AtomicUsize::new(0);

fn is_block(layout: Layout) -> bool {
    let groups = layout.size() / GROUP;
    layout.align() == 64 && layout.size() % GROUP == 0 && groups.is_power_of_two()
}

// SAFETY: every request is passed on to the system's allocator as it came; the books are numbers.
unsafe impl GlobalAlloc for Books {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, passed on.
        let piece = unsafe { System.alloc(layout) };
        let free = |[address, _]: &&[AtomicUsize; 2]| {
            address.compare_exchange(0, piece.addr(), SeqCst, SeqCst).is_ok()
        };
        if is_block(layout) {
            match PIECES.iter().find(free) {
                Some([_, size]) => size.store(layout.size(), SeqCst),
                None => drop(WRONG.fetch_add(1, SeqCst)),
            }
        }
        piece
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        let known = PIECES.iter().find(|[address, _]| address.load(SeqCst) == piece.addr());
        match known {
            Some([address, size]) => {
                if !is_block(layout) || size.load(SeqCst) != layout.size() {
                    WRONG.fetch_add(1, SeqCst);
                }
                address.store(0, SeqCst);
            }
            None if is_block(layout) => drop(WRONG.fetch_add(1, SeqCst)),
            None => {}
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(piece, layout) }
    }
}

/// How many blocks there are.
fn blocks() -> usize {
    assert_eq!(WRONG.load(SeqCst), 0, "a piece was given back otherwise than it was taken");
    PIECES.iter().filter(|[address, _]| address.load(SeqCst) != 0).count()
}

/// One test, for the books are those of the whole process.
#[test]
fn a_table_gives_back_what_it_has_allocated_unless_something_is_lent() {
    let before = blocks();
    drop(Table::new());
    assert_eq!(blocks(), before, "an empty table has nothing");

    let table = Table::new();
    table.lend_and_complete(500, 0);
    assert!(blocks() >= before + 4, "only {} blocks for 500 operations", blocks() - before);
    drop(table);
    assert_eq!(blocks(), before, "all has come back, and so all is given back");

    let table = Table::new();
    table.lend_and_complete(100, 1);
    let held = blocks();
    drop(table);
    assert_eq!(blocks(), held, "the kernel may write to it");
}
