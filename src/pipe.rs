//! Pipes: named ones, and those of child processes.
//!
//! To the kernel the end of a pipe is a file without a place in it. So it is read and written by
//! the calls of files, and what is its own is how it begins and ends: who waits for whom, and what
//! is said when the other end has gone.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it asks the system what a handle is")]

mod name;
mod named;
mod options;
mod serving;

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle};
use std::process::{ChildStderr, ChildStdin, ChildStdout};

use super::buffer::Buffer;
use super::ffi;
use super::ffi::constants::*;
use super::ffi::types::SOCKET;
use super::in_flight::OperationId;
use super::operation::OperationKind;
use super::registration::sealed::Handle;
use super::registration::{Registration, Rejected, Source};
use super::transfer::invalid;

pub use self::named::NamedPipe;
pub use self::options::PipeOptions;

/// An end of a pipe that can be read: what a child process prints, or a [`NamedPipe`].
pub trait ReadEnd: Source + sealed::End {}

/// An end of a pipe that can be written: what a child process reads, or a [`NamedPipe`].
pub trait WriteEnd: Source + sealed::End {}

mod sealed {
    pub trait End {
        /// Whether each write is a message, and each read brings one.
        fn carries_messages(&self) -> bool {
            false
        }
    }
}

// Windows gives a child anonymous pipes, which std makes as named ones, of bytes, whose near end is
// overlapped.
macro_rules! ends_of_children {
    ($($end:ty: $can:ident,)*) => {$(
        /// An end that was registered and [taken out](Registration::into_inner) belongs to the port
        /// all the same. std's own `read` and `write` fail on it then, with error 87: they want the
        /// end of the operation told to their thread, and the system tells it to the port.
        /// [`wait_with_output`](std::process::Child::wait_with_output) works, and the queue gets
        /// its packets, as [`Foreign`](super::Completion::Foreign).
        impl Source for $end {}

        impl Handle for $end {
            type Memo = ();

            /// It can be made a `File`, and then std waits for the handle.
            const IS_WAITED_FOR: bool = true;

            fn handle(&self) -> BorrowedHandle<'_> {
                self.as_handle()
            }

            fn check(&self) -> io::Result<()> {
                require_pipe(self.as_handle())
            }
        }

        impl $can for $end {}

        impl sealed::End for $end {}
    )*};
}

ends_of_children! {
    ChildStdin: WriteEnd,
    ChildStdout: ReadEnd,
    ChildStderr: ReadEnd,
}

impl<S: ReadEnd, B: Buffer> Registration<S, B> {
    /// Reads once from the pipe, into the first spare room of the buffer. The buffer is lent: it
    /// comes back in a [`Completion::Read`](super::Completion::Read), on whichever thread dequeues
    /// it, possibly before this returns. Its `result` says what was read:
    ///
    /// * [`Bytes`](super::Content::Bytes): as many bytes as there were, or as there was room for;
    /// * [`Message`](super::Content::Message): a whole message, or the rest of one; of no bytes it
    ///   is an empty message, and not the end;
    /// * [`Part`](super::Content::Part): as much of a message as there was room for; the next read
    ///   goes on with it;
    /// * [`End`](super::Content::End): the other end is closed, by all who had it, and all that was
    ///   written has been read.
    ///
    /// A pipe that carries messages, and reads them so, has the second and the third; all others
    /// have the first. Several reads may be pending; they end in the order of submission, and those
    /// that two threads submit at the same time in no particular order. Of one buffer 1 GiB is
    /// filled at the most.
    ///
    /// When a read is cancelled, bytes that it had already taken out of the pipe can be lost.
    ///
    /// ```
    /// use overlapped::{Completion, CompletionQueue, Completions};
    /// use overlapped::{Content, Key};
    /// use std::process::{Command, Stdio};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let queue = CompletionQueue::new()?;
    /// let mut child = Command::new("cmd")
    ///     .args(["/c", "echo hello"])
    ///     .stdout(Stdio::piped())
    ///     .spawn()?;
    /// let stdout = child.stdout.take().expect("it is piped");
    /// let stdout = queue.register(stdout, Key(1))?;
    ///
    /// stdout.read(Vec::with_capacity(4096))?;
    /// let (mut batch, mut text) = (Completions::with_capacity(4), None);
    /// while text.is_none() {
    ///     for completion in queue.wait(&mut batch, None)? {
    ///         let Completion::Read { buffer, result, .. } = completion else {
    ///             continue;
    ///         };
    ///         match result? {
    ///             Content::End => text = Some(buffer),
    ///             _ => drop(stdout.read(buffer)?), // behind what it holds
    ///         }
    ///     }
    /// }
    /// assert_eq!(text.as_deref(), Some(&b"hello\r\n"[..]));
    /// assert!(child.wait()?.success());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], nothing was read, and nothing else will come:
    ///
    /// * `InvalidInput`: the buffer has no spare room;
    /// * `PermissionDenied`: the pipe can only be written on this end (`ERROR_ACCESS_DENIED`);
    /// * a kind that std has no name for, with code 536: no client has connected to this server's
    ///   end yet (`ERROR_PIPE_LISTENING`), or with 233: the server has
    ///   [disconnected](Self::disconnect) (`ERROR_PIPE_NOT_CONNECTED`). The last can be the result
    ///   in the completion, too;
    /// * another error of the system;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight.
    ///
    /// Calls
    /// [`ReadFile`](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile).
    #[doc(alias = "ReadFile")]
    pub fn read(&self, buffer: B) -> Result<OperationId, Rejected<B>> {
        let messages = self.get_ref().carries_messages();
        let kind = if messages { OperationKind::ReadMessage } else { OperationKind::ReadBytes };
        self.start_read(kind(buffer), 0)
    }
}

impl<S: WriteEnd, B: Buffer> Registration<S, B> {
    /// Writes the filled bytes of the buffer to the pipe. The buffer is lent: it comes back in a
    /// [`Completion::Written`](super::Completion::Written), on whichever thread dequeues it,
    /// possibly before this returns.
    ///
    /// A write ends when the pipe has taken all the bytes, which is not when the other end has read
    /// them. If the other end does not read, it stays pending. Several may be pending; the bytes go
    /// out in the order of submission, and those that two threads submit at the same time in no
    /// particular order.
    ///
    /// On a pipe that carries messages each write is one, also of no bytes. On one that carries
    /// bytes a write of none is nothing to the other end, and 1 GiB is written at the most, as the
    /// count tells.
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], nothing was written, and nothing else will come:
    ///
    /// * `InvalidInput`: the bytes are in several parts of the buffer, or they are a message longer
    ///   than 1 GiB;
    /// * `BrokenPipe`: the other end is closed (`ERROR_NO_DATA` or `ERROR_BROKEN_PIPE`), or the
    ///   queue has been dropped. The first can be the result in the completion, too;
    /// * `PermissionDenied`: the pipe can only be read on this end (`ERROR_ACCESS_DENIED`);
    /// * a kind that std has no name for, with code 536: no client has connected to this server's
    ///   end yet (`ERROR_PIPE_LISTENING`), or with 233: the server has
    ///   [disconnected](Self::disconnect) (`ERROR_PIPE_NOT_CONNECTED`). The last can be the result
    ///   in the completion, too;
    /// * another error of the system;
    /// * `OutOfMemory`: there is no memory for one more operation in flight.
    ///
    /// Calls
    /// [`WriteFile`](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile).
    #[doc(alias = "WriteFile")]
    pub fn write(&self, buffer: B) -> Result<OperationId, Rejected<B>> {
        if self.get_ref().carries_messages() && is_cut(&buffer) {
            let long = "the message is longer than 1 GiB, the most that one operation writes, and a \
                        message cannot be written piece by piece";
            return Err(Rejected::new(invalid(long), buffer));
        }
        self.start_write(buffer, 0)
    }
}

/// Whether one write does not take all the bytes.
fn is_cut<B: Buffer>(buffer: &B) -> bool {
    (0..buffer.parts()).any(|part| buffer.filled(part).len() > 1 << 30)
}

/// Safe code can make the end of a child's pipe of any handle.
///
/// What passes here is read and written by calls that take every kind of file, with memory that
/// stays lent until the packet; so a mailslot, which is of the same type, is as sound. A socket is,
/// too, and is turned away since its operations end with other errors.
fn require_pipe(handle: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is open.
    if unsafe { ffi::kernel32::GetFileType(handle.as_raw_handle()) } != FILE_TYPE_PIPE {
        return Err(invalid(
            "the handle is no pipe, but a file, a device or something else; register a file as a \
             `std::fs::File`",
        ));
    }
    if is_socket(handle) {
        return Err(invalid(
            "the handle is a socket and no pipe; make a `TcpStream`, a `TcpListener` or a \
             `UdpSocket` of it",
        ));
    }
    Ok(())
}

/// Winsock knows its own. Where it has not been started there are no sockets.
fn is_socket(handle: BorrowedHandle<'_>) -> bool {
    let (mut kind, mut length) = (0_i32, size_of::<i32>() as i32);
    // SAFETY: the handle is open, whatever it is, and there is room for the answer, of that length,
    // during the call.
    let answer = unsafe {
        let (socket, room) = (handle.as_raw_handle().addr() as SOCKET, (&raw mut kind).cast());
        ffi::ws2_32::getsockopt(socket, SOL_SOCKET, SO_TYPE, room, &mut length)
    };
    answer != SOCKET_ERROR
}
