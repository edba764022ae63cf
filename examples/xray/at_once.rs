//! A receive of a byte that has come before. Whether it ends during its call or soon after that is
//! the system's affair. Its packet comes in both cases, and is the only thing that tells.

use std::io;
use std::net::TcpStream;

use overlapped::Completions;

use super::by_hand::Port;
use super::events::{Events, Whose};
use super::layer::{self, BY_LAYER, Layer};
use super::pair::Pair;
use super::shown::{self, BY_HAND};
use super::threads::peer_sends;

pub fn play(events: &Events, title: &str) -> io::Result<()> {
    by_hand(events, title)?;
    by_layer(events, title)
}

/// Sends a byte, and waits until it is there, without taking it.
fn send(events: &Events, pair: &Pair) -> io::Result<()> {
    peer_sends(events, Whose::Program, &pair.peer)?;
    is_there(&pair.stream)?;
    events.say(Whose::Program, "peek has seen the byte");
    Ok(())
}

fn is_there(stream: &TcpStream) -> io::Result<()> {
    stream.peek(&mut [0]).map(drop)
}

fn by_hand(events: &Events, title: &str) -> io::Result<()> {
    events.part(title, BY_HAND);
    let (port, pair) = (Port::new()?, Pair::new()?);
    port.associate(&pair.stream)?;
    send(events, &pair)?;
    let operation = shown::new(events);
    events.say(Whose::Kernel, "WSARecv is given both");
    let lent = operation.receive(&pair.stream)?;
    events.say(Whose::Kernel, "its answer, 0 or 997, changes nothing");
    let entry = shown::dequeue_success(events, &port, lent.address())?;
    shown::received(events, lent, entry)
}

fn by_layer(events: &Events, title: &str) -> io::Result<()> {
    events.part(title, BY_LAYER);
    let pair = Pair::new()?;
    send(events, &pair)?;
    let layer = Layer::new(pair.stream)?;
    events.say(Whose::Program, "a Vec with room");
    layer.stream.receive(Vec::with_capacity(16))?;
    events.say(Whose::Kernel, "receive(buffer) has lent it");
    layer.counts(events, Whose::Kernel);
    let mut batch = Completions::with_capacity(8);
    layer.wait(events, &mut batch)?;
    layer::read(&layer, events, &mut batch).map(drop)
}
