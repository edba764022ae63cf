//! Windows' I/O completion ports: raw bindings written by hand, and a thin safe layer on them.
//!
//! A program registers sockets with a [`CompletionQueue`], lends it buffers, sleeps in one place, and
//! gets the bytes back as they arrive. The rest of this page is a first program, the map, and the
//! rules; the [`guide`] is the course.
//!
//! The layer exists on Windows only. On other systems the crate compiles to [`ffi`] and [`Buffer`],
//! declarations that link to nothing, and its inner parts are tested there; there are no stubs that
//! compile and then fail. A program for several systems depends on it for `cfg(windows)` alone.
//!
//! # A first program
//!
//! ```no_run
//! # #[cfg(windows)]
//! # fn main() -> std::io::Result<()> {
//! use overlapped::{Completion, CompletionQueue, Completions, Key};
//! use std::net::TcpStream;
//!
//! let queue = CompletionQueue::new()?;
//! let stream = queue.register(TcpStream::connect("127.0.0.1:7000")?, Key(1))?;
//! stream.receive(Vec::with_capacity(4096))?; // the buffer is the kernel's now
//!
//! let mut batch = Completions::with_capacity(64);
//! loop {
//!     for completion in queue.wait(&mut batch, None)? {
//!         if let Completion::Received { mut buffer, result, .. } = completion {
//!             // And now it is ours again.
//!             if result? == 0 {
//!                 return Ok(()); // the end of the stream
//!             }
//!             println!("{}", String::from_utf8_lossy(&buffer));
//!             buffer.clear();
//!             stream.receive(buffer)?;
//!         }
//!     }
//! }
//! # }
//! # #[cfg(not(windows))]
//! # fn main() {}
//! ```
//!
//! # The map
//!
//! | what | by what | system call |
//! | --- | --- | --- |
//! | the queue, shared by reference among threads | [`CompletionQueue`] | `CreateIoCompletionPort` |
//! | a socket that belongs to it, for life | [`Registration`] | `CreateIoCompletionPort` |
//! | lending a buffer to receive into | [`receive`](Registration::receive) | `WSARecv` |
//! | sending | [`send`](Registration::send) | `WSASend` |
//! | a connection from a client | [`accept`](Registration::accept) | `AcceptEx` |
//! | a connection to a server | [`connect`](CompletionQueue::connect) | `ConnectEx` |
//! | learning at once of what ends at once | [`inline`](Registration::inline) | `SetFileCompletionNotificationModes` |
//! | learning that there is something, without a buffer | [`readable`](Registration::readable) | `WSARecv` |
//! | sleeping until something has happened | [`wait`](CompletionQueue::wait) | `GetQueuedCompletionStatusEx` |
//! | what has happened | [`Completion`], in [`Completions`] | |
//! | waking it from another thread | [`Waker`] | `PostQueuedCompletionStatus` |
//! | sending it a value | [`post`](CompletionQueue::post) | `PostQueuedCompletionStatus` |
//! | ending every thread that waits | [`shut_down`](CompletionQueue::shut_down) | `PostQueuedCompletionStatus` |
//! | taking back what was lent | [`cancel`](Registration::cancel), [`drain`](CompletionQueue::drain) | `CancelIoEx` |
//! | an error that gives back what was given | [`Rejected`] | |
//! | memory of your own to lend | [`Buffer`] | |
//! | the floor below, and the border | [`CompletionPort`], [`ffi`] | |
//!
//! # The rules
//!
//! * What is lent is the kernel's until its packet has been dequeued. It comes back by value, so
//!   there is nothing to hold in between.
//! * What a system call can still write is nobody else's until that call has returned, though the
//!   packet of its operation may have been dequeued before.
//! * Everything comes back once: with its completion, with the error of a submission that failed, or
//!   it is dropped with its registration or its batch.
//! * No packet is trusted. One that is not ours is handed over as
//!   [`Foreign`](Completion::Foreign).
//! * Nothing more is said under a key after its registration is gone.
//! * A queue that is dropped waits for the kernel, and leaks rather than frees what does not return.
//! * Receiving, waiting and receiving again allocates nothing.
//! * No safe function can break these, and each has a test.
#![cfg_attr(
    not(windows),
    allow(rustdoc::broken_intra_doc_links, reason = "the layer is elsewhere")
)]

#[path = "../ffi/mod.rs"]
pub mod ffi;
pub mod guide;

// The floors of ARCHITECTURE.md: each module stands on those above it in this list. Those that need
// Windows are there on Windows only.

mod sync;

mod buffer;
#[cfg(windows)]
mod port;
#[cfg(windows)]
mod socket;
mod status;

mod in_flight;

#[cfg(windows)]
mod completion;
#[cfg(windows)]
mod control;
#[cfg(windows)]
mod operation;
#[cfg(windows)]
mod shared;

#[cfg(windows)]
mod queue;
#[cfg(windows)]
mod registration;

#[cfg(windows)]
mod tcp;

pub use self::buffer::Buffer;
#[cfg(windows)]
pub use self::{
    completion::Completion,
    control::Waker,
    in_flight::OperationId,
    port::{BorrowedPort, CompletionPort, Key, Packet},
    queue::{CompletionQueue, Completions},
    registration::{Inline, Mode, Queued, Registration, Rejected, Source, Submitted},
    status::Failure,
};

/// The programs in the README, compiled with the other examples of the documentation.
#[cfg(all(doctest, windows))]
#[doc = include_str!("../README.md")]
mod readme {}
