//! Windows I/O completion ports.

#[path = "../ffi/mod.rs"]
pub mod ffi;
