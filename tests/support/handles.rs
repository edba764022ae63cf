//! How many handles this process has, so that a test sees when one is left open.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it makes calls of Windows that std does not make")]

use std::fs::File;
use std::io;
use std::ptr::without_provenance_mut;
use std::sync::Once;
use std::time::{Duration, Instant};

use overlapped::ffi::kernel32::GetCurrentProcess;
use overlapped::ffi::types::{BOOL, HANDLE};

/// How many handles this process has.
///
/// A counter that always says the same would let every test pass, so the first call looks that it
/// sees a handle which is opened.
pub fn handles() -> usize {
    static SEEN: Once = Once::new();
    SEEN.call_once(assert_that_one_more_is_seen);
    counted()
}

/// Other threads may close handles meanwhile. They do not do so each time.
fn assert_that_one_more_is_seen() {
    let sees_one_more = |_| {
        let before = counted();
        let _open = File::open("NUL").expect("the device that is always there");
        counted() > before
    };
    assert!((0..100).any(sees_one_more), "a handle that is opened is not counted");
}

/// Windows says it in one call. Wine answers that call with 0, which no process has; there each
/// number that can be a handle is tried. (Wine has a list of all handles, too, but up to version 8
/// its server crashes over that when another process is just ending.)
fn counted() -> usize {
    let mut count = 0;
    // SAFETY: it is this process, and the count is written during the call.
    let answer = unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut count) };
    assert_ne!(answer, 0, "GetProcessHandleCount: {}", io::Error::last_os_error());
    if count > 0 { count as usize } else { tried_handles() }
}

/// Handles are multiples of 4, and Wine gives out the lowest that is free. So those that are open
/// lie low, with gaps that are no longer than the number of handles that were open at once.
fn tried_handles() -> usize {
    const LONGEST_GAP: usize = 1024;
    let (mut count, mut last, mut number) = (0, 0, 1);
    while number - last < LONGEST_GAP {
        let mut flags = 0;
        // SAFETY: the call only looks whether this is a handle, and writes its flags.
        if unsafe { GetHandleInformation(without_provenance_mut(4 * number), &mut flags) } != 0 {
            (count, last) = (count + 1, number);
        }
        number += 1;
    }
    count
}

/// So many handles more than before are no leak: a system makes some events only when they are
/// first wanted, and keeps them.
pub const LAZY_HANDLES: usize = 4;

/// How much more than before there is, looked at again until it is what it was or the time is up:
/// the system closes what a thread has left behind in its own time.
pub fn more_handles_than(before: usize) -> usize {
    let start = Instant::now();
    loop {
        let more = handles().saturating_sub(before);
        if more <= LAZY_HANDLES || start.elapsed() > Duration::from_secs(2) {
            return more;
        }
        std::thread::yield_now();
    }
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetProcessHandleCount(hProcess: HANDLE, pdwHandleCount: *mut u32) -> BOOL;
    fn GetHandleInformation(hObject: HANDLE, lpdwFlags: *mut u32) -> BOOL;
}
