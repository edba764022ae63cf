//! The public names and nothing behind them, for `module.rs`, which says when and why.
//!
//! Here is what can be named in a `use`, and what an implementation of a trait has to name:
//! modules, types and traits with their kind, variants, and functions of traits. There are no types
//! of anything, no methods and no examples. `tests/vendored.rs` compares this list with the
//! sources.

#[path = "../ffi/mod.rs"]
pub mod ffi;
pub mod guide {}

pub trait Buffer {
    fn parts();
    fn filled();
    fn spare();
    fn advance();
}
pub enum Either {
    Left(),
    Right(),
}

#[cfg(windows)]
pub use self::layer::*;
#[cfg(windows)]
mod layer {
    pub enum Completion {
        Received,
        Readable,
        Sent,
        Accepted,
        Connected,
        ReceivedFrom,
        Read,
        Written,
        ClientConnected,
        Raw,
        Signalled,
        Job,
        Posted,
        Woken,
        ShutDown,
        Foreign(),
    }
    pub struct Datagram;
    pub enum Content {
        Bytes(),
        Message(),
        Part(),
        End,
    }
    pub enum JobMessage {
        NewProcess(),
        Exited(),
        Failed(),
        Empty,
        Other(),
    }
    pub struct Completions;
    pub struct OperationId;
    pub enum Inline {}
    pub trait Mode {}
    pub enum Queued {}
    pub enum Submitted {
        Pending(),
        Done(),
    }
    pub struct BorrowedPort;
    pub struct CompletionPort;
    pub struct Key();
    pub struct Packet;
    pub struct CompletionQueue;
    pub struct Registration;
    pub struct Job;
    pub struct Watched;
    pub trait Source {}
    pub struct RawCall;
    pub struct Rejected;
    pub enum Failure {
        Cancelled,
        Error(),
    }
    pub struct Waker;
    pub struct NamedPipe;
    pub struct PipeOptions;
    pub trait ReadEnd {}
    pub trait WriteEnd {}
}
