//! The completion port itself: a queue of packets in the kernel, and the threads that wait for them.
//!
//! A port is a handle. Files and sockets are *associated* with it, each with a number called the
//! completion key, once and for life. From then on each of their overlapped operations ends with a
//! *packet* in the port: the key, the address of the operation's `OVERLAPPED`, and how many bytes
//! were moved. Threads *dequeue* packets, many with one call, and anyone may *post* a packet with
//! any content.
//!
//! [`CompletionPort`] owns the handle and makes those four calls, one method each. It keeps no
//! books: what an address in a packet means is the business of the layer above, which is why no
//! function here follows one.

mod borrowed;
mod completion_port;
mod deadline;
#[cfg(windows)]
mod packet;

pub(super) use self::deadline::Deadline;
#[cfg(windows)]
pub use self::{
    borrowed::BorrowedPort,
    completion_port::CompletionPort,
    packet::{Key, Packet},
};
