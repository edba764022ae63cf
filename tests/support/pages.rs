//! An allocator that gives memory pages of its own, so that whoever writes to it after it was
//! freed, or behind its end, meets no memory there: a fault at once, in place of a heap that is
//! broken somewhere. That holds for the kernel too, to whom a program has lent such memory.
//!
//! ```text
//!     a range of addresses, reserved as a whole       the same when the memory was freed
//!     ┌────────────────────────────┬───────────┐      ┌────────────────────────────────────────┐
//!     │ memory           the bytes │ no memory │      │               no memory                │
//!     └────────────────────────────┴───────────┘      └────────────────────────────────────────┘
//! ```
//!
//! The rule: what has at least as many bytes as an `OVERLAPPED` has, 32 on 64 bits and 20 on 32, or
//! is to be aligned to at least so many, gets pages of its own. So do the blocks of the table of
//! operations, what the layer keeps of each registration, the addresses of accepted and connecting
//! sockets, and each buffer that a test makes so large. The rest goes to the system's allocator; so
//! does what is to be aligned to more than 64 KiB, where the system's ranges begin.
//!
//! Cost: 64 KiB of addresses and two system calls for each. The range of freed memory stays
//! reserved, so that nothing else comes to lie there, while the next [`KEPT`] are freed, and is
//! then released.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::process::abort;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use overlapped::ffi::constants::FALSE;
use overlapped::ffi::types::{BOOL, OVERLAPPED};

/// To be made the `#[global_allocator]`.
pub struct Pages;

/// How many allocations with pages of their own there are, in the whole process.
pub fn live() -> usize {
    LIVE.load(SeqCst)
}

/// How many bytes they have, without what is left of their pages.
pub fn live_bytes() -> usize {
    BYTES.load(SeqCst)
}

/// How many ranges are kept after they were freed: fewer where addresses have 32 bits.
pub const KEPT: usize = if cfg!(target_pointer_width = "64") { 1_000 } else { 100 };

/// From this size, or this alignment, on memory has pages of its own.
pub const LARGE: usize = size_of::<OVERLAPPED>();

/// The size of a page, on each processor that the crate is for.
pub const PAGE: usize = 4 << 10;

/// What the address of each range is a multiple of.
const GRANULARITY: usize = 64 << 10;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
/// A ring: each range that is freed takes the place of the oldest.
static FREED: [AtomicPtr<u8>; KEPT] = [const { AtomicPtr::new(null_mut()) }; KEPT];
static FREES: AtomicUsize = AtomicUsize::new(0);

fn is_large(layout: Layout) -> bool {
    (layout.size() >= LARGE || layout.align() >= LARGE) && layout.align() <= GRANULARITY
}

/// How many bytes of a range have memory.
fn committed(layout: Layout) -> usize {
    layout.size().next_multiple_of(PAGE)
}

// SAFETY: large allocations lie in pages that nobody else has, from `alloc` to `dealloc`, and start
// where their alignment asks; the others are the system's. No lock is taken, nothing is allocated,
// and nothing unwinds. Reallocation is the trait's own, by an allocation, a copy and a
// deallocation, so what grows or shrinks always moves, and may become large or small.
unsafe impl GlobalAlloc for Pages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_large(layout) {
            // SAFETY: the caller's promise, passed on.
            return unsafe { System.alloc(layout) };
        }
        let committed = committed(layout);
        // SAFETY: addresses of the system's choice are reserved, so no memory of ours is touched.
        let base = unsafe { VirtualAlloc(null_mut(), committed + PAGE, MEM_RESERVE, READ_WRITE) };
        if base.is_null() {
            return null_mut();
        }
        // SAFETY: these addresses have just been reserved, and are nobody else's.
        if unsafe { VirtualAlloc(base, committed, MEM_COMMIT, READ_WRITE) }.is_null() {
            release(base.cast());
            return null_mut();
        }
        LIVE.fetch_add(1, SeqCst);
        BYTES.fetch_add(layout.size(), SeqCst);
        // The base is a multiple of the alignment, so rounding down ends there at the lowest.
        let offset = (committed - layout.size()) & !(layout.align() - 1);
        // SAFETY: the offset is less than a page, and so within what was committed.
        unsafe { base.cast::<u8>().add(offset) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if !is_large(layout) {
            // SAFETY: the caller's promise, passed on.
            return unsafe { System.dealloc(pointer, layout) };
        }
        // To free it a second time is a fault as well, which the system would not mind.
        // SAFETY: the caller gives up memory that is its own, and that has a first byte.
        unsafe { pointer.write_volatile(0) };
        // The first byte is always in the first page.
        let base = pointer.map_addr(|address| address & !(PAGE - 1));
        // SAFETY: `alloc` committed these pages for this memory, which nobody uses after this.
        if unsafe { VirtualFree(base.cast(), committed(layout), MEM_DECOMMIT) } == FALSE {
            abort();
        }
        LIVE.fetch_sub(1, SeqCst);
        BYTES.fetch_sub(layout.size(), SeqCst);
        let oldest = FREED[FREES.fetch_add(1, SeqCst) % KEPT].swap(base, SeqCst);
        if !oldest.is_null() {
            release(oldest);
        }
    }
}

/// Gives addresses back that `alloc` has reserved, and in which nothing is committed any more.
fn release(base: *mut u8) {
    // SAFETY: only this file knows of these addresses, and does not use them after this.
    if unsafe { VirtualFree(base.cast(), 0, MEM_RELEASE) } == FALSE {
        abort();
    }
}

const MEM_COMMIT: u32 = 0x1000;
const MEM_RESERVE: u32 = 0x2000;
const MEM_DECOMMIT: u32 = 0x4000;
const MEM_RELEASE: u32 = 0x8000;
const READ_WRITE: u32 = 4;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn VirtualAlloc(start: *mut c_void, size: usize, kind: u32, protection: u32) -> *mut c_void;
    fn VirtualFree(start: *mut c_void, size: usize, kind: u32) -> BOOL;
}
