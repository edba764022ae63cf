//! Inline reads of files whose calls report late. Microsoft's page of `ReadFile` lets the call
//! write its count at any moment until it returns, and Wine has every read of a file pend. So a
//! function stands in the place of the call that reads at once, and writes what it has counted at
//! the last moment: nobody else's memory may be there, and the count is told.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of a system call")]

use std::ffi::c_void;
use std::io;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use overlapped::ffi::constants::TRUE;
use overlapped::ffi::types::{BOOL, HANDLE, OVERLAPPED};
use overlapped::{Completion, CompletionQueue, Content, Key, Submitted};

mod support;
use support::{assert_quiet, one, until};

#[path = "support/files.rs"]
mod files;
use files::{Folder, registered_file};

#[path = "support/imports.rs"]
mod imports;

#[path = "support/pages.rs"]
mod pages;

#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

type ReadFile =
    unsafe extern "system" fn(HANDLE, *mut c_void, u32, *mut u32, *mut OVERLAPPED) -> BOOL;

static REAL: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
/// The next read is done at once, and held.
static HOLDS: AtomicBool = AtomicBool::new(false);
static HELD: AtomicBool = AtomicBool::new(false);
/// Where calls were given to count that have not returned.
static COUNTS: Mutex<Vec<usize>> = Mutex::new(Vec::new());
static SHARED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "system" fn read_file(
    file: HANDLE,
    buffer: *mut c_void,
    size: u32,
    count: *mut u32,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    assert_not_shared(count.addr());
    if !HOLDS.swap(false, SeqCst) {
        // SAFETY: this is what the import table had for the name.
        let real = unsafe { std::mem::transmute::<*mut c_void, ReadFile>(REAL.load(SeqCst)) };
        // SAFETY: the caller's promises, passed on.
        return unsafe { real(file, buffer, size, count, overlapped) };
    }
    COUNTS.lock().unwrap_or_else(PoisonError::into_inner).push(count.addr());
    // SAFETY: the buffer is lent, of this length.
    unsafe { buffer.cast::<u8>().write_bytes(b'x', size as usize) };
    HELD.store(true, SeqCst);
    until("the others have read", || !HELD.load(SeqCst));
    // SAFETY: the place is the call's until it returns.
    unsafe { count.write(size) };
    TRUE
}

fn assert_not_shared(count: usize) {
    let held = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    if held.contains(&count) {
        SHARED.fetch_add(1, SeqCst);
    }
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: it is a function of the same type.
        let real = unsafe { imports::replace("ReadFile", read_file as *mut c_void) };
        REAL.store(real.expect("the layer calls it"), SeqCst);
    });
}

#[test]
fn an_inline_read_that_counts_late_is_told_with_its_count() -> io::Result<()> {
    install();
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, &[7; 100]).inline()?;
    thread::scope(|scope| {
        HOLDS.store(true, SeqCst);
        let late = scope.spawn(|| file.read_at(0, Vec::with_capacity(64)));
        until("the read is held", || HELD.load(SeqCst));
        for _ in 0..20 {
            let read = match file.read_at(50, Vec::with_capacity(32)).expect("submitted") {
                Submitted::Done(completion) => completion,
                Submitted::Pending(_) => one(&queue),
            };
            let Completion::Read { buffer, result: Ok(Content::Bytes(32)), .. } = read else {
                panic!("{read:?}");
            };
            assert_eq!(buffer, [7; 32]);
        }
        assert_eq!(file.in_flight(), 1);
        HELD.store(false, SeqCst);
        let Submitted::Done(completion) = late.join().expect("returns").expect("submitted") else {
            panic!("the call has said that it is done");
        };
        let Completion::Read { buffer, result: Ok(Content::Bytes(64)), .. } = completion else {
            panic!("{completion:?}");
        };
        assert_eq!(buffer, [b'x'; 64]);
    });
    assert_eq!((SHARED.load(SeqCst), file.in_flight()), (0, 0));
    assert_quiet(&queue);
    Ok(())
}
