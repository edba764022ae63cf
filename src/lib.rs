//! Windows' I/O completion ports: raw bindings written by hand, and a thin safe layer on them.
//!
//! A program registers sockets, files and pipes with a [`CompletionQueue`], lends it buffers, waits
//! in one place, and gets the bytes back as they arrive. This page shows a first program, what
//! there is, and the rules that hold. The [`guide`] explains it all, in short chapters.
//!
//! The layer exists on Windows only. On other systems there are the declarations in [`ffi`], which
//! cannot be called there, [`Buffer`] and [`Either`], and the guide. A program for several systems
//! depends on this crate for `cfg(windows)` alone.
#![cfg_attr(
    not(windows),
    doc = "
**This page was made for a system other than Windows.** So the links to the layer lead nowhere, and its
pages are missing. They are there on Windows, and on Linux by `./wine cargo doc --open` in a checkout.
"
)]
//!
//! # A first program
//!
//! It sends to itself, and receives until the end of the stream:
//!
//! ```
//! # #[cfg(windows)]
//! # fn main() -> std::io::Result<()> {
//! use overlapped::{Completion, CompletionQueue, Completions, Key};
//! use std::net::{Shutdown, TcpListener, TcpStream};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let peer = TcpStream::connect(listener.local_addr()?)?;
//!
//! let queue = CompletionQueue::new()?;
//! let client = queue.register(peer, Key(1))?;
//! let server = queue.register(listener.accept()?.0, Key(2))?;
//! client.send(b"hello".to_vec())?;
//! server.receive(Vec::with_capacity(4096))?;
//! // From here on the two buffers are the kernel's.
//!
//! let mut batch = Completions::with_capacity(64);
//! loop {
//!     for completion in queue.wait(&mut batch, None)? {
//!         // From here on the completion's buffer is ours again.
//!         match completion {
//!             Completion::Sent { .. } => {
//!                 client.shutdown(Shutdown::Write)?;
//!             }
//!             Completion::Received { mut buffer, result, .. } => {
//!                 if result? == 0 {
//!                     return Ok(()); // the end of the stream
//!                 }
//!                 println!("{}", String::from_utf8_lossy(&buffer));
//!                 buffer.clear();
//!                 server.receive(buffer)?;
//!             }
//!             _ => {}
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
//! Each item says which system call it makes.
//!
//! The queue:
//!
//! * make one, which all threads use by reference: [`CompletionQueue`]
//! * register a socket, a file or a pipe, which then belongs to this queue for life:
//!   [`register`](CompletionQueue::register), which makes a [`Registration`]
//! * wait until something has happened: [`wait`](CompletionQueue::wait)
//! * read what has happened: [`Completion`], in [`Completions`]
//! * take back what was lent: [`cancel`](Registration::cancel)
//! * get back what was given to a call that failed: [`Rejected`]
//! * wake a thread that waits, from another one: [`Waker`]
//! * send a value to a thread that waits: [`post`](CompletionQueue::post)
//! * end every thread that waits: [`shut_down`](CompletionQueue::shut_down)
//!
//! TCP:
//!
//! * lend a buffer to receive into: [`receive`](Registration::receive)
//! * lend a buffer to send: [`send`](Registration::send)
//! * accept a connection from a client: [`accept`](Registration::accept)
//! * connect to a server: [`connect`](CompletionQueue::connect)
//! * learn that there is something to receive, without lending a buffer:
//!   [`readable`](Registration::readable)
//! * learn from the submission itself that an operation has ended, if it has:
//!   [`inline`](Registration::inline)
//!
//! UDP:
//!
//! * receive a datagram, and learn who has sent it:
//!   [`receive_from`](Registration::receive_from)
//! * send a datagram to an address: [`send_to`](Registration::send_to)
//!
//! Files and pipes:
//!
//! * read a file at an offset, and write it: [`read_at`](Registration::read_at),
//!   [`write_at`](Registration::write_at), [`append`](Registration::append)
//! * make a server's or a client's end of a named pipe: [`NamedPipe`], by [`PipeOptions`]
//! * wait for a client of a named pipe, and send it away:
//!   [`connect_client`](Registration::connect_client), [`disconnect`](Registration::disconnect)
//! * read from a pipe, or what a child process prints: [`read`](Registration::read), of each
//!   [`ReadEnd`]
//! * write to a pipe, or what a child process reads: [`write`](Registration::write), of each
//!   [`WriteEnd`]
//!
//! Besides:
//!
//! * wait for a process, an event or a timer: [`watch`](CompletionQueue::watch)
//! * end processes together, and learn what they do: [`Job`]
//! * make any call that takes an `OVERLAPPED`: [`submit`](Registration::submit), by a
//!   [`RawCall`]
//! * lend memory of a type of your own: [`Buffer`]
//! * lend buffers of two types on one queue: [`Either`]
//! * use a port without the layer: [`CompletionPort`]
//! * make the system calls yourself: [`ffi`]
//!
//! # The rules
//!
//! * What is lent is the kernel's until the packet of its operation has been taken out of the port.
//!   It is given by value and comes back by value, so meanwhile the program cannot use it.
//! * What a system call can still write to is used for nothing else until that call has returned,
//!   even if the packet of its operation has been taken out before.
//! * What is lent comes back once: with the completion, or with the error of a submission that
//!   failed. If the registration has been dropped, or the batch with the completion in it, so is
//!   what was lent.
//! * No packet is trusted. One that belongs to no operation of the queue is delivered as
//!   [`Foreign`](Completion::Foreign).
//! * When a registration has been dropped, no completion is delivered under its key.
//! * To drop a queue is to wait, two seconds at the most, until the kernel has given everything
//!   back. What it has not given back by then is never freed.
//! * Receiving, waiting and receiving again allocates nothing.
//! * No safe function can break these rules, and each has a test.
#![cfg_attr(
    not(windows),
    allow(rustdoc::broken_intra_doc_links, reason = "the layer is not there")
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
mod registration;

#[cfg(windows)]
mod queue;

#[cfg(windows)]
mod tcp;

// The other kinds of handles. Each of these files says itself that it is for Windows, so that
// README.md can name one line for each that is left out.

mod udp;

mod transfer;

mod file;
mod pipe;
mod raw;

mod job;
mod watch;

// The search of the documentation knows a type of a private module by an alias only if it stands
// here. Other names of functions stand beside the methods that call them.

pub use self::buffer::Either;

#[doc(alias = "WSABUF")]
pub use self::buffer::Buffer;

#[cfg(windows)]
pub use self::registration::{Inline, Mode, Queued, Rejected, Source, Submitted};

#[cfg(windows)]
#[doc(alias = "IOCP")]
pub use self::{
    port::{BorrowedPort, CompletionPort},
    queue::CompletionQueue,
};

#[cfg(windows)]
#[doc(alias = "CompletionKey", alias = "lpCompletionKey")]
pub use self::port::Key;

#[cfg(windows)]
#[doc(alias = "OVERLAPPED_ENTRY")]
pub use self::{completion::Completion, port::Packet, queue::Completions};

#[cfg(windows)]
pub use self::{
    completion::{Content, Datagram, JobMessage},
    job::Job,
    pipe::{NamedPipe, PipeOptions, ReadEnd, WriteEnd},
    raw::RawCall,
    watch::Watched,
};

#[cfg(windows)]
#[doc(alias = "OVERLAPPED")]
pub use self::in_flight::OperationId;

#[cfg(windows)]
#[doc(alias = "SOCKET")]
pub use self::registration::Registration;

#[cfg(windows)]
#[doc(alias = "NTSTATUS", alias = "ERROR_OPERATION_ABORTED")]
pub use self::status::Failure;

#[cfg(windows)]
#[doc(alias = "PostQueuedCompletionStatus")]
pub use self::control::Waker;

/// The programs in the README, compiled with the other examples of the documentation.
#[cfg(all(doctest, windows))]
#[doc = include_str!("../README.md")]
mod readme {}
