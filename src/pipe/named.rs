//! The two ends of a named pipe.

#![allow(unsafe_code, reason = "it makes the system calls that make and open pipes")]

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};
use std::time::Duration;

use super::super::ffi;
use super::super::ffi::constants::*;
use super::super::ffi::types::HANDLE;
use super::super::registration::Source;
use super::super::registration::sealed::Handle;
use super::super::transfer::invalid;
use super::options::PipeOptions;
use super::{ReadEnd, WriteEnd, name, require_pipe, sealed};

/// One end of a named pipe: a server's, for one client at a time, or a client's.
///
/// A server that wants several clients at the same time makes several servers' ends of one name,
/// the *instances* of the pipe. A client that opens the pipe gets one that waits for a client.
///
/// ```
/// use overlapped::{Completion, CompletionQueue, Completions};
/// use overlapped::{Content, Key, NamedPipe, PipeOptions};
///
/// # fn main() -> std::io::Result<()> {
/// let name = "overlapped example";
/// # let name = format!("{name} {}", std::process::id());
/// let options = PipeOptions::new().messages();
/// let queue = CompletionQueue::new()?;
/// let server = NamedPipe::server(&name, &options)?;
/// let server = queue.register(server, Key(1))?;
/// server.connect_client()?;
///
/// let client = NamedPipe::client(&name, &options)?;
/// let client = queue.register(client, Key(2))?;
/// client.write(b"hello".to_vec())?;
///
/// let (mut batch, mut message) = (Completions::with_capacity(4), None);
/// while message.is_none() {
///     for completion in queue.wait(&mut batch, None)? {
///         match completion {
///             Completion::ClientConnected { result, .. } => {
///                 result?;
///                 server.read(Vec::with_capacity(4096))?;
///             }
///             Completion::Read { buffer, result, .. } => {
///                 assert_eq!(result?, Content::Message(5));
///                 message = Some(buffer);
///             }
///             _ => {}
///         }
///     }
/// }
/// assert_eq!(message.as_deref(), Some(&b"hello"[..]));
/// # Ok(())
/// # }
/// ```
///
/// # Names
///
/// A name is given short, `chat`, which becomes `\\.\pipe\chat`, or whole. All programs of the
/// machine share the names, and capitals do not count. What is no name is an error of the kind
/// `InvalidInput`, before any call: an empty one, one with a NUL in it, a short one with
/// backslashes, one with a part that is empty or of dots and spaces alone, or one of more than 256
/// characters. Parts are what stands between slashes, too, which are backslashes to the system; and
/// dots and spaces at the end of a name do not count.
///
/// # Who may come
///
/// The pipe has the rights that the system gives to one without a description: its user, the
/// administrators and the system may do everything, and everybody may read. For other rights make
/// the pipe with [`CreateNamedPipeW`](super::super::ffi::kernel32::CreateNamedPipeW).
#[derive(Debug)]
#[doc(alias = "named pipe")]
pub struct NamedPipe {
    handle: OwnedHandle,
    pub(super) is_server: bool,
    messages: bool,
}

impl NamedPipe {
    /// Makes a server's end. It waits for no client yet; register it, and call
    /// [`connect_client`](super::super::Registration::connect_client). A client can open it at once
    /// all the same.
    ///
    /// # Errors
    ///
    /// * `InvalidInput`: the name is none, or one of another machine;
    /// * `PermissionDenied`: there is a pipe of that name already, and this was to be the
    ///   [first](PipeOptions::first_instance), or it is another user's, or it has another direction
    ///   (`ERROR_ACCESS_DENIED`);
    /// * `ResourceBusy`: the pipe has as many instances as its first server allows
    ///   (`ERROR_PIPE_BUSY`); this can also be what one is told that was to be the first;
    /// * another error of the system.
    ///
    /// Calls
    /// [`CreateNamedPipeW`](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-createnamedpipew).
    #[doc(alias = "CreateNamedPipeW")]
    pub fn server(name: impl AsRef<OsStr>, options: &PipeOptions) -> io::Result<Self> {
        let name = name::whole(name.as_ref())?;
        if !name::is_here(&name) {
            return Err(invalid(
                "a pipe is made on this machine, with a name like `\\\\.\\pipe\\NAME`; only a client \
                 can name another machine",
            ));
        }
        let (inbound, outbound) = options.buffer_sizes;
        // SAFETY: the name ends with a 0, and is there during the call. There are no attributes.
        let handle = unsafe {
            ffi::kernel32::CreateNamedPipeW(
                name.as_ptr(),
                options.open_mode(),
                options.pipe_mode(),
                options.instances(),
                outbound,
                inbound,
                0,
                null(),
            )
        };
        let handle = owned(handle).map_err(|error| explain_server(error, options))?;
        Ok(Self { handle, is_server: true, messages: options.messages })
    }

    /// Opens a client's end of a pipe that is there. It is connected when this returns.
    ///
    /// The server learns who this user is, and cannot act in the user's name
    /// (`SECURITY_IDENTIFICATION`).
    ///
    /// An end that writes asks for `GENERIC_WRITE`, as is usual. On a pipe this includes the right
    /// to make servers of it (`FILE_CREATE_PIPE_INSTANCE`), so a pipe that grants its clients
    /// writing, and not that, refuses this end.
    ///
    /// # Errors
    ///
    /// * `InvalidInput`: the name is none; or the pipe carries bytes, and messages were asked for,
    ///   which is learned by opening it, so its server has had a client then;
    /// * `NotFound`: there is no pipe of that name (`ERROR_FILE_NOT_FOUND`);
    /// * `ResourceBusy`: each instance has a client already, or its server does not wait for one
    ///   yet (`ERROR_PIPE_BUSY`): try again later, or after [`wait`](Self::wait), in another
    ///   thread;
    /// * `PermissionDenied`: this user may not, or the pipe has another direction
    ///   (`ERROR_ACCESS_DENIED`);
    /// * another error of the system.
    ///
    /// Opening a pipe of another machine waits for the network.
    ///
    /// Calls
    /// [`CreateFileW`](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-createfilew)
    /// and, for messages,
    /// [`SetNamedPipeHandleState`](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-setnamedpipehandlestate).
    #[doc(alias = "CreateFileW", alias = "SetNamedPipeHandleState")]
    pub fn client(name: impl AsRef<OsStr>, options: &PipeOptions) -> io::Result<Self> {
        let name = name::whole(name.as_ref())?;
        let flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
        // SAFETY: the name ends with a 0, and is there during the call. There are neither
        // attributes nor a template.
        let handle = unsafe {
            let (name, access) = (name.as_ptr(), options.client_access());
            ffi::kernel32::CreateFileW(name, access, 0, null(), OPEN_EXISTING, flags, null_mut())
        };
        let handle = owned(handle).map_err(explain_client)?;
        require_pipe(handle.as_handle())?;
        if options.messages && options.reads() {
            read_messages(handle.as_handle())?;
        }
        Ok(Self { handle, is_server: false, messages: options.messages })
    }

    /// Waits until a server of the pipe waits for a client, and says whether one does. When the
    /// time is up it is `false`. Another client may be quicker, so opening it can find it busy
    /// again.
    ///
    /// The system has no overlapped form of this: it holds the thread up. In a program with a queue
    /// call it in a thread of its own, which [posts](super::super::CompletionQueue::post) the
    /// outcome; or try to open the pipe again from time to time.
    ///
    /// The time is rounded up to milliseconds. It is at least one of them, and at most
    /// 4,294,967,294.
    ///
    /// # Errors
    ///
    /// `InvalidInput`: the name is none; `NotFound`, at once: there is no pipe of that name
    /// (`ERROR_FILE_NOT_FOUND`); else the system's error.
    ///
    /// Calls
    /// [`WaitNamedPipeW`](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-waitnamedpipew).
    #[doc(alias = "WaitNamedPipeW")]
    pub fn wait(name: impl AsRef<OsStr>, timeout: Duration) -> io::Result<bool> {
        let name = name::whole(name.as_ref())?;
        // 0 is a time that the server has chosen, and the largest number is for ever.
        let milliseconds = timeout.as_nanos().div_ceil(1_000_000).clamp(1, 0xFFFF_FFFE) as u32;
        // SAFETY: the name ends with a 0, and is there until the call returns.
        if unsafe { ffi::kernel32::WaitNamedPipeW(name.as_ptr(), milliseconds) } != FALSE {
            return Ok(true);
        }
        let error = io::Error::last_os_error();
        if code_of(&error) == Some(ERROR_SEM_TIMEOUT) {
            Ok(false)
        } else {
            Err(explain_client(error))
        }
    }

    /// Whether it is a server's end.
    pub fn is_server(&self) -> bool {
        self.is_server
    }
}

impl Source for NamedPipe {}

impl Handle for NamedPipe {
    type Memo = ();

    /// It can be made a `File`, and then std waits for the handle.
    const IS_WAITED_FOR: bool = true;

    fn handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }

    /// It has been made as one.
    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

impl ReadEnd for NamedPipe {}

impl WriteEnd for NamedPipe {}

impl sealed::End for NamedPipe {
    fn carries_messages(&self) -> bool {
        self.messages
    }
}

impl AsHandle for NamedPipe {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

impl From<NamedPipe> for OwnedHandle {
    fn from(pipe: NamedPipe) -> Self {
        pipe.handle
    }
}

/// What a call has made that has just returned.
fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open, new, and nobody else's; `CloseHandle` is right for it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// A client's end reads bytes until it is told otherwise.
fn read_messages(client: BorrowedHandle<'_>) -> io::Result<()> {
    let mode = PIPE_READMODE_MESSAGE;
    // SAFETY: the handle is open, and the mode is there during the call.
    let done = unsafe {
        let client = client.as_raw_handle();
        ffi::kernel32::SetNamedPipeHandleState(client, &mode, null(), null())
    };
    if done != FALSE {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    Err(if code_of(&error) == Some(ERROR_INVALID_PARAMETER) {
        invalid("the pipe carries bytes and no messages; open it without `messages`")
    } else {
        error
    })
}

fn explain_server(error: io::Error, options: &PipeOptions) -> io::Error {
    match code_of(&error) {
        Some(ERROR_PIPE_BUSY) => io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the pipe has as many instances as its first server allows; raise `max_instances` there, \
             or wait until one is closed (Windows error 231)",
        ),
        Some(ERROR_ACCESS_DENIED) if options.first_instance => io::Error::new(
            io::ErrorKind::PermissionDenied,
            "there is a pipe of that name already, and this was to be its first instance; stop the \
             program that has made it, or take another name (Windows error 5)",
        ),
        Some(ERROR_ACCESS_DENIED) => io::Error::new(
            io::ErrorKind::PermissionDenied,
            "there is a pipe of that name already, and it is another user's, or has another \
             direction, or carries something else (Windows error 5)",
        ),
        _ => error,
    }
}

fn explain_client(error: io::Error) -> io::Error {
    match code_of(&error) {
        Some(ERROR_PIPE_BUSY) => io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the pipe is busy: none of its servers waits for a client at this moment; try again, or \
             wait for one with `NamedPipe::wait` in another thread (Windows error 231)",
        ),
        Some(ERROR_FILE_NOT_FOUND) => io::Error::new(
            io::ErrorKind::NotFound,
            "there is no pipe of that name; its server may not run yet (Windows error 2)",
        ),
        _ => error,
    }
}

pub(super) fn code_of(error: &io::Error) -> Option<u32> {
    error.raw_os_error().map(|code| code as u32)
}
