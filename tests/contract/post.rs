//! `PostQueuedCompletionStatus`: packets of one's own, from any thread.

use std::ptr::null_mut;

use overlapped::ffi::constants::{ERROR_INVALID_HANDLE, FALSE};

use super::kernel::{BOGUS, Packet, Port, dequeue, post};

/// (24) A packet comes out as it went in. Nobody looks at what its parts mean, so the address need
/// not be one.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus>
#[test]
fn a_packet_comes_out_as_it_went_in() {
    let port = Port::new();
    for (count, key, operation) in [(u32::MAX, usize::MAX, usize::MAX), (0, 0, 1)] {
        port.post(count, key, operation);
        assert_eq!(port.packet(), Packet { key, operation, count });
    }
}

/// (25) Posting to what is no port is an error.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus>
#[test]
fn posting_to_what_is_no_port_fails() {
    for no_port in [BOGUS, null_mut()] {
        assert_eq!(post(no_port, 0, 0, 0), Err(ERROR_INVALID_HANDLE));
    }
}

/// (26) The port keeps what is posted until somebody comes for it, and equal packets do not merge.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus>
#[test]
fn each_post_is_a_packet_and_waits_for_its_thread() {
    let port = Port::new();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..1000).for_each(|_| port.post(0, 7, 0)));
    });
    let packets = dequeue(port.handle(), 2000, 0, FALSE).expect("packets");
    assert_eq!(packets.len(), 1000);
}
