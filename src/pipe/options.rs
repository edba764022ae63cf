//! What a named pipe is to be.

use super::super::ffi::constants::*;
use super::super::ffi::types::DWORD;

/// What a [`NamedPipe`](super::NamedPipe) is to be: bytes or messages, one direction or both, and,
/// for its server, who may come.
///
/// ```
/// use overlapped::PipeOptions;
///
/// let chat = PipeOptions::new().messages().max_instances(16);
/// let log = PipeOptions::new().inbound(); // this end only reads
/// ```
#[derive(Clone, Debug)]
pub struct PipeOptions {
    direction: Direction,
    pub(super) messages: bool,
    max_instances: DWORD,
    pub(super) first_instance: bool,
    remote_clients: bool,
    pub(super) buffer_sizes: (DWORD, DWORD),
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Both,
    Inbound,
    Outbound,
}

/// How large the system's buffers are if nobody says so: in each direction what a write leaves in
/// the pipe without waiting for a read.
const BUFFER_SIZE: DWORD = 65_536;

impl PipeOptions {
    /// A pipe of bytes, in both directions, with any number of instances, with buffers of 65,536
    /// bytes, for clients of this machine alone.
    pub fn new() -> Self {
        Self {
            direction: Direction::Both,
            messages: false,
            max_instances: PIPE_UNLIMITED_INSTANCES,
            first_instance: false,
            remote_clients: false,
            buffer_sizes: (BUFFER_SIZE, BUFFER_SIZE),
        }
    }

    /// The pipe carries messages, and this end reads them so: each write of one end is one message,
    /// and each read of the other brings one, or a part of one. Server and client say it both; a
    /// client that does not reads the messages of the server as bytes.
    #[doc(alias = "PIPE_TYPE_MESSAGE", alias = "PIPE_READMODE_MESSAGE")]
    pub fn messages(mut self) -> Self {
        self.messages = true;
        self
    }

    /// This end only reads, and the other only writes.
    #[doc(alias = "PIPE_ACCESS_INBOUND", alias = "GENERIC_READ")]
    pub fn inbound(mut self) -> Self {
        self.direction = Direction::Inbound;
        self
    }

    /// This end only writes, and the other only reads.
    #[doc(alias = "PIPE_ACCESS_OUTBOUND", alias = "GENERIC_WRITE")]
    pub fn outbound(mut self) -> Self {
        self.direction = Direction::Outbound;
        self
    }

    /// Both ends read and write, as they do unless something else is said.
    #[doc(alias = "PIPE_ACCESS_DUPLEX")]
    pub fn duplex(mut self) -> Self {
        self.direction = Direction::Both;
        self
    }

    /// How many servers the pipe can have at the same time, and so how many clients, from 1 to 254;
    /// a number beyond that, as the default, is no limit. All servers of one pipe say the same, and
    /// the first decides. Of a client it says nothing.
    #[doc(alias = "nMaxInstances", alias = "PIPE_UNLIMITED_INSTANCES")]
    pub fn max_instances(mut self, instances: u32) -> Self {
        self.max_instances = instances.clamp(1, PIPE_UNLIMITED_INSTANCES);
        self
    }

    /// The server is to be the first of its name: making it fails if there is a pipe of that name
    /// already. Without this another program that was quicker gets some of the clients. Of a client
    /// it says nothing.
    #[doc(alias = "FILE_FLAG_FIRST_PIPE_INSTANCE")]
    pub fn first_instance(mut self, first: bool) -> Self {
        self.first_instance = first;
        self
    }

    /// Whether clients of other machines may come, as far as the rights of the pipe let them. They
    /// may not unless this is called. Of a client it says nothing.
    #[doc(alias = "PIPE_ACCEPT_REMOTE_CLIENTS", alias = "PIPE_REJECT_REMOTE_CLIENTS")]
    pub fn allow_remote_clients(mut self, allow: bool) -> Self {
        self.remote_clients = allow;
        self
    }

    /// How many bytes the system keeps that were written and not read, from the client to the
    /// server (`inbound`) and from the server to the client. A write beyond that stays pending
    /// until the other end has read. Of a client it says nothing.
    #[doc(alias = "nInBufferSize", alias = "nOutBufferSize")]
    pub fn buffer_sizes(mut self, inbound: u32, outbound: u32) -> Self {
        self.buffer_sizes = (inbound, outbound);
        self
    }

    pub(super) fn reads(&self) -> bool {
        !matches!(self.direction, Direction::Outbound)
    }

    /// The second argument of `CreateNamedPipeW`.
    pub(super) fn open_mode(&self) -> DWORD {
        let direction = match self.direction {
            Direction::Both => PIPE_ACCESS_DUPLEX,
            Direction::Inbound => PIPE_ACCESS_INBOUND,
            Direction::Outbound => PIPE_ACCESS_OUTBOUND,
        };
        let first = if self.first_instance { FILE_FLAG_FIRST_PIPE_INSTANCE } else { 0 };
        direction | first | FILE_FLAG_OVERLAPPED
    }

    /// The third.
    pub(super) fn pipe_mode(&self) -> DWORD {
        let messages = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE;
        let kind = if self.messages { messages } else { PIPE_TYPE_BYTE | PIPE_READMODE_BYTE };
        let remote = if self.remote_clients {
            PIPE_ACCEPT_REMOTE_CLIENTS
        } else {
            PIPE_REJECT_REMOTE_CLIENTS
        };
        kind | remote | PIPE_WAIT
    }

    pub(super) fn instances(&self) -> DWORD {
        self.max_instances
    }

    /// The rights that a client asks for. To read messages takes the right to say so.
    pub(super) fn client_access(&self) -> DWORD {
        match self.direction {
            Direction::Both => GENERIC_READ | GENERIC_WRITE,
            Direction::Inbound if self.messages => GENERIC_READ | FILE_WRITE_ATTRIBUTES,
            Direction::Inbound => GENERIC_READ,
            Direction::Outbound => GENERIC_WRITE,
        }
    }
}

impl Default for PipeOptions {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Wine does not look at is told to the system all the same.
    #[test]
    fn the_system_is_told_what_was_chosen() {
        let plain = PipeOptions::default();
        assert_eq!(plain.open_mode(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED);
        assert_eq!(plain.pipe_mode(), PIPE_REJECT_REMOTE_CLIENTS);
        assert_eq!((plain.instances(), plain.buffer_sizes), (255, (65_536, 65_536)));

        let first = PipeOptions::new().inbound().first_instance(true);
        let expected = PIPE_ACCESS_INBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE | FILE_FLAG_OVERLAPPED;
        assert_eq!(first.open_mode(), expected);
        let both = first.outbound().duplex();
        assert_eq!(both.open_mode() & PIPE_ACCESS_DUPLEX, PIPE_ACCESS_DUPLEX);

        let remote = PipeOptions::new().messages().allow_remote_clients(true);
        assert_eq!(remote.pipe_mode(), PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE);
        for (asked, told) in [(0, 1), (1, 1), (254, 254), (255, 255), (1000, 255)] {
            assert_eq!(PipeOptions::new().max_instances(asked).instances(), told);
        }
    }

    #[test]
    fn a_client_asks_for_the_rights_that_it_needs() {
        let access = |options: PipeOptions| options.client_access();
        let both = GENERIC_READ | GENERIC_WRITE;
        assert_eq!(access(PipeOptions::new()), both);
        assert_eq!(access(PipeOptions::new().messages()), both);
        assert_eq!(access(PipeOptions::new().inbound()), GENERIC_READ);
        let reads_messages = GENERIC_READ | FILE_WRITE_ATTRIBUTES;
        assert_eq!(access(PipeOptions::new().inbound().messages()), reads_messages);
        assert_eq!(access(PipeOptions::new().outbound().messages()), GENERIC_WRITE);
    }
}
