//! The completion port itself: a queue of packets in the kernel, and the threads that wait for
//! them.
//!
//! A port is a handle. Files and sockets are *associated* with it, each with a number called the
//! completion key, and stay so until they are closed. From then on each of their overlapped
//! operations ends with a *packet* in the port: the key, the address of the operation's
//! `OVERLAPPED`, and how many bytes were moved. Threads *dequeue* packets, many with one call, and
//! anyone may *post* a packet with any content.
//!
//! [`CompletionPort`] owns the handle and makes those four calls, one method each. It does not know
//! which operations there are: what an address in a packet means is for the layer above to find
//! out, and no function here reads through one.

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
