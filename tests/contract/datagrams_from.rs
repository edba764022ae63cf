//! `WSARecvFrom` and `WSASendTo`: datagrams with an address, which is written when the datagram
//! comes.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::ptr::null_mut;

use overlapped::ffi;
use overlapped::ffi::constants::{
    AF_INET, AF_INET6, FALSE, IPPROTO_IPV6, IPV6_V6ONLY, SIO_UDP_CONNRESET, SO_MAX_MSG_SIZE,
    SO_RCVBUF, SOL_SOCKET, WSAEACCES, WSAEADDRNOTAVAIL, WSAEAFNOSUPPORT, WSAECONNRESET, WSAEFAULT,
    WSAEINVAL, WSAEMSGSIZE, WSAENOTCONN, WSAEOPNOTSUPP,
};
use overlapped::ffi::ntstatus::{STATUS_BUFFER_OVERFLOW, STATUS_CANCELLED, STATUS_SUCCESS};
use overlapped::ffi::types::BOOL;

use super::addressed::{Name, Receive, bound, on_a_port, receive_from, send_to, unbound};
use super::kernel::{Answer, Port, handle_of, last_error, raw};
use super::start::cancel;

/// (68, 71) A receive that waits is told who has sent when the datagram comes, and one that finds a
/// datagram too. Address and length are written when it has ended, and so are lent with it.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom>
#[test]
fn a_receive_is_told_who_has_sent() {
    for anywhere in ["127.0.0.1:0", "[::1]:0"] {
        let (port, near, address) = on_a_port(anywhere);
        let far = bound(anywhere);
        let receive = Receive::pending(&near, 16);
        far.send_to(b"datagram", address).expect("sent");
        let (end, from) = receive.end(&port);
        assert_eq!((end.key, end.status, end.bytes), (7, STATUS_SUCCESS, b"datagram".to_vec()));
        assert_eq!(from, far.local_addr().expect("its address"));

        far.send_to(b"there", address).expect("sent");
        near.peek(&mut [0; 16]).expect("a datagram");
        let receive = receive_from(&near, 16);
        println!("with a datagram there: {:?}", receive.answer);
        assert!(matches!(receive.answer, Answer::AtOnce | Answer::Pending));
        let (end, from) = receive.end(&port);
        assert_eq!(end.bytes, b"there");
        assert_eq!(from, far.local_addr().expect("its address"));
        port.assert_empty();
    }
}

/// (69) Of a datagram that is cut it is told who has sent it too. The rest of it is gone.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom>
#[test]
fn of_a_datagram_that_is_cut_the_sender_is_known() {
    let (port, near, address) = on_a_port("127.0.0.1:0");
    let far = bound("127.0.0.1:0");
    let receive = Receive::pending(&near, 4);
    far.send_to(b"datagram", address).expect("sent");
    let (end, from) = receive.end(&port);
    assert_eq!((end.status, end.bytes), (STATUS_BUFFER_OVERFLOW, b"data".to_vec()));
    assert_eq!(from, far.local_addr().expect("its address"));
    far.send_to(b"next", address).expect("sent");
    assert_eq!(receive_from(&near, 16).end(&port).0.bytes, b"next");
}

/// (70) A datagram without bytes has a sender.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom>
#[test]
fn a_datagram_without_bytes_has_a_sender() {
    let (port, near, address) = on_a_port("127.0.0.1:0");
    let far = bound("127.0.0.1:0");
    let receive = Receive::pending(&near, 16);
    assert_eq!(far.send_to(b"", address).expect("sent"), 0);
    let (end, from) = receive.end(&port);
    assert_eq!((end.status, end.count), (STATUS_SUCCESS, 0));
    assert_eq!(from, far.local_addr().expect("its address"));
}

/// (72) A socket that has no address receives nothing, and says so. (Wine waits, for what never
/// comes.) Sending gives it one.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom>
#[test]
fn a_socket_without_an_address_gets_one_by_sending() {
    let (port, near) = (Port::new(), unbound(AF_INET));
    port.associate(handle_of(&near), 7);
    let Receive { operation, answer, .. } = receive_from(&near, 16);
    println!("a receive without an address: {answer:?}");
    if answer == Answer::Pending {
        assert_eq!(cancel(&near, Some(&operation)), Ok(()));
        assert_eq!(port.end(operation).status, STATUS_CANCELLED);
    } else {
        port.refused((operation, answer), &[WSAEINVAL as u32]);
    }

    let far = bound("127.0.0.1:0");
    let to = far.local_addr().expect("its address");
    assert_eq!(port.end_of(send_to(&near, b"hello", Some(to))).count, 5);
    let mut room = [0; 16];
    let (count, from) = far.recv_from(&mut room).expect("the datagram");
    assert_eq!(&room[..count], b"hello");
    let receive = receive_from(&near, 16);
    far.send_to(b"answer", from).expect("sent");
    assert_eq!(receive.end(&port).0.bytes, b"answer");
}

/// (65, 73) A datagram can be so long as the socket says, and no longer. Whether a packet follows
/// on the error differs, and the status says it: with Wine it is a warning, and one comes.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasendto>
#[test]
fn a_datagram_can_be_so_long_as_the_socket_says() {
    let (port, near, address) = on_a_port("127.0.0.1:0");
    let (mut most, mut length) = (0_i32, size_of::<i32>() as i32);
    let (socket, value) = (raw(&near), (&raw mut most).cast());
    // SAFETY: the socket is open, and there is room for the answer during the call.
    let answer =
        unsafe { ffi::ws2_32::getsockopt(socket, SOL_SOCKET, SO_MAX_MSG_SIZE, value, &mut length) };
    assert_eq!((answer, most), (0, 65507), "error {}", last_error());
    let end = port.end_of(send_to(&near, &[1; 65507], Some(address)));
    assert_eq!((end.status, end.count), (STATUS_SUCCESS, 65507));
    assert_eq!(receive_from(&near, 65507).end(&port).0.count, 65507);

    let (operation, answer) = send_to(&near, &[1; 65508], Some(address));
    println!("one byte more: {answer:?}, with the status {:#010x}", operation.status());
    let Answer::Failed(error) = answer else {
        return println!("and then {:#010x}", port.end(operation).status);
    };
    assert_eq!(error, WSAEMSGSIZE);
    // A packet of the call itself is in the port before this one.
    port.post(0, 0, 0);
    let came = port.packet().operation == operation.address();
    println!("a packet came: {came}");
    let is_a_warning = operation.status() as u32 >> 30 == 2;
    assert_eq!(came, is_a_warning);
}

/// (74) An address of another family, everybody's address without the option for it, and no address
/// at all are refused. (Of the last Wine may say 10022, where 10057 is documented.)
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasendto>
#[test]
fn addresses_that_cannot_be_sent_to_are_refused() {
    let (port, near, address) = on_a_port("127.0.0.1:0");
    let of_another_family = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
    let everybody = SocketAddrV4::new(Ipv4Addr::BROADCAST, address.port()).into();
    let families = [WSAEAFNOSUPPORT, WSAEOPNOTSUPP, WSAEFAULT, WSAEINVAL, WSAEADDRNOTAVAIL];
    let refused = port.refused(
        send_to(&near, b"!", Some(of_another_family)),
        &families.map(|error| error as u32),
    );
    println!("an address of another family: {refused}");
    port.refused(send_to(&near, b"!", Some(everybody)), &[WSAEACCES as u32]);
    let nowhere = [WSAENOTCONN as u32, WSAEINVAL as u32];
    println!("no address: {}", port.refused(send_to(&near, b"!", None), &nowhere));
}

/// (58, 75) A datagram to nobody may come back, as 10054 of a later receive, and the socket is well
/// after it. One that has been told so never hears of it; Wine ignores that, and may hear of it.
/// <https://learn.microsoft.com/en-us/windows/win32/winsock/winsock-ioctls>
#[test]
fn a_socket_is_well_after_a_datagram_to_nobody() {
    for told in [false, true] {
        let (port, near, address) = on_a_port("127.0.0.1:0");
        if told {
            println!("told not to say it: {:?}", do_not_say_resets(&near));
        }
        // A socket that has closed leaves a port that nobody has.
        let gone = bound("127.0.0.1:0").local_addr();
        port.end_of(send_to(&near, b"nobody", Some(gone.expect("its address"))));
        let far = bound("127.0.0.1:0");
        far.send_to(b"somebody", address).expect("sent");
        // No more errors can come than there were datagrams to nobody.
        let mut heard = false;
        for _ in 0..2 {
            let receive = receive_from(&near, 16);
            if let Answer::Failed(error) = receive.answer {
                println!("the call says {error}");
                assert_eq!(error, WSAECONNRESET);
                continue;
            }
            let (end, from) = receive.end_with(&port);
            if end.status != STATUS_SUCCESS {
                println!("a receive ended with {:#010x}", end.status);
                continue;
            }
            assert_eq!((end.bytes, from), (b"somebody".to_vec(), far.local_addr().ok()));
            heard = true;
            break;
        }
        assert!(heard);
    }
}

/// `WSAIoctl` with `SIO_UDP_CONNRESET`.
fn do_not_say_resets(socket: &UdpSocket) -> Result<(), i32> {
    let (no, mut count) = (FALSE, 0);
    let (value, size) = ((&raw const no).cast(), size_of::<BOOL>() as u32);
    let (socket, code) = (raw(socket), SIO_UDP_CONNRESET);
    let (output, nothing) = (null_mut(), null_mut());
    // SAFETY: the socket is open, and the value and the count are there during the call.
    let answer = unsafe {
        ffi::ws2_32::WSAIoctl(socket, code, value, size, output, 0, &mut count, nothing, None)
    };
    if answer == 0 { Ok(()) } else { Err(ffi::ws2_32::WSAGetLastError()) }
}

/// (76) A socket that is connected receives from its peer, and from nobody else.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-connect>
#[test]
fn a_connected_socket_hears_its_peer_alone() {
    let (port, near, address) = on_a_port("127.0.0.1:0");
    let [peer, other] = [(); 2].map(|()| bound("127.0.0.1:0"));
    near.connect(peer.local_addr().expect("its address")).expect("connected");
    let receive = Receive::pending(&near, 16);
    other.send_to(b"other", address).expect("sent");
    peer.send_to(b"peer", address).expect("sent");
    let (end, from) = receive.end(&port);
    assert_eq!((end.bytes, from), (b"peer".to_vec(), peer.local_addr().expect("its address")));
    assert_eq!(port.end_of(send_to(&near, b"to the peer", None)).count, 11);
    let mut room = [0; 16];
    assert_eq!(peer.recv(&mut room).expect("the datagram"), 11);
}

/// (77) Receives that wait are filled in the order in which they were started.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom>
#[test]
fn pending_receives_are_filled_in_their_order() {
    let (port, near, address) = on_a_port("127.0.0.1:0");
    let far = bound("127.0.0.1:0");
    let receives = [(); 3].map(|()| Receive::pending(&near, 16));
    for bytes in [b"1st", b"2nd", b"3rd"] {
        far.send_to(bytes, address).expect("sent");
    }
    let filled = receives.map(|receive| receive.end(&port).0.bytes);
    assert_eq!(filled.map(Vec::from), [b"1st", b"2nd", b"3rd"].map(Vec::from));
}

/// (77) Who sends never learns that nobody has room: datagrams that do not fit vanish. How many fit
/// is the receiver's.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasendto>
#[test]
fn datagrams_that_nobody_has_room_for_vanish() {
    const SENT: usize = 300;
    let (port, near, _) = on_a_port("127.0.0.1:0");
    let far = bound("127.0.0.1:0");
    let (size, socket) = (4096_i32, raw(&far));
    let (value, length) = ((&raw const size).cast(), size_of::<i32>() as i32);
    // SAFETY: the socket is open, and the value is there during the call.
    let answer = unsafe { ffi::ws2_32::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, value, length) };
    assert_eq!(answer, 0, "error {}", last_error());
    for _ in 0..SENT {
        let to = far.local_addr().expect("its address");
        let end = port.end_of(send_to(&near, &[1; 1000], Some(to)));
        assert_eq!((end.status, end.count), (STATUS_SUCCESS, 1000));
    }
    far.set_nonblocking(true).expect("the mode");
    let received = (0..=SENT).take_while(|_| far.recv(&mut [0; 1000]).is_ok()).count();
    println!("of {SENT} datagrams {received} have arrived");
    assert!(received <= SENT);
}

/// (78) A socket of IPv6 that is told so takes IPv4 too, under addresses of IPv6, and answers
/// there.
/// <https://learn.microsoft.com/en-us/windows/win32/winsock/dual-stack-sockets>
#[test]
fn a_socket_of_both_families_answers_both() {
    let (port, near, no) = (Port::new(), unbound(AF_INET6), FALSE);
    let (socket, value, size) = (raw(&near), (&raw const no).cast(), size_of::<BOOL>() as i32);
    // SAFETY: the socket is open, and the value is there during the call.
    let answer = unsafe { ffi::ws2_32::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, value, size) };
    assert_eq!(answer, 0, "error {}", last_error());
    let name = Name::of((Ipv6Addr::UNSPECIFIED, 0).into());
    let (start, length) = ((&raw const name.bytes).cast(), name.length);
    // SAFETY: the socket is open, and the address is there during the call.
    let answer = unsafe { ffi::ws2_32::bind(socket, start, length) };
    assert_eq!(answer, 0, "error {}", last_error());
    port.associate(handle_of(&near), 7);
    let near = UdpSocket::from(near);
    let number = near.local_addr().expect("its address").port();

    let far = bound("127.0.0.1:0");
    let receive = Receive::pending(&near, 16);
    far.send_to(b"hello", (Ipv4Addr::LOCALHOST, number)).expect("sent");
    let (end, from) = receive.end(&port);
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    let sender = SocketAddr::from((mapped, far.local_addr().expect("its address").port()));
    assert_eq!((end.bytes, from), (b"hello".to_vec(), sender));
    assert_eq!(port.end_of(send_to(&near, b"answer", Some(from))).count, 6);
    assert_eq!(far.recv(&mut [0; 16]).expect("the answer"), 6);
}
