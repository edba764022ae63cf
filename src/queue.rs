//! The completion queue: where a program sleeps, and where what it lent comes back.

mod completions;
mod panics;
mod waiting;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::control::Waker;
use super::ffi::constants::FILE_SKIP_SET_EVENT_ON_HANDLE;
use super::port::{BorrowedPort, CompletionPort, Deadline, Key};
use super::registration::{Registration, Rejected, Source};
use super::shared::Core;
use super::socket::set_notification_modes;

pub use self::completions::Completions;
use self::panics::{first_of, go_on_with_panic};

/// How long a queue that is dropped waits for what it has cancelled. Cancelled operations end
/// within microseconds; a driver that takes longer than this is broken, and then memory is leaked.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// A completion port, with the operations that are in flight on it.
///
/// It is used by reference, from any number of threads; put it in an `Arc` to share it. All of them
/// may wait, each with a batch of its own, and each completion goes to one of them.
///
/// ```
/// use overlapped::{Completion, CompletionQueue, Completions, Key};
/// use std::io::Write;
/// use std::net::{TcpListener, TcpStream};
///
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let queue = CompletionQueue::new()?;
/// let stream = TcpStream::connect(listener.local_addr()?)?;
/// let stream = queue.register(stream, Key(7))?;
/// stream.receive(Vec::with_capacity(4096))?;
///
/// listener.accept()?.0.write_all(b"hello")?;
///
/// let mut batch = Completions::with_capacity(64);
/// for completion in queue.wait(&mut batch, None)? {
///     assert_eq!(completion.key(), Some(Key(7)));
///     let Completion::Received { buffer, result, .. } = completion else {
///         continue;
///     };
///     assert_eq!(result?, buffer.len());
///     assert!(b"hello".starts_with(&buffer));
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Who owns what
///
/// A queue, its registrations and its batches share three things, and each of them holds a
/// reference to these:
///
/// * the table, in which the operations in flight are, with what was lent for them;
/// * the list of the registrations that are there;
/// * the port, and what is told through it, which a [`Waker`] holds, too.
///
/// Besides that a registration owns its socket, and a batch its packets, each of which names an
/// operation in the table.
///
/// A buffer has one owner at each moment: the program, until it submits; the table, on the kernel's
/// behalf, until its packet has been dequeued; the batch, for which it waits in its place in the
/// table, until the batch is read; the program again. No reference to it exists while it is in the
/// table, so no order of dropping, forgetting or sending can reach it there.
///
/// What they share lives as long as a queue, a registration or a batch does. The queue alone waits,
/// so it is the queue that cleans up.
///
/// # Dropping it
///
/// A queue that is dropped accepts no more operations, cancels what is in flight and waits until
/// the kernel has given everything back, two seconds at most; the buffers are dropped. Should
/// something stay with the kernel even then, its memory is leaked: the kernel may write to it at
/// any time. (Memory is also leaked if as many other threads run as the port lets run, and none of
/// them blocks in these two seconds: then nothing comes out of the port.) Registrations and wakers
/// may outlive the queue. Submitting an operation, waking and shutting down then answer with an
/// error of kind `BrokenPipe`; what concerns the socket alone goes on as before.
#[doc(alias = "IOCP")]
pub struct CompletionQueue<B: Buffer = Vec<u8>> {
    core: Arc<Core<B>>,
}

impl<B: Buffer> CompletionQueue<B> {
    /// Makes a queue for as many running threads as there are processors.
    ///
    /// All its buffers have one type, `B`. The compiler finds it where a buffer is lent or a type
    /// is written. In a program without either, write it here: `CompletionQueue::<Vec<u8>>::new()`.
    ///
    /// # Errors
    ///
    /// What the system answers when it is out of handles or memory.
    ///
    /// Calls
    /// [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport).
    #[doc(alias = "CreateIoCompletionPort")]
    pub fn new() -> io::Result<Self> {
        Self::with_concurrency(0)
    }

    /// Makes a queue on which the system lets at most `threads` of those that wait run at the same
    /// time; 0 stands for the number of processors. More may wait: while one waits for something
    /// else, the system lets another run. A thread that has waited here counts until it blocks,
    /// ends or waits on another port. While so many run, a wait of others brings nothing, and one
    /// with a limit of time can come back empty although there are packets.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_concurrency(threads: u32) -> io::Result<Self> {
        Ok(Self { core: Arc::new(Core::new(CompletionPort::new(threads)?)) })
    }

    /// Registers a socket, a file, a pipe, or another [`Source`]: its operations complete here,
    /// under `key`. It and its duplicates belong to one queue until they are all closed.
    ///
    /// # Errors
    ///
    /// The source comes back in the [`Rejected`], usable as before. `InvalidInput` if it is
    /// registered already, belongs to another completion port, or was not made for overlapped
    /// operations: a file without `FILE_FLAG_OVERLAPPED`, a socket without `WSA_FLAG_OVERLAPPED`
    /// (std's sockets, and its pipes of children, are made so, those of `std::io::pipe` are not, and
    /// its files are not unless they are told to). The error says which it is, where the system does.
    ///
    /// `InvalidInput` also if it is not what its type says, since a `TcpStream` of std's can be
    /// made of any socket, and a `File` or a `ChildStdout` of any handle (so the system is asked
    /// with `SO_PROTOCOL_INFO` or `GetFileType`). A listening socket that is passed off as a
    /// `TcpStream` is not recognised: it is registered, and its receives fail. Nor is a socket
    /// recognised of which other code has told the system to leave packets out
    /// (`FILE_SKIP_COMPLETION_PORT_ON_SUCCESS`): what ends at once on it stays in flight for ever.
    /// `Unsupported` if its provider does not use handles of the kernel. Else the system's error.
    ///
    /// What was not made for overlapped operations is refused only when nobody uses it: as long as
    /// another thread waits for a read or write of it, the system makes each question about it
    /// wait, too.
    ///
    /// Calls
    /// [`getsockopt`](https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-getsockopt)
    /// for a socket,
    /// [`GetFileType`](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfiletype)
    /// for a file or pipe, and
    /// [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport).
    #[doc(alias = "CreateIoCompletionPort", alias = "associate")]
    pub fn register<S: Source>(
        &self,
        source: S,
        key: Key,
    ) -> Result<Registration<S, B>, Rejected<S>> {
        match source.check() {
            Ok(()) => self.register_checked(source, key),
            Err(error) => Err(Rejected::new(error, source)),
        }
    }

    /// As [`register`](Self::register), for a source that is what its type says.
    pub(super) fn register_checked<S: Source>(
        &self,
        source: S,
        key: Key,
    ) -> Result<Registration<S, B>, Rejected<S>> {
        match source.associate(&self.core.control, key) {
            Ok(memo) => {
                if !S::IS_WAITED_FOR {
                    // A provider that cannot do without works as well, only slower.
                    let _ = set_notification_modes(source.handle(), FILE_SKIP_SET_EVENT_ON_HANDLE);
                }
                Ok(Registration::new(Arc::clone(&self.core), source, memo, key))
            }
            Err(error) => Err(Rejected::new(error, source)),
        }
    }

    /// A way to wake a thread that waits here, for other threads to keep.
    pub fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.core.control))
    }

    /// Sends a value to whoever waits: one [`Completion::Posted`](super::Completion::Posted) for
    /// each call.
    ///
    /// # Errors
    ///
    /// The system's error, when it has no memory for the packet. Then nothing was sent.
    ///
    /// Calls
    /// [`PostQueuedCompletionStatus`](https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus).
    #[doc(alias = "PostQueuedCompletionStatus")]
    pub fn post(&self, key: Key, value: u32) -> io::Result<()> {
        self.core.control.post(key, value)
    }

    /// Tells every thread that waits, now or later, that the program is to end: its batch brings
    /// what is there, and behind it [`Completion::ShutDown`](super::Completion::ShutDown). What has
    /// not come by then stays in flight: [waiting](Self::wait) with the same batch goes on and
    /// collects it, until a batch comes back empty. A [`Waker`] can do this too.
    ///
    /// Nothing is cancelled, and operations can still be submitted, a farewell for example. A
    /// receive that nobody cancels stays in flight, and then the batch does not come back empty: at
    /// `ShutDown` cancel it, or drop its registration. The guide's chapter on
    /// [closing](super::guide::closing) has the loop.
    ///
    /// # Errors
    ///
    /// The system's error, when it has no memory for the packet. The queue is shut down all the
    /// same, but a thread that sleeps does not know it yet: call again.
    ///
    /// Calls
    /// [`PostQueuedCompletionStatus`](https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus)
    /// if a thread waits.
    pub fn shut_down(&self) -> io::Result<()> {
        self.core.control.shut_down()
    }

    /// How many operations are in flight: submitted, and not yet taken out of the port. Exact when
    /// no other thread submits or waits at this moment. (A registration's
    /// [`in_flight`](Registration::in_flight) also counts what lies in a batch unread.)
    ///
    /// Looks at each of them.
    pub fn in_flight(&self) -> usize {
        self.core.in_flight.count()
    }

    /// The port, to associate a handle for which the queue has no method. Its packets come as
    /// [`Completion::Foreign`](super::Completion::Foreign). Only the queue dequeues: a packet that
    /// somebody else takes out never reaches it, and an operation, or a wake-up, then never ends
    /// for the queue.
    pub fn port(&self) -> BorrowedPort<'_> {
        BorrowedPort::new(self.core.control.port())
    }

    /// Sleeps until something has happened, and fills the batch with it.
    ///
    /// Returns immediately if the batch holds completions that have not been read. `None` waits for
    /// ever; a `Duration`, however long, ends. It is rounded up to milliseconds, the system's unit.
    /// When the time is up the batch is empty, which is no error.
    ///
    /// Some of what is in the batch may belong to no registration any more, since it has been
    /// dropped. They are not given out, but their buffers are dropped when they are reached. So a
    /// batch that is not empty can give out nothing.
    ///
    /// # After the shutdown
    ///
    /// Each batch is told once: it brings what the system gives out at that moment, and behind that
    /// [`Completion::ShutDown`](super::Completion::ShutDown), without sleeping. Waiting with it
    /// again goes on delivering what is in flight, and sleeps until there is something, as before.
    /// When nothing is in flight any more, and what was posted has been delivered, and a wake-up
    /// too, the batch is empty, once; so is that of each other thread that collects, whichever of
    /// them has taken the last. Whoever goes on waiting after that sleeps until something is posted
    /// or submitted again, or the time is up. A thread that submits while others come to the end
    /// collects what it has submitted itself. The guide's chapter on
    /// [closing](super::guide::closing) has the loop.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a batch of capacity 0; else the system's error. After an error what had
    /// been dequeued is in the batch, and the next `wait` returns with it. An error for lack of
    /// memory (`ERROR_NO_SYSTEM_RESOURCES`) can also be about a packet that the queue owes, such as
    /// the end of a wait that could not be posted before: nothing is lost, so wait again, after a
    /// pause. When the queue is shut down, it can mean that another thread, which sleeps, could not
    /// be told: wait again, or call [`shut_down`](Self::shut_down) again.
    ///
    /// Calls
    /// [`GetQueuedCompletionStatusEx`](https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func).
    #[doc(alias = "GetQueuedCompletionStatusEx", alias = "timeout")]
    #[inline]
    pub fn wait<'a>(
        &self,
        batch: &'a mut Completions<B>,
        timeout: Option<Duration>,
    ) -> io::Result<&'a mut Completions<B>> {
        if batch.is_empty() {
            self.core.fill(batch, &Deadline::new(timeout))?;
        }
        Ok(batch)
    }

    /// As [`wait`](Self::wait), up to a moment, for a program that keeps a list of what is due
    /// when.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    #[doc(alias = "GetQueuedCompletionStatusEx", alias = "deadline")]
    pub fn wait_until<'a>(
        &self,
        batch: &'a mut Completions<B>,
        moment: Instant,
    ) -> io::Result<&'a mut Completions<B>> {
        if batch.is_empty() {
            self.core.fill(batch, &Deadline::at(moment))?;
        }
        Ok(batch)
    }
}

impl<B: Buffer> Drop for CompletionQueue<B> {
    fn drop(&mut self) {
        let (core, deadline) = (&self.core, Deadline::new(Some(DROP_TIMEOUT)));
        core.in_flight.close();
        core.control.queue_dropped();
        let mut batch = Completions::with_capacity(64);
        batch.attach(core);
        let (mut dropped, mut cancels) = (Ok(()), true);
        while !core.in_flight.is_empty() && !deadline.is_over() {
            // Again when nothing comes: another thread may have been about to submit.
            if cancels {
                core.owners.cancel_everything();
                // What cannot be paid is tried again.
                let _ = core.control.pay_ends();
            }
            batch.clear();
            let moment = Deadline::new(Some(Duration::from_millis(20)));
            if core.control.port().dequeue_within(&mut batch.packets, &moment).is_err() {
                // It may be a shortage that passes, and what is in flight is worth another try.
                thread::yield_now();
            }
            cancels = batch.packets.is_empty();
            batch.claim(core);
            // A buffer whose drop panics does not end this: the kernel has others still.
            dropped = first_of(dropped, batch.drop_all());
        }
        go_on_with_panic(dropped);
    }
}

impl<B: Buffer> fmt::Debug for CompletionQueue<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompletionQueue")
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}
