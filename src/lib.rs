//! Windows I/O completion ports.

#[path = "../ffi/mod.rs"]
pub mod ffi;

mod buffer;
#[cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]
mod in_flight;
#[cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]
mod slots;
#[cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]
mod status;
#[cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]
mod timeout;

#[cfg(windows)]
mod completion;
#[cfg(windows)]
mod operation;
#[cfg(windows)]
mod port;
#[cfg(windows)]
mod queue;
#[cfg(windows)]
mod registration;
#[cfg(windows)]
mod rejected;
#[cfg(windows)]
mod tcp;
#[cfg(windows)]
mod waker;

pub use self::buffer::Buffer;
#[cfg(windows)]
pub use self::{
    completion::{Completion, Completions},
    in_flight::OperationId,
    port::{CompletionPort, Key, Packet},
    queue::CompletionQueue,
    registration::{Registration, Source},
    rejected::Rejected,
    status::Failure,
    waker::Waker,
};
