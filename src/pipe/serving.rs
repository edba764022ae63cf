//! A server's end: waiting for a client, and sending it away.

#![allow(unsafe_code, reason = "it makes the system calls of a pipe's server")]

use std::io;

use super::super::buffer::Buffer;
use super::super::ffi;
use super::super::ffi::constants::*;
use super::super::in_flight::OperationId;
use super::super::operation::{OperationKind, SubmitOutcome};
use super::super::registration::{Queued, Registration};
use super::super::status::Status;
use super::super::transfer::{invalid, outcome};
use super::named::{NamedPipe, code_of};

impl<B: Buffer> Registration<NamedPipe, B> {
    /// Waits for a client. It comes in a
    /// [`Completion::ClientConnected`](super::super::Completion::ClientConnected), also when it was
    /// there before this call, and also when it has gone again: then the first read brings what it
    /// has written, or the end.
    ///
    /// To serve the next client on the same end call [`disconnect`](Self::disconnect) first, and
    /// then this.
    ///
    /// # Errors
    ///
    /// No completion comes after an error:
    ///
    /// * `InvalidInput`: this is a client's end;
    /// * a kind that std has no name for: another connect is pending on this end, on some systems
    ///   (code 536, `ERROR_PIPE_LISTENING`);
    /// * another error of the system;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight.
    ///
    /// Calls
    /// [`ConnectNamedPipe`](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe).
    ///
    /// ```compile_fail,E0599
    /// # use overlapped::*;
    /// # fn only_named_pipes(stdout: &Registration<std::process::ChildStdout>) {
    /// // No method `connect_client`: the child is there.
    /// stdout.connect_client();
    /// # }
    /// ```
    #[doc(alias = "ConnectNamedPipe")]
    pub fn connect_client(&self) -> io::Result<OperationId> {
        self.require_server("a client's end is connected from the beginning")?;
        let reserved = self.association.reserve(OperationKind::ConnectClient)?;
        let lent = self.association.lend(reserved)?;
        // SAFETY: the handle is open, for `self` owns it. The `OVERLAPPED` is the slot's, which is
        // the call's until it returns, and lent until the packet is dequeued.
        let connected = unsafe {
            let (pipe, overlapped) = (self.raw_handle(), lent.overlapped());
            ffi::kernel32::ConnectNamedPipe(pipe, overlapped)
        };
        let outcome = match outcome(connected != FALSE) {
            SubmitOutcome::Failed(error) if is_connected(&error) => {
                SubmitOutcome::Ended(Status::SUCCESS)
            }
            outcome => outcome,
        };
        // SAFETY: this was the call, on this handle, which brings a packet for each success. The
        // two errors that mean a client are no warnings: the system refuses to wait for one that is
        // there, and queues nothing.
        Ok(unsafe { self.association.settle::<Queued>(lent, outcome) }?)
    }

    /// Sends the client away, so that the next one can be waited for with
    /// [`connect_client`](Self::connect_client).
    ///
    /// What was written here and the client has not read is lost. So let the client close first:
    /// read until [`End`](super::super::Content::End), and disconnect then. (The system can wait
    /// until the client has read everything, by
    /// [`FlushFileBuffers`](super::super::ffi::kernel32::FlushFileBuffers), but that holds the
    /// thread up for as long as the client likes.)
    ///
    /// # Errors
    ///
    /// * `InvalidInput`: this is a client's end;
    /// * `ResourceBusy`: operations of this registration are [in flight](Self::in_flight), or their
    ///   completions lie in a batch unread. [Cancel](Self::cancel_all) them, and disconnect when
    ///   they have come;
    /// * the system's error.
    ///
    /// Calls
    /// [`DisconnectNamedPipe`](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-disconnectnamedpipe).
    #[doc(alias = "DisconnectNamedPipe")]
    pub fn disconnect(&self) -> io::Result<()> {
        self.require_server("only a server disconnects; drop the registration to close this end")?;
        // They would end with an error. Another thread that submits one at this moment gets it.
        if self.in_flight() > 0 {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "operations on the pipe are in flight, or their completions lie in a batch unread; \
                 cancel them, and disconnect when their completions have been read",
            ));
        }
        // SAFETY: the handle is open, and is a server's end.
        if unsafe { ffi::kernel32::DisconnectNamedPipe(self.raw_handle()) } == FALSE {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    fn require_server(&self, otherwise: &'static str) -> io::Result<()> {
        if self.get_ref().is_server { Ok(()) } else { Err(invalid(otherwise)) }
    }
}

/// Whether the call says that a client is there already, or was there.
fn is_connected(error: &io::Error) -> bool {
    matches!(code_of(error), Some(ERROR_PIPE_CONNECTED | ERROR_NO_DATA))
}
