//! Winsock itself: when it is there, and how its sockets are made.
#![allow(unsafe_code, reason = "it makes a socket where that must fail")]

use std::net::UdpSocket;
use std::ptr::null;

use overlapped::ffi;
use overlapped::ffi::constants::{
    AF_INET, INVALID_SOCKET, IPPROTO_TCP, SOCK_STREAM, WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED, WSANOTINITIALISED,
};

use super::alone::alone;
use super::kernel::{Port, handle_of};
use super::start::{is_inherited, socket};

/// (55) A socket is made for a port and kept from the programs that this one starts by two flags,
/// at once: to take inheritance away later would leave a moment in which another thread starts one.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasocketw>
#[test]
fn a_socket_is_made_overlapped_and_not_inherited() {
    let made = socket(WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    Port::new().associate(handle_of(&made), 7);
    assert!(!is_inherited(handle_of(&made)));
    println!("without the flag: {}", is_inherited(handle_of(&socket(WSA_FLAG_OVERLAPPED))));
}

/// (62) Nobody can make a socket before Winsock was started, which Rust's std does before it makes
/// its first.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock/nf-winsock-wsastartup>
#[test]
fn std_starts_winsock_before_its_first_socket() {
    alone("winsock::std_starts_winsock_before_its_first_socket", || {
        let family = AF_INET.into();
        let make = || {
            // SAFETY: without a description of the protocol the call touches no memory of ours.
            unsafe {
                ffi::ws2_32::WSASocketW(
                    family,
                    SOCK_STREAM,
                    IPPROTO_TCP,
                    null(),
                    0,
                    WSA_FLAG_OVERLAPPED,
                )
            }
        };
        assert_eq!(make(), INVALID_SOCKET);
        assert_eq!(ffi::ws2_32::WSAGetLastError(), WSANOTINITIALISED);
        drop(UdpSocket::bind("127.0.0.1:0").expect("a socket of std's"));
        // It is never closed, as the process ends here.
        assert_ne!(make(), INVALID_SOCKET);
    })
    .assert_fine();
}
