//! Memory that can be lent to the kernel.
//!
//! A buffer is given by value and comes back by value, so that nobody can touch it in between.
//! That alone is not enough: the memory must also stay where it is, and that is what the trait
//! asks of a type.

#![allow(unsafe_code, reason = "what is sent and received is a promise about memory")]

mod parts;

use std::mem::MaybeUninit;

#[cfg_attr(not(windows), allow(unused_imports, reason = "used on Windows"))]
pub(super) use self::parts::Parts;

/// A buffer that can be lent to the kernel: a part that is *filled*, and *spare* room behind it.
///
/// Sending reads the filled part. Receiving writes into the spare room and then counts it as
/// filled, as [`std::io::Read::read_buf`] does: bytes are appended and the earlier ones stay, so
/// a message that comes in pieces gathers in one buffer. A buffer that is to be used afresh is
/// cleared first.
///
/// `Vec<u8>` is a buffer, whose spare room is its capacity beyond its length. Implement the trait
/// for a type of your own to lend memory from a pool, pages of a certain alignment, or a message
/// that many share:
///
/// ```
/// use std::mem::MaybeUninit;
/// use std::sync::mpsc::Sender;
///
/// /// A vector that goes back to its pool instead of being freed.
/// struct Pooled {
///     bytes: Vec<u8>,
///     pool: Sender<Vec<u8>>,
/// }
///
/// impl Drop for Pooled {
///     fn drop(&mut self) {
///         // A pool that is gone has no use for it: then the vector is freed after all.
///         let _ = self.pool.send(std::mem::take(&mut self.bytes));
///     }
/// }
///
/// // SAFETY: the methods are those of the vector, which nothing else can reach.
/// unsafe impl overlapped::Buffer for Pooled {
///     fn filled(&self, part: usize) -> &[u8] {
///         self.bytes.filled(part)
///     }
///
///     fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
///         self.bytes.spare(part)
///     }
///
///     unsafe fn advance(&mut self, count: usize) {
///         // SAFETY: the caller's promise, passed on.
///         unsafe { self.bytes.advance(count) }
///     }
/// }
/// # let (pool, used) = std::sync::mpsc::channel();
/// # drop(Pooled { bytes: Vec::with_capacity(7), pool });
/// # assert_eq!(used.recv().unwrap().capacity(), 7);
/// ```
///
/// # Parts
///
/// A buffer has one part or several, and one operation sends or fills them in their order: a header
/// and a body that lie in different places, say. An array of buffers is a buffer with the parts of
/// all of them. One operation uses at most 16 parts, 1 GiB of a part, and `u32::MAX` bytes of them
/// all. It leaves the rest alone, and whatever lies behind a part that was cut.
///
/// # Safety
///
/// The kernel uses the memory between a call of `filled` or `spare` and the next time that the
/// value is moved, dropped, or used otherwise than through `parts`, `filled` and `spare`. All that
/// time the value itself rests at one address. An implementation promises that, meanwhile,
///
/// * the slice returned stays allocated, at its place, at its length;
/// * nobody writes to what `filled` returned, and nobody reads or writes what `spare` returned,
///   not through another handle to the same memory either;
/// * this holds whatever thread the value has been sent to.
///
/// And that `spare` returns the memory that `filled` returns after `advance`: once the first
/// `count` bytes of the spare room, counted through all parts, are written, `advance(count)` makes
/// them the end of what is filled.
///
/// The kernel fills a buffer while the thread that lent it goes on or ends, and it comes back on
/// any thread that waits. So what belongs to one thread, or is borrowed, cannot be one:
///
/// ```compile_fail,E0277
/// # use std::{mem::MaybeUninit, rc::Rc};
/// struct OfOneThread(Vec<u8>, Rc<()>);
///
/// // SAFETY: it is a vector.
/// unsafe impl overlapped::Buffer for OfOneThread {
///     // ...
/// #   fn filled(&self, _: usize) -> &[u8] { &self.0 }
/// #   fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] { self.0.spare_capacity_mut() }
/// #   unsafe fn advance(&mut self, _: usize) {}
/// }
/// ```
///
/// ```compile_fail,E0478
/// # use std::mem::MaybeUninit;
/// struct Borrowed<'a>(&'a mut Vec<u8>);
///
/// // SAFETY: it is a vector.
/// unsafe impl<'a> overlapped::Buffer for Borrowed<'a> {
///     // ...
/// #   fn filled(&self, _: usize) -> &[u8] { self.0 }
/// #   fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] { self.0.spare_capacity_mut() }
/// #   unsafe fn advance(&mut self, _: usize) {}
/// }
/// ```
///
/// What the methods *do* is up to the implementation. If `advance` panics, `wait` does, and the
/// operations whose packets came with this one are leaked. An inline array of bytes, too, can be a
/// buffer: its memory rests as long as the value does.
pub unsafe trait Buffer: Send + 'static {
    /// How many parts there are, numbered from 0.
    fn parts(&self) -> usize {
        1
    }

    /// The bytes of a part that are to be sent.
    fn filled(&self, part: usize) -> &[u8];

    /// The room of a part to receive into, behind its filled bytes.
    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>];

    /// Counts the first `count` bytes of the spare room as filled, through all parts in their order.
    ///
    /// # Safety
    ///
    /// * `count` is at most the length of all [`spare`](Self::spare) parts together.
    /// * The first `count` bytes of them have been written.
    unsafe fn advance(&mut self, count: usize);
}

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

// SAFETY: each part is one of a buffer in the array, which rests as long as the array does, and
// `advance` gives each buffer the bytes that were written to its own parts.
unsafe impl<P: Buffer, const N: usize> Buffer for [P; N] {
    fn parts(&self) -> usize {
        self.iter().map(P::parts).sum()
    }

    fn filled(&self, mut part: usize) -> &[u8] {
        for buffer in self {
            match part.checked_sub(buffer.parts()) {
                None => return buffer.filled(part),
                Some(later) => part = later,
            }
        }
        &[]
    }

    fn spare(&mut self, mut part: usize) -> &mut [MaybeUninit<u8>] {
        for buffer in self {
            match part.checked_sub(buffer.parts()) {
                None => return buffer.spare(part),
                Some(later) => part = later,
            }
        }
        &mut []
    }

    unsafe fn advance(&mut self, mut count: usize) {
        for buffer in self {
            let room: usize = (0..buffer.parts()).map(|part| buffer.spare(part).len()).sum();
            let here = room.min(count);
            // SAFETY: the caller vouches that the spare room of the array is written up to `count`,
            // and its room begins with that of this buffer, after those that are counted already.
            unsafe { buffer.advance(here) };
            count -= here;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel does: writes to the front of the spare room, and says how much.
    fn receive(buffer: &mut impl Buffer, bytes: &[u8]) {
        let mut bytes_left = bytes.iter();
        for part in 0..buffer.parts() {
            for (room, byte) in buffer.spare(part).iter_mut().zip(bytes_left.by_ref()) {
                room.write(*byte);
            }
        }
        // SAFETY: the tests give no more bytes than there is room for, and those were written.
        unsafe { buffer.advance(bytes.len()) };
    }

    #[test]
    fn a_vector_receives_behind_what_it_holds() {
        let mut buffer = Vec::with_capacity(16);
        buffer.extend_from_slice(b"head ");
        receive(&mut buffer, b"tail");
        assert_eq!(buffer.filled(0), b"head tail");
    }

    #[test]
    fn a_cleared_vector_receives_from_its_beginning() {
        let mut buffer = b"old".to_vec();
        buffer.clear();
        receive(&mut buffer, b"new");
        assert_eq!(buffer, b"new");
    }

    #[test]
    fn a_full_vector_has_no_spare_room() {
        let mut buffer = vec![0; 8];
        buffer.shrink_to_fit();
        assert!(buffer.spare(0).is_empty());
        assert!(Vec::<u8>::new().spare(0).is_empty());
    }

    #[test]
    fn receiving_does_not_move_a_vector() {
        let mut buffer = Vec::with_capacity(16);
        let before = buffer.as_ptr();
        receive(&mut buffer, &[7; 16]);
        assert_eq!((buffer.as_ptr(), buffer.len()), (before, 16));
    }

    #[test]
    fn the_spare_room_stays_put_when_a_vector_moves() {
        let mut buffer = Vec::<u8>::with_capacity(16);
        let before = buffer.spare(0).as_ptr();
        let mut moved = Box::new(buffer);
        assert_eq!(moved.spare(0).as_ptr(), before);
    }

    #[test]
    fn an_array_has_the_parts_of_its_buffers() {
        let nested = [[b"a".to_vec(), b"bc".to_vec()], [Vec::new(), b"d".to_vec()]];
        assert_eq!(nested.parts(), 4);
        let parts: Vec<_> = (0..5).map(|part| nested.filled(part)).collect();
        assert_eq!(parts, [b"a".as_slice(), b"bc", b"", b"d", b""]);
    }

    #[test]
    fn an_array_is_filled_from_one_buffer_to_the_next() {
        let mut array = [3, 0, 4].map(Vec::<u8>::with_capacity);
        let first = array[0].capacity();
        let bytes: Vec<u8> = (0..).take(first + 2).collect();
        receive(&mut array, &bytes);
        assert_eq!(array.concat(), bytes);
        assert_eq!((array[0].len(), array[1].len(), array[2].len()), (first, 0, 2));
    }
}
