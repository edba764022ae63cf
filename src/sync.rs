//! What the threads of the concurrent core share memory through: the atomics, the lock and the yield
//! of std, and nothing else.
//!
//! The core names them here, and not where std has them, so that a test can compile the core's files
//! with another module in this place. `tests/interleavings` does: its atomics and its lock are std's,
//! behind a scheduler that runs the threads of a test in all orders, one access at a time.

#![cfg_attr(
    not(windows),
    allow(unused_imports, reason = "a part of the core is there on Windows only")
)]

pub(super) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize};
pub(super) use std::sync::{Mutex, PoisonError};
pub(super) use std::thread::yield_now;
