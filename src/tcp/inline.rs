//! Asking the system to leave out the packets of operations that end at once.

use std::io;
use std::net::TcpStream;
use std::os::windows::io::AsSocket;

use super::super::buffer::Buffer;
use super::super::ffi::constants::FILE_SKIP_COMPLETION_PORT_ON_SUCCESS;
use super::super::registration::{Inline, Registration, Rejected, sealed::Handle};
use super::super::socket::{has_kernel_handle, protocol_of, set_notification_modes};

impl<B: Buffer> Registration<TcpStream, B> {
    /// From now on an operation that ends at once is told by the submission itself, and no packet
    /// of it goes through the port: `receive`, `readable` and `send` answer
    /// [`Submitted`](super::super::Submitted). Operations that are in flight already end as before.
    ///
    /// This cannot be undone. It saves a packet for each operation that need not wait.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the socket's provider does not use handles of the kernel (on older systems
    /// a program that filters connections may give out handles of its own): there success at once
    /// can bring a packet all the same. Else the system's error. The registration comes back as it
    /// was.
    ///
    /// Calls
    /// [`SetFileCompletionNotificationModes`](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes).
    #[doc(alias = "SetFileCompletionNotificationModes")]
    #[doc(alias = "FILE_SKIP_COMPLETION_PORT_ON_SUCCESS")]
    pub fn inline(self) -> Result<Registration<TcpStream, B, Inline>, Rejected<Self>> {
        let skips = match protocol_of(self.get_ref().as_socket()) {
            Ok(protocol) if has_kernel_handle(&protocol) => set_notification_modes(
                self.get_ref().handle(),
                FILE_SKIP_COMPLETION_PORT_ON_SUCCESS,
            ),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the provider of this socket does not use handles of the kernel, so packets cannot \
                 be left out safely; go on without `inline`",
            )),
            Err(error) => Err(error),
        };
        match skips {
            Ok(()) => Ok(self.into_mode()),
            Err(error) => Err(Rejected::new(error, self)),
        }
    }
}
