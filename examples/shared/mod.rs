//! What the servers among the examples have in common, so that each can be about its own matter.
//!
//! `serve` is the middle of it: threads that wait on one queue, and an end that loses nothing.

pub mod acceptor;
pub mod ctrl_c;
pub mod listen;
pub mod program;
pub mod serve;
pub mod statistics;
pub mod stdin;
pub mod table;
