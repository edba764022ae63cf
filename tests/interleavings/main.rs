//! The concurrent core in all orders of its threads' steps, within bounds that are printed.
//!
//! The source files of the core are compiled here as they are, but for one: in the place of `sync`,
//! through which they reach the atomics and the lock of std, stands a module with types of the same
//! names, which let a scheduler decide at each access which thread goes on. Others stand in the
//! place of the port, and of what operations are about. The scheduler tries all decisions, so an
//! order that comes once in a million runs comes here for certain. Memory is as strong as on one
//! processor; for weaker ones there is `.ci/miri`.
//!
//! It runs on the systems where threads are cheap to stop and to go on: a million times in all.
#![cfg(not(any(windows, miri)))]

mod explorer;
mod plan;
mod report;
mod self_tests;
mod turns;

#[path = "../../src"]
mod layer {
    #![allow(dead_code, unused_imports, reason = "a part of the core is used")]

    mod buffer;
    mod completion;
    mod control;
    #[path = "../ffi/mod.rs"]
    mod ffi;
    mod in_flight;
    mod shared;
    mod status;

    mod watch {
        pub mod arming;
    }

    mod queue {
        mod completions;
        mod panics;
        mod waiting;

        pub use self::completions::Completions;
    }

    mod port {
        #[path = "../../tests/interleavings/port.rs"]
        mod completion_port;
        mod deadline;
        mod packet;

        pub use self::completion_port::CompletionPort;
        pub(crate) use self::deadline::Deadline;
        pub use self::packet::{Key, Packet};
    }

    #[path = "../tests/interleavings/operation.rs"]
    mod operation;
    #[path = "../tests/interleavings/sync.rs"]
    pub mod sync;

    // Inside, for what the core keeps from the rest of the crate it keeps from the rest of this,
    // too.
    #[path = "../tests/interleavings/models/mod.rs"]
    mod models;
}
