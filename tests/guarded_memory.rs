//! The allocator of `support/pages.rs` itself: what it gives is memory as any allocator gives it,
//! it counts what is live, and whoever writes behind the end of memory, or after it was freed,
//! dies.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it breaks the rules of memory on purpose")]

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;
use std::hint::black_box;

#[path = "support/alone.rs"]
mod alone;
#[path = "support/spawn.rs"]
mod spawn;
use alone::{SO_FAR, alone};

#[path = "support/pages.rs"]
mod pages;
use pages::{KEPT, LARGE, PAGE, Pages, live, live_bytes};

#[global_allocator]
static ALLOCATOR: Pages = Pages;

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a layout")
}

fn allocate(layout: Layout) -> *mut u8 {
    // SAFETY: the layout is not empty.
    let memory = unsafe { ALLOCATOR.alloc_zeroed(layout) };
    assert!(!memory.is_null(), "no memory of {layout:?}");
    black_box(memory)
}

/// Frees what `allocate` has given; twice is a violation.
fn deallocate(memory: *mut u8, layout: Layout) {
    // SAFETY: it came from this allocator with this layout.
    unsafe { ALLOCATOR.dealloc(memory, layout) };
}

/// Writes where nobody may: this is to be the end of the process.
fn touch(memory: *mut u8) {
    // SAFETY: it is not safe, but where the allocator does its work there is no memory.
    unsafe { black_box(memory).write_volatile(1) };
}

#[test]
fn a_write_behind_the_end_is_a_fault() {
    alone("a_write_behind_the_end_is_a_fault", || {
        let memory = allocate(layout(100, 1));
        println!("{SO_FAR}");
        touch(memory.wrapping_add(100));
    })
    .assert_fault();
}

#[test]
fn a_write_after_the_free_is_a_fault() {
    alone("a_write_after_the_free_is_a_fault", || {
        let memory = allocate(layout(100, 1));
        deallocate(memory, layout(100, 1));
        println!("{SO_FAR}");
        touch(memory);
    })
    .assert_fault();
}

#[test]
fn to_free_twice_is_a_fault() {
    alone("to_free_twice_is_a_fault", || {
        let memory = allocate(layout(100, 1));
        deallocate(memory, layout(100, 1));
        println!("{SO_FAR}");
        deallocate(memory, layout(100, 1));
    })
    .assert_fault();
}

#[test]
fn memory_is_zeroed_aligned_and_at_the_end_of_its_pages() {
    for size in [1, LARGE - 1, LARGE, 100, PAGE - 1, PAGE, PAGE + 1, 20 * PAGE + 3] {
        for align in (0..=12).map(|power| 1 << power) {
            let layout = layout(size, align);
            let memory = allocate(layout);
            assert_eq!(memory.addr() % align, 0, "{layout:?}");
            let behind = memory.addr() + size;
            let left = behind.next_multiple_of(PAGE) - behind;
            assert!(left < align || size.max(align) < LARGE, "{layout:?}: {left} bytes behind it");
            // SAFETY: so many bytes have just been allocated, and zeroed.
            let bytes = unsafe { std::slice::from_raw_parts_mut(memory, size) };
            assert!(bytes.iter().all(|byte| *byte == 0), "{layout:?}");
            bytes.fill(1);
            deallocate(memory, layout);
        }
    }
}

#[test]
fn bytes_stay_the_same_while_a_vector_grows_and_shrinks() {
    let mut bytes: Vec<u8> = b"0123456789".to_vec();
    for capacity in [LARGE - 1, LARGE, 100, PAGE, 3 * PAGE, 200, LARGE, 10] {
        let before = bytes.as_ptr();
        bytes.shrink_to(capacity);
        bytes.reserve_exact(capacity - bytes.len());
        assert_eq!((bytes.capacity(), bytes.as_slice()), (capacity, &b"0123456789"[..]));
        assert!(capacity < LARGE || bytes.as_ptr() != before, "it has not moved");
    }
}

/// Alone, so that nobody else frees anything meanwhile.
#[test]
fn the_addresses_of_what_was_freed_are_kept_for_a_while_and_then_released() {
    alone("the_addresses_of_what_was_freed_are_kept_for_a_while_and_then_released", || {
        let page = layout(PAGE, 1);
        let free_one = || {
            let memory = allocate(page);
            deallocate(memory, page);
            memory
        };
        let first = free_one();
        for _ in 1..KEPT {
            free_one();
        }
        assert!(!is_free(first), "after {KEPT} with itself");
        free_one();
        assert!(is_free(first), "after {KEPT} others");
    })
    .assert_fine();
}

/// Whether nobody has these addresses. They are taken by asking.
fn is_free(page: *mut u8) -> bool {
    const MEM_RESERVE: u32 = 0x2000;
    const PAGE_READWRITE: u32 = 4;
    // SAFETY: the call fails where somebody has the addresses, and touches no memory.
    !unsafe { VirtualAlloc(page.cast(), PAGE, MEM_RESERVE, PAGE_READWRITE) }.is_null()
}

/// Alone, for the count is of the whole process.
#[test]
fn what_is_live_is_counted() {
    alone("what_is_live_is_counted", || {
        let counted = || (live(), live_bytes());
        let (count, bytes) = counted();
        let mut large = Vec::<u8>::with_capacity(LARGE);
        let small = black_box(Vec::<u8>::with_capacity(LARGE - 1));
        assert_eq!(counted(), (count + 1, bytes + LARGE));
        large.reserve_exact(5_000);
        assert_eq!(counted(), (count + 1, bytes + 5_000));
        drop((large, small));
        assert_eq!(counted(), (count, bytes));
    })
    .assert_fine();
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn VirtualAlloc(start: *mut c_void, size: usize, kind: u32, protection: u32) -> *mut c_void;
}
