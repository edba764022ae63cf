//! Datagrams through the queue.
#![cfg(windows)]

use std::net::UdpSocket;
use std::time::Duration;

use overlapped::{Completion, CompletionQueue, Completions, Datagram, Key};

#[test]
fn a_datagram_comes_with_its_sender() -> std::io::Result<()> {
    let queue = CompletionQueue::new()?;
    let near = queue.register(UdpSocket::bind("127.0.0.1:0")?, Key(1))?;
    let far = UdpSocket::bind("127.0.0.1:0")?;
    near.receive_from(Vec::with_capacity(4))?;
    far.send_to(b"hello", near.get_ref().local_addr()?)?;
    let mut batch = Completions::with_capacity(4);
    let got = queue.wait(&mut batch, Some(Duration::from_secs(5)))?.next();
    let Some(Completion::ReceivedFrom { buffer, result, .. }) = got else { panic!("{got:?}") };
    assert_eq!(buffer, b"hell");
    assert_eq!(result?, Datagram { from: far.local_addr()?, count: 4, truncated: true });
    Ok(())
}
