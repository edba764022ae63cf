//! Small owners for what the tests take from the kernel: a port, an event, an operation. They add
//! no rule of their own but one: an operation's memory is freed when its packet was dequeued, and
//! leaked in every other case. So a test that fails never frees what the kernel may yet write to.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::windows::io::AsRawSocket;
use std::ptr::{null_mut, without_provenance_mut};
use std::time::Duration;

use overlapped::ffi;
use overlapped::ffi::constants::{ERROR_IO_PENDING, FALSE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use overlapped::ffi::ntstatus::STATUS_PENDING;
use overlapped::ffi::types::{
    BOOL, DWORD, HANDLE, NTSTATUS, OVERLAPPED, OVERLAPPED_ENTRY, SOCKET, ULONG_PTR,
};

/// How long anything may take, in milliseconds. It is for a test that hangs; none takes so long.
pub const DEADLINE: DWORD = 20_000;

/// What a test says that cannot have its sockets. It is not about the system's promises then.
pub const NO_SOCKET: &str = "the system has no socket for this test: the limit of open files may be \
    too low (ulimit -n, where Wine is used), or all ports are in use";

/// A number that no handle has: handles are small, and multiples of 4.
pub const BOGUS: HANDLE = without_provenance_mut(0x7FFF_FFF0);

/// The thread's last error, to be read first thing after the call that failed.
pub fn last_error() -> DWORD {
    io::Error::last_os_error().raw_os_error().map_or(0, |error| error as DWORD)
}

/// A socket as the calls for files want it: it is a handle like any other.
pub fn handle_of(socket: &impl AsRawSocket) -> HANDLE {
    without_provenance_mut(raw(socket))
}

/// A socket as Winsock's calls want it.
pub fn raw(socket: &impl AsRawSocket) -> SOCKET {
    socket.as_raw_socket() as SOCKET
}

/// Two ends of one connection.
pub fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect(NO_SOCKET);
    let address = listener.local_addr().expect("the address of a listener");
    let near = TcpStream::connect(address).expect("a connection to our own listener");
    let (far, _) = listener.accept().expect("the connection that was just made");
    for end in [&near, &far] {
        let limit = Some(Duration::from_millis(DEADLINE.into()));
        end.set_read_timeout(limit).expect("a time limit for std's reads");
    }
    (near, far)
}

/// A connection of which the near end is on a port, with 7 as its key.
pub fn connected() -> (Port, TcpStream, TcpStream) {
    let (port, (near, far)) = (Port::new(), pair());
    port.associate(handle_of(&near), 7);
    (port, near, far)
}

/// `CreateIoCompletionPort`, with whatever it is given: a number that is no handle is an error of
/// the call, and harms nothing.
pub fn create_port(
    file: HANDLE,
    port: HANDLE,
    key: usize,
    concurrency: u32,
) -> Result<HANDLE, DWORD> {
    // SAFETY: the call reads and writes no memory of ours, and the kernel looks each number up.
    // Packets name operations by addresses that no test follows unless it knows them.
    let made = unsafe { ffi::kernel32::CreateIoCompletionPort(file, port, key, concurrency) };
    if made.is_null() { Err(last_error()) } else { Ok(made) }
}

/// `GetQueuedCompletionStatusEx`, of as many packets as are asked for, on whatever handle.
pub fn dequeue(
    port: HANDLE,
    count: usize,
    milliseconds: DWORD,
    alertable: BOOL,
) -> Result<Vec<Packet>, DWORD> {
    let empty = OVERLAPPED_ENTRY {
        lpCompletionKey: 0,
        lpOverlapped: null_mut(),
        Internal: 0,
        dwNumberOfBytesTransferred: 0,
    };
    let (mut entries, mut removed) = (vec![empty; count], 0);
    let (room, size) = (entries.as_mut_ptr(), u32::try_from(count).expect("a small count"));
    // SAFETY: there is room for that many entries, and for their number, until the call returns;
    // the port stays open, or is no handle at all, which is an error of the call. The only APC that
    // a test queues touches no memory.
    let answer = unsafe {
        ffi::kernel32::GetQueuedCompletionStatusEx(
            port,
            room,
            size,
            &mut removed,
            milliseconds,
            alertable,
        )
    };
    if answer == FALSE {
        // Whatever `removed` says now, nothing was removed.
        return Err(last_error());
    }
    entries.truncate(removed as usize);
    Ok(entries.iter().map(Packet::of).collect())
}

/// `PostQueuedCompletionStatus`, to whatever handle.
pub fn post(port: HANDLE, bytes: DWORD, key: usize, operation: usize) -> Result<(), DWORD> {
    let operation = without_provenance_mut(operation);
    // SAFETY: the port is open, or no handle at all; nobody follows the address in the packet.
    let answer = unsafe { ffi::kernel32::PostQueuedCompletionStatus(port, bytes, key, operation) };
    if answer == FALSE { Err(last_error()) } else { Ok(()) }
}

/// A packet. The operation is its address as a number: a name to compare, not to follow. How it
/// ended stands in the operation itself; the field of the entry that seems to say so is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub key: ULONG_PTR,
    pub operation: usize,
    pub count: DWORD,
}

impl Packet {
    fn of(entry: &OVERLAPPED_ENTRY) -> Self {
        Self {
            key: entry.lpCompletionKey,
            operation: entry.lpOverlapped.addr(),
            count: entry.dwNumberOfBytesTransferred,
        }
    }
}

/// A completion port, closed when it is dropped.
#[derive(Debug)]
pub struct Port(HANDLE);

// SAFETY: a handle is a number, and any thread of the process may use it.
unsafe impl Sync for Port {}

impl Port {
    pub fn new() -> Self {
        Self(create_port(INVALID_HANDLE_VALUE, null_mut(), 0, 0).expect("a new port"))
    }

    pub fn handle(&self) -> HANDLE {
        self.0
    }

    #[track_caller]
    pub fn associate(&self, file: HANDLE, key: usize) {
        assert_eq!(create_port(file, self.0, key, 0), Ok(self.0));
    }

    #[track_caller]
    pub fn post(&self, bytes: DWORD, key: usize, operation: usize) {
        post(self.0, bytes, key, operation).expect("posted");
    }

    /// The next packet, alone.
    #[track_caller]
    pub fn packet(&self) -> Packet {
        dequeue(self.0, 1, DEADLINE, FALSE).expect("a packet before the deadline")[0]
    }

    /// Looks, without waiting, whether there is no packet.
    #[track_caller]
    pub fn assert_empty(&self) {
        assert_eq!(dequeue(self.0, 8, 0, FALSE), Err(WAIT_TIMEOUT), "no packet was expected");
    }

    /// Waits for the packet of this operation, which must be the next one.
    #[track_caller]
    pub fn end(&self, operation: Operation) -> End {
        let packet = self.packet();
        assert_eq!(packet.operation, operation.address(), "another's: {packet:?}");
        let (status, Packet { key, count, .. }) = (operation.status(), packet);
        // SAFETY: its packet has been dequeued.
        let memory = unsafe { operation.take_back() };
        let bytes = memory.bytes[..memory.bytes.len().min(count as usize)].to_vec();
        End { key, status, count, bytes, flags: memory.flags, counted: memory.counted }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // SAFETY: the handle is ours, and this is its last use. An operation that is in flight is
        // leaked, since nobody can dequeue its packet now.
        unsafe { ffi::kernel32::CloseHandle(self.0) };
    }
}

/// What a packet and its operation say together.
#[derive(Debug)]
pub struct End {
    pub key: usize,
    pub status: NTSTATUS,
    pub count: DWORD,
    pub bytes: Vec<u8>,
    pub flags: DWORD,
    pub counted: DWORD,
}

/// What a call that starts an operation answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    AtOnce,
    Pending,
    Failed(i32),
}

impl Answer {
    /// To be called first thing after the call, since it reads the last error.
    pub fn of(success: bool) -> Self {
        match last_error() {
            _ if success => Self::AtOnce,
            ERROR_IO_PENDING => Self::Pending,
            error => Self::Failed(error as i32),
        }
    }
}

/// What is lent to the kernel.
#[derive(Debug)]
pub struct Memory {
    pub overlapped: OVERLAPPED,
    pub flags: DWORD,
    pub counted: DWORD,
    pub bytes: Box<[u8]>,
}

/// An operation, in memory that stays where it is. It has no `Drop`: unless its packet comes, the
/// memory is never freed.
#[derive(Debug)]
pub struct Operation {
    memory: *mut Memory,
    buffer: *mut u8,
    length: u32,
}

// SAFETY: it is an owner of memory that no thread has a claim on.
unsafe impl Send for Operation {}

impl Operation {
    /// It reads "pending" already before the call, for the sake of [`has_begun`](Self::has_begun).
    pub fn new(bytes: Vec<u8>, flags: DWORD, event: HANDLE) -> Self {
        let overlapped = OVERLAPPED {
            Internal: STATUS_PENDING as ULONG_PTR,
            InternalHigh: 0,
            Offset: 0,
            OffsetHigh: 0,
            hEvent: event,
        };
        let length = u32::try_from(bytes.len()).expect("a small buffer");
        let memory = Memory { overlapped, flags, counted: u32::MAX, bytes: bytes.into() };
        let memory = Box::leak(Box::new(memory));
        let buffer = memory.bytes.as_mut_ptr();
        Self { memory, buffer, length }
    }

    /// Whether the system has begun it, asked after an error at once: "pending" stood there before
    /// the call (64, 65).
    pub fn has_begun(&self) -> bool {
        self.status() != STATUS_PENDING
    }

    /// The operation's name.
    pub fn address(&self) -> usize {
        self.overlapped().addr()
    }

    /// What a call is given.
    pub fn overlapped(&self) -> *mut OVERLAPPED {
        // SAFETY: the memory was leaked, and is freed by nobody who has no packet.
        unsafe { &raw mut (*self.memory).overlapped }
    }

    /// What the operation itself says of how it stands. The high half is leftovers.
    pub fn status(&self) -> NTSTATUS {
        // SAFETY: the memory was leaked, and is freed by nobody who has no packet.
        let internal = unsafe { &raw const (*self.memory).overlapped.Internal };
        // SAFETY: as above. The kernel may be writing to it: the read is volatile, and of one word,
        // which is there as a whole or not at all.
        unsafe { internal.read_volatile() as NTSTATUS }
    }

    pub fn flags_and_count(&self) -> (*mut DWORD, *mut DWORD) {
        // SAFETY: as above.
        let flags = unsafe { &raw mut (*self.memory).flags };
        // SAFETY: as above.
        let counted = unsafe { &raw mut (*self.memory).counted };
        (flags, counted)
    }

    pub fn buffer(&self) -> *mut u8 {
        self.buffer
    }

    pub fn length(&self) -> u32 {
        self.length
    }

    /// # Safety
    ///
    /// The kernel is done with the operation: its packet has been dequeued, or none comes.
    pub unsafe fn take_back(self) -> Box<Memory> {
        // SAFETY: it was leaked by `new`, and the caller promises that the kernel is done.
        unsafe { Box::from_raw(self.memory) }
    }
}
