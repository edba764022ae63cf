//! Closing a connection so that the peer sees a reset, whatever is pending on it or not.

#![allow(unsafe_code, reason = "it sets an option of a socket for which std has no stable method")]

use std::net::TcpStream;
use std::os::windows::io::AsRawSocket;

use overlapped::Registration;
use overlapped::ffi;
use overlapped::ffi::constants::SOL_SOCKET;

// From winsock2.h.
const SO_LINGER: i32 = 0x0080;

/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/ns-winsock2-linger>
#[repr(C)]
struct Linger {
    l_onoff: u16,
    l_linger: u16,
}

/// Cancels what is pending and closes the stream with a reset: it is told to linger for 0 seconds,
/// which for Windows means not to end the conversation in order.
pub fn reset(stream: Registration<TcpStream>) {
    let linger = Linger { l_onoff: 1, l_linger: 0 };
    let socket = stream.get_ref().as_raw_socket() as ffi::types::SOCKET;
    let (value, length) = ((&raw const linger).cast(), size_of::<Linger>() as i32);
    // SAFETY: the socket is open until the end of this function. The value has that length, is
    // there during the call, and names no other socket.
    let answer = unsafe { ffi::ws2_32::setsockopt(socket, SOL_SOCKET, SO_LINGER, value, length) };
    // It fails for a connection that is gone, and then there is nobody to be told.
    let _ = answer;
    drop(stream);
}
