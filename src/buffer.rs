//! Memory that can be lent to the kernel.
//!
//! A buffer is given by value and comes back by value, so that nobody can touch it in between.
//! That alone is not enough: the memory must also stay where it is, and that is what the trait
//! asks of a type.

#![allow(unsafe_code, reason = "what is sent and received is a promise about memory")]

use std::mem::MaybeUninit;

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
/// // SAFETY: all three methods are those of the vector, which nothing else can reach.
/// unsafe impl overlapped::Buffer for Pooled {
///     fn filled(&self) -> &[u8] {
///         self.bytes.filled()
///     }
///
///     fn spare(&mut self) -> &mut [MaybeUninit<u8>] {
///         self.bytes.spare()
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
/// # Safety
///
/// The kernel uses the memory between a call of `filled` or `spare` and the next time that the
/// value is used, moved or dropped. All that time the value itself rests at one address. An
/// implementation promises that, meanwhile,
///
/// * the slice returned stays allocated, at its place, at its length;
/// * nobody writes to what `filled` returned, and nobody reads or writes what `spare` returned,
///   not through another handle to the same memory either;
/// * this holds whatever thread the value has been sent to.
///
/// And that `spare` returns the memory that `filled` returns after `advance`: once the first
/// `count` bytes of `spare` are written, `advance(count)` makes `filled` end with them.
///
/// What the methods *do* is up to the implementation; they may even panic. An inline array, too, can
/// be a buffer: its memory rests as long as the value does.
pub unsafe trait Buffer: Send + 'static {
    /// The bytes to send.
    fn filled(&self) -> &[u8];

    /// The room to receive into. An empty one has no room.
    fn spare(&mut self) -> &mut [MaybeUninit<u8>];

    /// Counts the first `count` bytes of the spare room as filled.
    ///
    /// # Safety
    ///
    /// * `count` is at most the length of [`spare`](Self::spare).
    /// * The first `count` bytes of `spare` have been written.
    unsafe fn advance(&mut self, count: usize);
}

// SAFETY: the elements of a vector live in its allocation, not in the vector, and stay there
// until the vector is used again or dropped; the vector owns them alone. Its spare capacity
// begins where its elements end.
unsafe impl Buffer for Vec<u8> {
    fn filled(&self) -> &[u8] {
        self
    }

    fn spare(&mut self) -> &mut [MaybeUninit<u8>] {
        self.spare_capacity_mut()
    }

    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller vouches that so many bytes behind the length are within the
        // capacity and written.
        unsafe { self.set_len(self.len() + count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel does: writes to the front of the spare room, and says how much.
    fn receive(buffer: &mut impl Buffer, bytes: &[u8]) {
        for (room, byte) in buffer.spare().iter_mut().zip(bytes) {
            room.write(*byte);
        }
        // SAFETY: so many bytes have just been written, unless indexing had panicked.
        unsafe { buffer.advance(bytes.len()) };
    }

    #[test]
    fn a_vector_receives_behind_what_it_holds() {
        let mut buffer = Vec::with_capacity(16);
        buffer.extend_from_slice(b"head ");
        receive(&mut buffer, b"tail");
        assert_eq!(buffer.filled(), b"head tail");
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
        assert!(buffer.spare().is_empty());
        assert!(Vec::<u8>::new().spare().is_empty());
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
        let before = buffer.spare().as_ptr();
        let mut moved = Box::new(buffer);
        assert_eq!(moved.spare().as_ptr(), before);
    }
}
