//! What comes out of a queue.

use std::net::{SocketAddr, TcpStream};

use super::ffi::constants::{
    JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS, JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO,
    JOB_OBJECT_MSG_EXIT_PROCESS, JOB_OBJECT_MSG_NEW_PROCESS,
};
use super::in_flight::OperationId;
use super::port::{Key, Packet};
use super::status::Failure;

/// One thing that has happened, with whatever had been lent for it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Completion<B = Vec<u8>> {
    /// A [`receive`](super::Registration::receive) has ended. Here is its buffer again.
    Received {
        /// The key of the registration.
        key: Key,
        /// What `receive` returned.
        id: OperationId,
        /// The buffer that was lent, with the bytes received counted as filled. After a failure it
        /// is as it was.
        buffer: B,
        /// How many bytes came, from 1 to the spare room of the buffer. 0 is the end of the stream,
        /// and nothing else, for a buffer without room is never lent.
        result: Result<usize, Failure>,
    },
    /// A [`readable`](super::Registration::readable) has ended: a receive would now find bytes, or
    /// the end of the stream, or the error.
    Readable {
        /// The key of the registration.
        key: Key,
        /// What `readable` returned.
        id: OperationId,
        /// `Ok` if a receive would not have to wait, be it for bytes or for the end of the stream.
        result: Result<(), Failure>,
    },
    /// A [`send`](super::Registration::send) has ended. Here is its buffer again.
    Sent {
        /// The key of the registration.
        key: Key,
        /// What `send` returned.
        id: OperationId,
        /// The buffer that was lent, as it was.
        buffer: B,
        /// How many bytes the system took. After a success that is all, or as many as one operation
        /// can. A send that fails can have sent a part; Microsoft promises a count for successes
        /// alone, so after a failure it is what the system has left there, and may be wrong.
        count: usize,
        /// `Ok` if the system has taken all bytes that one operation can send. It does not say that
        /// the peer has them.
        result: Result<(), Failure>,
    },
    /// An [`accept`](super::Registration::accept) has ended.
    Accepted {
        /// The key of the listener's registration.
        key: Key,
        /// What `accept` returned.
        id: OperationId,
        /// The new connection, not registered yet, and the address of the peer. An error of the
        /// kind `ConnectionReset`, `ConnectionAborted` or `NotConnected` means that a client has
        /// gone before it was accepted: nothing is wrong with the listener, so accept again. Every
        /// other error is about the listener.
        result: Result<(TcpStream, SocketAddr), Failure>,
    },
    /// A [`connect`](super::CompletionQueue::connect) has ended.
    Connected {
        /// The key of the registration.
        key: Key,
        /// The id of the operation.
        id: OperationId,
        /// `Ok` if the stream is connected. After an error drop the registration: nothing can be
        /// done with it.
        result: Result<(), Failure>,
    },
    /// A [`receive_from`](super::Registration::receive_from) has ended, or a receive on a UDP
    /// socket that is connected. Here is its buffer again.
    ReceivedFrom {
        /// The key of the registration.
        key: Key,
        /// What `receive_from` returned.
        id: OperationId,
        /// The buffer that was lent, with the bytes received counted as filled. After a failure it
        /// is as it was.
        buffer: B,
        /// The datagram. An error of the kind `ConnectionReset` is about one that was *sent* from
        /// this socket before: nobody was there to take it. Nothing is wrong with the socket, so
        /// receive again.
        result: Result<Datagram, Failure>,
    },
    /// A read has ended: of a file, by [`read_at`](super::Registration::read_at), or of a pipe, by
    /// [`read`](super::Registration::read). Here is its buffer again.
    Read {
        /// The key of the registration.
        key: Key,
        /// What the submission returned.
        id: OperationId,
        /// The buffer that was lent, with the bytes read counted as filled. After a failure it is
        /// as it was.
        buffer: B,
        /// What was read.
        result: Result<Content, Failure>,
    },
    /// A write has ended: to a file, by [`write_at`](super::Registration::write_at) or
    /// [`append`](super::Registration::append), or to a pipe, by
    /// [`write`](super::Registration::write). Here is its buffer again.
    Written {
        /// The key of the registration.
        key: Key,
        /// What the submission returned.
        id: OperationId,
        /// The buffer that was lent, as it was.
        buffer: B,
        /// How many bytes were written. After a failure it is what the system has left there, and
        /// may be wrong.
        count: usize,
        /// `Ok` if the system has taken as many bytes as `count` says. Of a file it does not say
        /// that they are on the disk, nor of a pipe that the other end has read them.
        result: Result<(), Failure>,
    },
    /// A [`connect_client`](super::Registration::connect_client) has ended.
    ClientConnected {
        /// The key of the pipe's registration.
        key: Key,
        /// What `connect_client` returned.
        id: OperationId,
        /// `Ok` if a client has opened the pipe. It can have closed it since; then the first read
        /// says so.
        result: Result<(), Failure>,
    },
    /// An operation that was started by [`submit`](super::Registration::submit) has ended. Here is
    /// its buffer again.
    Raw {
        /// The key of the registration.
        key: Key,
        /// What `submit` returned.
        id: OperationId,
        /// The buffer that was lent. What was written into its spare room is not counted as filled;
        /// who knows what the operation has done can do that, by
        /// [`advance`](super::Buffer::advance).
        buffer: B,
        /// The count that the system has left: of bytes, for nearly all operations.
        count: usize,
        /// How it ended. A warning of the system is an error here, though bytes may have come:
        /// that of error 234, say, for a message that was cut.
        result: Result<(), Failure>,
    },
    /// What was [watched](super::CompletionQueue::watch) is signalled: a process has ended, an
    /// event was set, a timer is due.
    Signalled {
        /// The key of the registration.
        key: Key,
        /// The id of the wait.
        id: OperationId,
        /// `Ok` if it is signalled, and an error, mostly `Cancelled`, if the wait has ended without
        /// that.
        result: Result<(), Failure>,
    },
    /// A [job](super::Job) has a message. Windows does not guarantee that messages arrive, and by
    /// the time that one is read the process may be gone, and its number another's. So it is a
    /// hint: what counts is what the handle of a process, or of the job, says.
    Job {
        /// The key of the job's registration.
        key: Key,
        /// What has happened.
        message: JobMessage,
    },
    /// A value that the program has sent to itself with
    /// [`post`](super::CompletionQueue::post).
    Posted {
        /// The key that was posted.
        key: Key,
        /// The value that was posted.
        value: u32,
    },
    /// A [`Waker`](super::Waker) was used, once or many times.
    Woken,
    /// The queue has been [shut down](super::CompletionQueue::shut_down). Each batch that is waited
    /// with brings this once, behind everything else in it.
    ShutDown,
    /// A packet that belongs to no operation of this queue: one of an operation that was pending
    /// before its socket was registered, or that was started through a duplicate; a notification of
    /// a job object; a packet posted by other code. It is handed over as it came, and nothing was
    /// read through the address in it.
    Foreign(Packet),
}

impl<B> Completion<B> {
    /// What a sender says that is known by the key of its packets.
    pub(super) fn sent(key: Key, packet: &Packet) -> Self {
        let message = JobMessage::of(packet.bytes(), packet.overlapped().addr() as u32);
        Self::Job { key, message }
    }

    /// The key under which it came; none for a wake-up and a shutdown, which belong to the whole
    /// queue. The key of a [`Foreign`](Self::Foreign) packet is whatever others have given, and can
    /// be that of a registration: look at the variant first.
    pub fn key(&self) -> Option<Key> {
        match self {
            Self::Received { key, .. }
            | Self::Readable { key, .. }
            | Self::Sent { key, .. }
            | Self::Accepted { key, .. }
            | Self::Connected { key, .. }
            | Self::ReceivedFrom { key, .. }
            | Self::Read { key, .. }
            | Self::Written { key, .. }
            | Self::ClientConnected { key, .. }
            | Self::Raw { key, .. }
            | Self::Signalled { key, .. }
            | Self::Job { key, .. }
            | Self::Posted { key, .. } => Some(*key),
            Self::Foreign(packet) => Some(packet.key()),
            Self::Woken | Self::ShutDown => None,
        }
    }

    /// What the submission has returned; none for what was not submitted: wake-ups, posted values,
    /// messages of jobs, the shutdown and foreign packets.
    pub fn id(&self) -> Option<OperationId> {
        match self {
            Self::Received { id, .. }
            | Self::Readable { id, .. }
            | Self::Sent { id, .. }
            | Self::Accepted { id, .. }
            | Self::Connected { id, .. }
            | Self::ReceivedFrom { id, .. }
            | Self::Read { id, .. }
            | Self::Written { id, .. }
            | Self::ClientConnected { id, .. }
            | Self::Raw { id, .. }
            | Self::Signalled { id, .. } => Some(*id),
            Self::Job { .. }
            | Self::Posted { .. }
            | Self::Foreign(_)
            | Self::Woken
            | Self::ShutDown => None,
        }
    }

    /// The buffer that comes back with it, however the operation has ended: that of a receive, a
    /// send, a read, a write, or of an operation that was started raw.
    pub fn into_buffer(self) -> Option<B> {
        match self {
            Self::Received { buffer, .. }
            | Self::Sent { buffer, .. }
            | Self::ReceivedFrom { buffer, .. }
            | Self::Read { buffer, .. }
            | Self::Written { buffer, .. }
            | Self::Raw { buffer, .. } => Some(buffer),
            _ => None,
        }
    }
}

/// A datagram that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Who has sent it.
    pub from: SocketAddr,
    /// How many bytes of it are in the buffer, from 0: an empty datagram is one, too.
    pub count: usize,
    /// Whether it was longer than the spare room of the buffer. Then the beginning of it is there,
    /// and the rest is lost.
    pub truncated: bool,
}

/// What a read has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// So many bytes, of a file or of a pipe that carries bytes. It is 0 only if the other end of a
    /// pipe has written a message of no bytes, which is not the end.
    Bytes(usize),
    /// A whole message of so many bytes, or the last part of one; 0 is an empty message.
    Message(usize),
    /// So many bytes of a message that is longer than the room was. The next read goes on with it.
    Part(usize),
    /// Nothing, for there is nothing more: the file ends before this place, or the other end of the
    /// pipe is closed.
    End,
}

impl Content {
    /// How many bytes have come.
    pub fn count(self) -> usize {
        match self {
            Self::Bytes(count) | Self::Message(count) | Self::Part(count) => count,
            Self::End => 0,
        }
    }
}

/// What has happened in a job.
///
/// Processes are named by their numbers, of which there may be a new owner by the time that the
/// message is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobMessage {
    /// A process has come into the job (`JOB_OBJECT_MSG_NEW_PROCESS`).
    NewProcess(u32),
    /// A process of it has ended (`JOB_OBJECT_MSG_EXIT_PROCESS`).
    Exited(u32),
    /// A process of it has ended by a failure (`JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS`).
    Failed(u32),
    /// No process is left in it (`JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO`).
    Empty,
    /// Another message, by its number (`JOB_OBJECT_MSG_...`), and what came with it, which is the
    /// number of a process or 0.
    Other(u32, u32),
}

impl JobMessage {
    /// By the number of the message, and what has come with it.
    fn of(message: u32, of: u32) -> Self {
        match message {
            JOB_OBJECT_MSG_NEW_PROCESS => Self::NewProcess(of),
            JOB_OBJECT_MSG_EXIT_PROCESS => Self::Exited(of),
            JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS => Self::Failed(of),
            JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO => Self::Empty,
            _ => Self::Other(message, of),
        }
    }
}
