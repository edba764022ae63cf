//! A connection that is being made: the address that it goes to.

#![cfg(windows)]

use std::io;
use std::os::windows::io::BorrowedSocket;
use std::sync::Arc;

use super::super::ffi::constants::SO_UPDATE_CONNECT_CONTEXT;
use super::super::ffi::types::SOCKET;
use super::{Finish, RawAddress, set_option};

/// A connect in flight. The address is on the heap, since connections are fewer than messages.
/// Whoever makes the call has the other reference, for as long as the call may look at it.
pub(crate) struct Connecting {
    #[allow(dead_code, reason = "it is kept, and not read")]
    pub(crate) address: Arc<RawAddress>,
}

impl Finish for Connecting {
    type Output = ();

    /// Tells the socket that it is connected now, without which it knows neither its addresses nor
    /// how to shut down.
    fn finish(self, socket: BorrowedSocket<'_>) -> io::Result<()> {
        set_option::<SOCKET>(socket, SO_UPDATE_CONNECT_CONTEXT, None)
    }
}
