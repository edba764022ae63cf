//! Windows I/O completion ports.

#[path = "../ffi/mod.rs"]
pub mod ffi;

mod buffer;
#[allow(dead_code, reason = "the floors above come next")]
mod in_flight;
#[allow(dead_code, reason = "the floors above come next")]
mod slots;
#[allow(dead_code, reason = "the floors above come next")]
mod status;
#[allow(dead_code, reason = "the floors above come next")]
mod timeout;

pub use self::buffer::Buffer;
