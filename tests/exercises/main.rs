//! The exercises of the guide, with their solutions. Each stands at the end of a part of it, and
//! here as a test: what it asks is what the test asserts. Try first, then compare.
#![cfg(windows)]

mod behind_it;
mod connections;
mod one_operation;
mod other_handles;
mod proxy;
mod the_loop;
mod the_port;

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/files.rs"]
mod files;

#[path = "../support/spawn.rs"]
mod spawn;
