//! A course on completion ports, in short chapters, each with programs that run as tests.
//!
//! 1. [The port](the_port): packets, keys, and a queue in the kernel.
//! 2. [Lending](lending): who owns a buffer, and until when.
//! 3. [Waiting](waiting): batches, timeouts, threads, and what order means.
//! 4. [Waking](waking): messages to oneself, and shutting down.
//! 5. [Conversations](conversations): accepting, connecting and sending.
//! 6. [Inline](inline): operations that end at once.
//! 7. [Closing](closing): cancelling, collecting, and what the peer sees.
//! 8. [Cost](cost): calls, allocations, instructions and memory, counted.

#![cfg(windows)]

#[doc = include_str!("guide/the_port.md")]
pub mod the_port {}

#[doc = include_str!("guide/lending.md")]
pub mod lending {}

#[doc = include_str!("guide/waiting.md")]
pub mod waiting {}

#[doc = include_str!("guide/waking.md")]
pub mod waking {}

#[doc = include_str!("guide/conversations.md")]
pub mod conversations {}

#[doc = include_str!("guide/inline.md")]
pub mod inline {}

#[doc = include_str!("guide/closing.md")]
pub mod closing {}

#[doc = include_str!("guide/cost.md")]
///
#[doc = include_str!("guide/cost.svg")]
pub mod cost {}
