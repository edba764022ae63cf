//! What closing does to others: to the peer, and to the threads that wait.
#![allow(unsafe_code, reason = "it closes a port on which a thread waits")]

use std::io::{ErrorKind, Read};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use overlapped::ffi;
use overlapped::ffi::constants::{
    ERROR_ABANDONED_WAIT_0, ERROR_INVALID_HANDLE, FALSE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT,
};

use super::alone::alone;
use super::kernel::{Port, connected, create_port, dequeue};
use super::start::pending;

/// (60) Closing a socket on which a receive is pending breaks the connection off: on Windows the
/// peer gets a reset in place of the end of the stream. (Wine sends an orderly end.)
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-closesocket>
#[test]
fn closing_with_a_receive_pending_breaks_the_connection_off() {
    let (port, near, mut far) = connected();
    let operation = pending(&near, 16);
    drop(near);
    let heard = far.read(&mut [0; 16]).map_err(|error| error.kind());
    println!("the peer has {heard:?}");
    assert!(matches!(heard, Ok(0) | Err(ErrorKind::ConnectionReset)));
    assert!(port.end(operation).status < 0);
}

/// (61) A thread that waits on a port when it is closed is woken with 735. But Wine 8 does not wake
/// it, and a thread that comes a moment too late finds no port, or, worse, another handle of the
/// same number. So threads are stopped by posting, and never by closing.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func>
#[test]
fn closing_a_port_wakes_the_threads_that_wait_on_it() {
    // Alone, where no other test can get the number of the handle.
    alone("closing::closing_a_port_wakes_the_threads_that_wait_on_it", || {
        let port = create_port(INVALID_HANDLE_VALUE, std::ptr::null_mut(), 0, 0).expect("a port");
        let (number, (sender, receiver)) = (port.addr(), channel());
        let waiter = thread::spawn(move || {
            let port = std::ptr::without_provenance_mut(number);
            sender.send(()).expect("heard");
            dequeue(port, 1, 1_000, FALSE)
        });
        receiver.recv().expect("the thread is about to wait");
        // Makes it likely that it does. If not, the answer is another of those below.
        thread::sleep(Duration::from_millis(100));
        // SAFETY: the handle is ours, nothing is in flight, and its number goes to nobody else.
        unsafe { ffi::kernel32::CloseHandle(port) };
        let answer = waiter.join().expect("the answer of the wait");
        println!("the wait ended with {answer:?}");
        let documented = Err(ERROR_ABANDONED_WAIT_0);
        assert!([documented, Err(WAIT_TIMEOUT), Err(ERROR_INVALID_HANDLE)].contains(&answer));
    })
    .assert_fine();
}

/// (61) A thread that waits is woken by a packet, whoever posts it: that is how it is stopped.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus>
#[test]
fn posting_wakes_a_thread_that_waits() {
    let port = Port::new();
    let woken = thread::scope(|scope| {
        let waiter = scope.spawn(|| port.packet());
        port.post(0, 7, 0);
        waiter.join().expect("a packet")
    });
    assert_eq!(woken.key, 7);
}
