//! Accepting a connection, registering it, and closing it.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use overlapped::{Completion, CompletionQueue, Completions, Key};

use super::super::message::{CAPACITY, wrong};

const LISTENER: Key = Key(1);
const STREAM: Key = Key(2);

pub fn rounds(count: u64) -> io::Result<u64> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let listener = queue.register(listener, LISTENER)?;
    let (mut batch, mut waits) = (Completions::with_capacity(CAPACITY), 0);
    for round in 1..=count {
        listener.accept()?;
        let client = TcpStream::connect(address)?;
        waits += 1;
        let Some(Completion::Accepted { key: LISTENER, result, .. }) =
            queue.wait(&mut batch, None)?.next()
        else {
            return Err(wrong("the end of the accept was expected"));
        };
        let (stream, peer) = result?;
        if peer.ip() != address.ip() || round == count && peer != client.local_addr()? {
            return Err(wrong("the peer is another than the client"));
        }
        drop(queue.register(stream, STREAM)?);
    }
    Ok(waits)
}
