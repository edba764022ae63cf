//! A buffer with more room than one call can take is used as far as the call goes.
#![cfg(all(windows, target_pointer_width = "64"))]
#![allow(unsafe_code, reason = "it makes a buffer of addresses without memory")]

use std::ffi::c_void;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::ptr::null_mut;

use overlapped::ffi::constants::{FALSE, WSAEFAULT, WSAENOBUFS};
use overlapped::ffi::types::BOOL;
use overlapped::{Buffer, CompletionQueue, Key};

mod support;
use support::{one_received, registered};

/// A call takes at most 4 GiB less one byte. Were a length of 4 GiB cut to its low 32 bits, no room
/// at all would be left.
#[test]
fn a_buffer_of_four_gigabytes_is_used_as_far_as_one_call_goes() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    peer.write_all(b"!")?;
    stream.get_ref().peek(&mut [0])?; // so that the receive has nothing to wait for

    let buffer = Huge::reserve(1 << 32)?;
    let memory = buffer.start.addr();
    let buffer = match stream.receive(buffer) {
        Ok(_) => {
            let received = one_received(&queue);
            assert_eq!((received.count(), received.buffer.filled(0)), (1, &b"!"[..]));
            received.buffer
        }
        // A system that goes through all the room beforehand finds that most of it is not there. So
        // all of it was offered, which is what is to be shown here.
        Err(rejected) => {
            println!("the system looks before it receives: {}", rejected.error);
            let code = rejected.error.raw_os_error();
            assert!(matches!(code, Some(WSAEFAULT | WSAENOBUFS)), "{}", rejected.error);
            rejected.returned
        }
    };
    assert_eq!((buffer.start.addr(), buffer.length), (memory, 1 << 32));
    Ok(())
}

/// Addresses without memory, but for the first of their pages: 4 GiB of memory would take many
/// seconds to touch, and a small machine does not have them.
#[derive(Debug)]
struct Huge {
    start: *mut MaybeUninit<u8>,
    length: usize,
    filled: usize,
}

impl Huge {
    fn reserve(length: usize) -> io::Result<Self> {
        const PAGE: usize = 4096;
        // SAFETY: addresses of the system's choice are reserved, so no memory of ours is touched.
        let start = unsafe { VirtualAlloc(null_mut(), length, MEM_RESERVE, PAGE_READWRITE) };
        // SAFETY: this gives memory to a page of what has just been reserved. Should that have
        // failed, it gives a page somewhere else.
        let page = unsafe { VirtualAlloc(start, PAGE, MEM_COMMIT, PAGE_READWRITE) };
        if start.is_null() || page.is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start: start.cast(), length, filled: 0 })
    }
}

// SAFETY: the addresses are this value's alone, and stay reserved until it is dropped. Those
// without memory cannot be written to: the system checks each address before it writes, and answers
// with an error, and nobody else in this file goes beyond the first page.
unsafe impl Buffer for Huge {
    fn filled(&self, _: usize) -> &[u8] {
        // SAFETY: so many bytes have been written, says the contract of `advance`.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.filled) }
    }

    fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] {
        // SAFETY: no more than `length` bytes are counted as filled.
        let start = unsafe { self.start.add(self.filled) };
        // SAFETY: the addresses from there to the end are reserved, and borrowed here alone.
        unsafe { std::slice::from_raw_parts_mut(start, self.length - self.filled) }
    }

    unsafe fn advance(&mut self, count: usize) {
        self.filled += count;
    }
}

// SAFETY: addresses are the same for all threads of a process.
unsafe impl Send for Huge {}

impl Drop for Huge {
    fn drop(&mut self) {
        // SAFETY: `reserve` got these addresses, and nobody uses them after this.
        let freed = unsafe { VirtualFree(self.start.cast(), 0, MEM_RELEASE) };
        assert_ne!(freed, FALSE, "VirtualFree: {}", io::Error::last_os_error());
    }
}

const MEM_COMMIT: u32 = 0x1000;
const MEM_RESERVE: u32 = 0x2000;
const MEM_RELEASE: u32 = 0x8000;
const PAGE_READWRITE: u32 = 4;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn VirtualAlloc(start: *mut c_void, size: usize, kind: u32, protection: u32) -> *mut c_void;
    fn VirtualFree(start: *mut c_void, size: usize, kind: u32) -> BOOL;
}
