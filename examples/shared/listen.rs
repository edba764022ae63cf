//! What is said when a server cannot listen.

use std::io::{self, ErrorKind};

/// The error as a sentence. Wine 8 has no words for the errors of sockets, so the reasons that are
/// the most frequent stand here.
pub fn cannot_listen(address: &str, error: &io::Error) -> io::Error {
    let reason = match error.kind() {
        ErrorKind::AddrInUse => " (it is in use)",
        ErrorKind::AddrNotAvailable => " (no address of this machine)",
        ErrorKind::PermissionDenied => " (it is not allowed)",
        _ => "",
    };
    io::Error::new(error.kind(), format!("cannot listen on {address}{reason}: {error}"))
}
