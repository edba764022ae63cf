//! The types of std that are buffers.

#![allow(unsafe_code, reason = "what is sent and received is a promise about memory")]

use std::mem::MaybeUninit;
use std::sync::Arc;

use super::Buffer;

// SAFETY: the elements of a vector live in its allocation, not in the vector, and stay there
// until the vector is used again or dropped; the vector owns them alone. Its spare capacity
// begins where its elements end.
unsafe impl Buffer for Vec<u8> {
    fn filled(&self, _: usize) -> &[u8] {
        self
    }

    fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] {
        self.spare_capacity_mut()
    }

    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller vouches that so many bytes behind the length are within the
        // capacity and written.
        unsafe { self.set_len(self.len() + count) }
    }
}

// SAFETY: the bytes live in an allocation that the box owns alone, and stay there until the box is
// dropped. Nobody writes to them but through the box, and that is a use of it. After a box has been
// moved no older pointer to its bytes may be used; the kernel's is taken while the box rests, and
// is used no more when it moves. There is no spare room, so `advance` has nothing to count.
unsafe impl Buffer for Box<[u8]> {
    fn filled(&self, _: usize) -> &[u8] {
        self
    }

    fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] {
        &mut []
    }

    unsafe fn advance(&mut self, count: usize) {
        debug_assert_eq!(count, 0, "there is no room for more");
    }
}

// SAFETY: what is borrowed for `'static` is never freed or moved, and nobody, on whatever thread,
// writes to plain bytes while they are borrowed. There is no spare room, so `advance` has nothing
// to count.
unsafe impl Buffer for &'static [u8] {
    fn filled(&self, _: usize) -> &[u8] {
        self
    }

    fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] {
        &mut []
    }

    unsafe fn advance(&mut self, count: usize) {
        debug_assert_eq!(count, 0, "there is no room for more");
    }
}

// SAFETY: the bytes live in an allocation that is freed when the last of its handles is dropped.
// The one that is lent is such a handle, so they stay. A handle gives access to write only while it
// is the sole one (`Arc::get_mut`), which no other is as long as the lent one is there. This holds
// on all threads, since the count of handles is atomic. There is no spare room, so `advance` has
// nothing to count.
unsafe impl Buffer for Arc<[u8]> {
    fn filled(&self, _: usize) -> &[u8] {
        self
    }

    fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] {
        &mut []
    }

    unsafe fn advance(&mut self, count: usize) {
        debug_assert_eq!(count, 0, "there is no room for more");
    }
}

// SAFETY: each part is one of a buffer in the array, which rests as long as the array does, and
// `advance` gives each buffer the bytes that were written to its own parts.
unsafe impl<P: Buffer, const N: usize> Buffer for [P; N] {
    fn parts(&self) -> usize {
        parts(self)
    }

    fn filled(&self, part: usize) -> &[u8] {
        filled(self, part)
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        spare(self, part)
    }

    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller's promise, passed on.
        unsafe { advance(self, count) }
    }
}

// A `Vec` of buffers would do as well, and the compiler would take it. But then a `Vec` could be a
// buffer in two ways, and `receive(Vec::with_capacity(4096))` would no longer say of what.
//
// SAFETY: each part is one of a buffer in the allocation of the box, which the box owns alone. A
// buffer rests there as long as the box is used through these methods only, for it takes another
// use to move one of them or to reach one. `advance` gives each buffer the bytes that were written
// to its own parts.
unsafe impl<P: Buffer> Buffer for Box<[P]> {
    fn parts(&self) -> usize {
        parts(self)
    }

    fn filled(&self, part: usize) -> &[u8] {
        filled(self, part)
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        spare(self, part)
    }

    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller's promise, passed on.
        unsafe { advance(self, count) }
    }
}

/// How many parts a row of buffers has together.
fn parts<P: Buffer>(buffers: &[P]) -> usize {
    buffers.iter().map(P::parts).sum()
}

fn filled<P: Buffer>(buffers: &[P], mut part: usize) -> &[u8] {
    for buffer in buffers {
        match part.checked_sub(buffer.parts()) {
            None => return buffer.filled(part),
            Some(later) => part = later,
        }
    }
    &[]
}

fn spare<P: Buffer>(buffers: &mut [P], mut part: usize) -> &mut [MaybeUninit<u8>] {
    for buffer in buffers {
        match part.checked_sub(buffer.parts()) {
            None => return buffer.spare(part),
            Some(later) => part = later,
        }
    }
    &mut []
}

/// Counts bytes as filled, in the first buffers as many as there was room for, and the rest in the
/// next ones.
///
/// # Safety
///
/// * `count` is at most the length of all spare parts together, and so many of their first bytes
///   have been written.
unsafe fn advance<P: Buffer>(buffers: &mut [P], mut count: usize) {
    for buffer in buffers {
        let room: usize = (0..buffer.parts()).map(|part| buffer.spare(part).len()).sum();
        let here = room.min(count);
        // SAFETY: the caller vouches that the spare room of all is written up to `count`, and that
        // room begins with that of this buffer, after those that are counted already.
        unsafe { buffer.advance(here) };
        count -= here;
    }
}
