//! An allocator that counts what one thread asks for.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it stands before the allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU32, AtomicUsize};

/// Counts the allocations of one thread: those that the harness makes elsewhere are not ours.
pub struct Counting;

static THREAD: AtomicU32 = AtomicU32::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every request is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.saturating_sub(layout.size()));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// A thread is known by its number. A variable of its own would have to be allocated on some
/// targets, which is not for an allocator to do.
fn count(bytes: usize) {
    if THREAD.load(SeqCst) == GetCurrentThreadId() {
        ALLOCATIONS.fetch_add(1, SeqCst);
        BYTES.fetch_add(bytes, SeqCst);
    }
}

/// Counts for this thread from now on, and makes sure that it does.
pub fn count_this_thread() {
    THREAD.store(GetCurrentThreadId(), SeqCst);
    let counted = allocations_of(|| drop(black_box(Vec::<u8>::with_capacity(1))));
    assert_eq!(counted, 1, "the counter does not count");
}

/// How many allocations this thread makes while it does something.
pub fn allocations_of(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.load(SeqCst);
    work();
    ALLOCATIONS.load(SeqCst) - before
}

/// How many bytes it asks for.
pub fn bytes_of(work: impl FnOnce()) -> usize {
    let before = BYTES.load(SeqCst);
    work();
    BYTES.load(SeqCst) - before
}

#[link(name = "kernel32")]
unsafe extern "system" {
    /// Only reads what the system has told the thread when it began.
    safe fn GetCurrentThreadId() -> u32;
}
