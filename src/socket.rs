//! Sockets, below all that completes: what is made, set, asked and remembered for the calls of
//! Winsock.

mod accepting;
mod address;
mod address_room;
mod connecting;
mod datagrams;
mod extension;
mod options;

#[cfg(windows)]
pub(super) use self::{
    accepting::{ADDRESS_LEN, Accepting, AddressBuffers},
    address::{RawAddress, reachable, unspecified},
    address_room::AddressRoom,
    connecting::Connecting,
    datagrams::Datagrams,
    extension::extensions,
    options::*,
};

/// The memory of an operation that is not over when the system says so: something is left to do
/// with the socket that it was submitted on.
#[cfg(windows)]
pub(super) trait Finish {
    /// What the operation brings.
    type Output;

    fn finish(
        self,
        socket: std::os::windows::io::BorrowedSocket<'_>,
    ) -> std::io::Result<Self::Output>;
}
