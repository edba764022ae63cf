//! Packets that the system queues, but not for the queue: of operations that other code has started
//! on the same socket, and of a job object. They come as `Foreign`, with all that is in them.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it starts operations with the bare calls of Windows")]

use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::windows::io::{
    AsHandle, AsRawHandle, AsRawSocket, BorrowedHandle, FromRawHandle, OwnedHandle,
};
use std::process::{Child, Command, Stdio};
use std::ptr::{null, null_mut, without_provenance_mut};
use std::time::Duration;

use overlapped::ffi;
use overlapped::ffi::constants::{
    FALSE, JOB_OBJECT_MSG_EXIT_PROCESS, JOB_OBJECT_MSG_NEW_PROCESS,
    JobObjectAssociateCompletionPortInformation, WSA_IO_PENDING,
};
use overlapped::ffi::ntstatus::STATUS_CANCELLED;
use overlapped::ffi::types::{
    DWORD, JOBOBJECT_ASSOCIATE_COMPLETION_PORT, NTSTATUS, OVERLAPPED, SOCKET, WSABUF,
};
use overlapped::{Completion, CompletionQueue, Completions, Key, Packet};

mod support;
use support::{Received, assert_quiet, collect, one, one_received, pair, registered};

#[path = "support/spawn.rs"]
mod spawn;
use spawn::spawned;

/// A receive as code starts it that knows nothing of the queue.
#[repr(C)]
struct Bare {
    overlapped: OVERLAPPED,
    flags: DWORD,
    bytes: [u8; 16],
}

impl Bare {
    /// Starts a receive, which pends. It is never freed: a test that fails may leave it with the
    /// kernel.
    fn start(socket: &impl AsRawSocket) -> *mut Self {
        let overlapped = OVERLAPPED {
            Internal: 0,
            InternalHigh: 0,
            Offset: 0,
            OffsetHigh: 0,
            hEvent: null_mut(),
        };
        let bare = Box::leak(Box::new(Self { overlapped, flags: 0, bytes: [0; 16] }));
        let room = WSABUF { len: 16, buf: bare.bytes.as_mut_ptr() };
        let bare: *mut Self = bare;
        // SAFETY: the pointer comes from a box that is never freed.
        let flags = unsafe { &raw mut (*bare).flags };
        let (socket, count) = (socket.as_raw_socket() as SOCKET, null_mut());
        // SAFETY: the socket is open. The description of the room is read during the call; the
        // room, the flags and the operation stay where they are for ever, and nobody touches them
        // until the packet has come.
        let answer =
            unsafe { ffi::ws2_32::WSARecv(socket, &room, 1, count, flags, bare.cast(), None) };
        assert_eq!((answer, ffi::ws2_32::WSAGetLastError()), (-1, WSA_IO_PENDING));
        bare
    }

    /// Checks that the packet is this operation's, and returns how that has ended.
    #[track_caller]
    fn end(bare: *mut Self, packet: Packet) -> (NTSTATUS, Vec<u8>) {
        assert_eq!(packet.overlapped(), bare.cast(), "the packet is another operation's");
        // SAFETY: the packet has been dequeued, so the kernel is done with the memory.
        let bare = unsafe { &*bare };
        assert_eq!(bare.overlapped.InternalHigh, packet.bytes() as usize);
        let received = bare.bytes[..bare.overlapped.InternalHigh].to_vec();
        // The high half is leftovers.
        (bare.overlapped.Internal as NTSTATUS, received)
    }
}

#[track_caller]
fn one_foreign(queue: &CompletionQueue) -> Packet {
    match one(queue) {
        Completion::Foreign(packet) => packet,
        other => panic!("a packet of nobody's was expected: {other:?}"),
    }
}

#[test]
fn an_operation_on_a_duplicate_delivers_its_packet_to_the_queue() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    let duplicate = stream.get_ref().try_clone()?;
    let bare = Bare::start(&duplicate);
    // It is not the queue's, so the queue does not count it.
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));

    peer.write_all(b"!")?;

    let packet = one_foreign(&queue);
    assert_eq!(packet.key(), Key(7));
    assert_eq!(Bare::end(bare, packet), (0, b"!".to_vec()));
    Ok(())
}

#[test]
fn an_operation_that_was_pending_before_the_registration_delivers_its_packet_too() -> io::Result<()>
{
    let queue = CompletionQueue::new()?;
    let (near, mut peer) = pair();
    let bare = Bare::start(&near);
    let stream = queue.register(near, Key(7))?;

    peer.write_all(b"!")?;
    let packet = one_foreign(&queue);
    assert_eq!(packet.key(), Key(7));
    assert_eq!(Bare::end(bare, packet), (0, b"!".to_vec()));

    // And the queue's own come as usual.
    stream.receive(Vec::with_capacity(16))?;
    peer.write_all(b"?")?;
    assert_eq!(one_received(&queue).buffer, b"?");
    Ok(())
}

/// Windows cancels all receives that are pending on a stream with the one that is named, whoever
/// started them. Wine leaves the others alone until all are named. Each has its packet, once.
#[test]
fn cancel_all_does_not_tell_duplicates_apart() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = registered(&queue, Key(7));
    let duplicate = stream.get_ref().try_clone()?;
    let bare = Bare::start(&duplicate);
    let id = stream.receive(Vec::with_capacity(16))?;

    assert!(stream.cancel(id)?);
    let mut ended = collect(&queue, 1);
    if !ended.iter().any(|ended| matches!(ended, Completion::Received { .. })) {
        ended.extend(collect(&queue, 1));
    }
    let mut batch = Completions::with_capacity(8);
    ended.extend(queue.wait(&mut batch, Some(Duration::ZERO))?);
    match ended.len() {
        1 => println!("this system cancels the receive that was named, and no other"),
        _ => println!("this system cancels all receives of a stream with the one named"),
    }

    stream.cancel_all()?;
    ended.extend(collect(&queue, 2_usize.saturating_sub(ended.len())));

    let (mut own, mut foreign) = (None, None);
    for ended in ended {
        let twice = match ended {
            Completion::Foreign(packet) => foreign.replace(packet).is_some(),
            ended => own.replace(Received::of(ended)).is_some(),
        };
        assert!(!twice, "one of the two has ended twice");
    }
    let own = own.expect("the queue's own");
    own.assert_cancelled();
    assert_eq!(own.id, id);
    let foreign = foreign.expect("a packet of nobody's");
    assert_eq!(Bare::end(bare, foreign), (STATUS_CANCELLED, Vec::new()));
    assert_quiet(&queue);
    Ok(())
}

/// The way to use the queue for a handle that it has no operations for.
#[test]
fn a_handle_that_is_associated_by_hand_delivers_its_packets_to_the_queue() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let handle = without_provenance_mut(socket.as_raw_socket() as usize);
    // SAFETY: a socket is a handle, and this one stays open until the end of the test.
    queue.port().associate(unsafe { BorrowedHandle::borrow_raw(handle) }, Key(9))?;
    let bare = Bare::start(&socket);

    UdpSocket::bind("127.0.0.1:0")?.send_to(b"datagram", socket.local_addr()?)?;

    let packet = one_foreign(&queue);
    assert_eq!(packet.key(), Key(9));
    assert_eq!(Bare::end(bare, packet), (0, b"datagram".to_vec()));
    Ok(())
}

/// A program that ends when its input does, or with the test.
struct Program(Child);

impl Program {
    fn start() -> Self {
        let mut command = Command::new("cmd");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(spawned(&mut command))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A job object posts packets in which the address is the number of a process.
#[test]
fn a_packet_of_a_job_object_carries_the_number_of_a_process() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    // SAFETY: without attributes and name the call touches no memory of ours.
    let job = unsafe { ffi::kernel32::CreateJobObjectW(null(), null()) };
    assert!(!job.is_null(), "CreateJobObjectW: {}", io::Error::last_os_error());
    // SAFETY: the handle is new and nobody else's.
    let job = unsafe { OwnedHandle::from_raw_handle(job) };
    let port = JOBOBJECT_ASSOCIATE_COMPLETION_PORT {
        CompletionKey: without_provenance_mut(7),
        CompletionPort: queue.port().as_handle().as_raw_handle(),
    };
    let (job_handle, class) = (job.as_raw_handle(), JobObjectAssociateCompletionPortInformation);
    let (information, size) = ((&raw const port).cast(), size_of_val(&port) as DWORD);
    // SAFETY: the job is open, and the structure is the one of this class, of that size.
    let set =
        unsafe { ffi::kernel32::SetInformationJobObject(job_handle, class, information, size) };
    assert_ne!(set, FALSE, "SetInformationJobObject: {}", io::Error::last_os_error());

    let mut program = Program::start();
    // SAFETY: both handles are open.
    let assigned =
        unsafe { ffi::kernel32::AssignProcessToJobObject(job_handle, program.0.as_raw_handle()) };
    assert_ne!(assigned, FALSE, "AssignProcessToJobObject: {}", io::Error::last_os_error());
    let process = program.0.id() as usize;

    wait_for_message(&queue, JOB_OBJECT_MSG_NEW_PROCESS, process);
    drop(program.0.stdin.take());
    program.0.wait()?;
    wait_for_message(&queue, JOB_OBJECT_MSG_EXIT_PROCESS, process);
    Ok(())
}

/// There may be other messages, such as that no process is left.
#[track_caller]
fn wait_for_message(queue: &CompletionQueue, message: DWORD, process: usize) {
    let is_it = |packet: &Packet| {
        assert_eq!(packet.key(), Key(7));
        packet.bytes() == message && packet.overlapped().addr() == process
    };
    let mut found = false;
    while !found {
        for completion in collect(queue, 1) {
            found |= matches!(&completion, Completion::Foreign(packet) if is_it(packet));
        }
    }
}
