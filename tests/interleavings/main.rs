//! The concurrent core in all orders of its threads' steps, within bounds that are printed.
//!
//! The source files of the core are compiled here as they are, but for one: in the place of `sync`,
//! through which they reach the atomics and the lock of std, stands a module with types of the same
//! names, which let a scheduler decide at each access which thread goes on. Another stands in the place
//! of the port. The scheduler tries all decisions, so an order that comes once in a million runs comes
//! here for certain. Memory is as strong as on one processor; for weaker ones there is `.ci/miri`.
//!
//! It runs on the systems where threads are cheap to stop and to go on: a million times in all.
#![cfg(not(any(windows, miri)))]

mod baton;
mod explorer;
mod plan;
mod self_tests;

#[path = "../../src"]
mod layer {
    #![allow(dead_code, unused_imports, reason = "a part of the core is used")]

    #[path = "../ffi/mod.rs"]
    mod ffi;
    mod in_flight;
    mod slots;
    mod status;
    mod waker;

    #[path = "../tests/interleavings/port.rs"]
    mod port;
    #[path = "../tests/interleavings/sync.rs"]
    pub mod sync;

    // Inside, for what the core keeps from the rest of the crate it keeps from the rest of this, too.
    #[path = "../tests/interleavings/models/mod.rs"]
    mod models;
}
