//! The atomics and the lock that the table of operations and the control of a queue are made of.
//!
//! They are std's. They are named in one place so that a test can put others there: the program
//! `tests/interleavings` compiles those files with atomics that hand control from thread to thread
//! at each access, and goes through all the orders in which the accesses can happen.

#![cfg_attr(not(windows), allow(unused_imports, reason = "some are for the layer alone"))]

pub(super) use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
pub(super) use std::thread::{sleep, yield_now};
