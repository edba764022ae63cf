//! What Windows promises about completion ports, as tests: one promise each, shown with the bare
//! calls of [`overlapped::ffi`], so that whoever reads them from top to bottom has seen how a port
//! behaves. Nothing of the layer above is used.
//!
//! The number in parentheses is the promise's line in `PROMISES.md`, which also says who promised
//! it, and which promises cannot be shown by a test and why. Where systems are known to differ, a
//! test accepts the documented outcome and the other one, and prints which it saw:
//! `cargo test --test contract -- --nocapture` tells a system's ways at a glance.
#![cfg(windows)]

mod accept_connect;
mod addressed;
#[path = "../support/alone.rs"]
mod alone;
mod answers;
mod associate;
mod cancel;
mod children;
mod closing;
mod datagrams;
mod datagrams_from;
mod dequeue;
mod dequeue_one;
mod directories;
mod ends;
mod extensions;
mod files;
mod handles;
mod jobs;
mod kernel;
mod memory;
mod messages;
mod pipes;
mod post;
mod receive;
#[path = "../support/spawn.rs"]
mod spawn;
mod start;
mod waits;
mod winsock;
