//! Memory that can be lent to the kernel.
//!
//! A buffer is given by value and comes back by value, so that nobody can use it in between. This
//! alone is not enough: the memory must also stay where it is, and that is what the trait asks of a
//! type.

#![allow(unsafe_code, reason = "what is sent and received is a promise about memory")]

mod either;
mod of_std;
mod parts;

use std::mem::MaybeUninit;

pub use self::either::Either;
#[cfg_attr(not(windows), allow(unused_imports, reason = "used on Windows"))]
pub(super) use self::parts::{Array, MAX_PARTS, Parts, array, one_filled, one_spare};

/// Memory that can be lent to the kernel: *filled* bytes, and *spare* room behind them.
///
/// Sending reads the filled bytes. Receiving writes into the spare room, and then counts what was
/// written as filled, as [`std::io::Read::read_buf`] does. So bytes are appended and the earlier
/// ones stay, and a message that comes in pieces can be gathered in one buffer. To receive from the
/// beginning again, clear the buffer first.
///
/// These types are buffers:
///
/// | type | filled | spare |
/// | --- | --- | --- |
/// | `Vec<u8>` | its elements | its capacity beyond its length |
/// | `Box<[u8]>`, `&'static [u8]`, `Arc<[u8]>` | all bytes | none, so they are for sending alone |
/// | `[P; N]` and `Box<[P]>`, if `P` is a buffer | that of each in turn | that of each in turn |
/// | [`Either<A, B>`](Either), if both are buffers | that of the one in it | that of the one in it |
///
/// With an `Arc<[u8]>` one message is sent to many without a copy for each. Memory that is borrowed
/// for a shorter time than `'static` is no buffer, for it can be freed before the kernel is done:
///
/// ```compile_fail,E0277
/// # fn lend<B: overlapped::Buffer>(_: B) {}
/// fn lends_what_is_borrowed(bytes: &mut [u8]) {
///     lend(bytes); // `&mut [u8]` cannot be lent to the kernel
/// }
/// ```
///
/// Implement the trait for a type of your own to lend memory from a pool, or pages of a certain
/// alignment:
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
///         // A pool that is gone has no use for it. Then it is freed.
///         let _ = self.pool.send(std::mem::take(&mut self.bytes));
///     }
/// }
///
/// // SAFETY: the methods are those of the vector, which nothing else
/// // can reach.
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
/// A buffer has one part or several, and one operation sends or fills them in their order. So a
/// header and a body that lie in different places are sent as one message. An array of buffers, or
/// a box of as many as are needed, is a buffer with the parts of all of them. One operation uses at
/// most 16 parts, at most 1 GiB (2³⁰ bytes) of each part, and at most `u32::MAX` bytes of all parts
/// together. Bytes beyond such a limit are neither sent nor filled, and no part behind them is.
///
/// # Safety
///
/// The kernel uses the memory from a call of `filled` or `spare` on, until the value is next moved,
/// dropped, or used in another way than through `parts`, `filled` and `spare`. All that time the
/// value itself stays at one address. An implementation promises that, during that time,
///
/// * the slice returned stays allocated, at its place, at its length;
/// * nobody writes to what `filled` returned, and nobody reads or writes what `spare` returned,
///   not through another handle to the same memory either;
/// * this holds whatever thread the value has been sent to.
///
/// From the first call of `spare` until `advance` has returned, however often the value is moved in
/// between, `parts` answers the same, and what `spare` and `filled` return is as long as it was. A
/// buffer of several buffers finds by the lengths which of them has been filled.
///
/// It also promises that `advance` continues what `spare` has begun: when the first `count` bytes
/// of the spare room have been written, counted through all parts, then after `advance(count)`
/// these bytes are the last ones of what `filled` returns.
///
/// The kernel fills a buffer while the thread that lent it goes on or ends, and the buffer comes
/// back on any thread that waits. Therefore a type that must stay on one thread cannot be a buffer,
/// and neither can one that is borrowed:
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
/// The methods may do whatever else they like. `advance` is called when the completion is read. If
/// it panics, this buffer is dropped, and everything else comes as before. The bytes may also lie
/// in the value itself, for example in an array: they stay in place as long as the value does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be lent to the kernel",
    label = "a `Buffer` is owned memory, such as `Vec<u8>`",
    note = "what is borrowed, such as `&mut [u8]`, can be freed or used by its owner while the \
            kernel still reads it or writes to it; a buffer is given away, and comes back with \
            its completion",
    note = "to receive, lend a `Vec<u8>` with spare capacity; to send, a `Vec<u8>`, a \
            `Box<[u8]>`, a `&'static [u8]` or an `Arc<[u8]>`"
)]
pub unsafe trait Buffer: Send + 'static {
    /// How many parts there are, numbered from 0.
    fn parts(&self) -> usize {
        1
    }

    /// The bytes of a part that are to be sent.
    fn filled(&self, part: usize) -> &[u8];

    /// The room of a part to receive into, behind its filled bytes.
    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>];

    /// Counts the first `count` bytes of the spare room as filled. If there are several parts,
    /// their spare rooms count as one, in the order of the parts.
    ///
    /// # Safety
    ///
    /// * `count` is at most the length of all [`spare`](Self::spare) parts together.
    /// * The first `count` bytes of them have been written.
    unsafe fn advance(&mut self, count: usize);
}

#[cfg(test)]
mod tests;
