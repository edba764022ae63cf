//! A receive that is taken back. To cancel is to ask: the memory stays the kernel's until the
//! packet is dequeued.

use std::io;

use overlapped::Completions;

use super::by_hand::Port;
use super::events::{Events, Whose};
use super::layer::{self, BY_LAYER, Layer};
use super::pair::Pair;
use super::shown::{self, BY_HAND};

pub fn play(events: &Events, title: &str) -> io::Result<()> {
    by_hand(events, title)?;
    by_layer(events, title)
}

fn by_hand(events: &Events, title: &str) -> io::Result<()> {
    events.part(title, BY_HAND);
    let (port, pair) = (Port::new()?, Pair::new()?);
    port.associate(&pair.stream)?;
    let lent = shown::pending(events, &pair.stream)?;
    lent.cancel(&pair.stream)?;
    events.say(Whose::Kernel, "CancelIoEx has returned");
    let entry = shown::dequeue(events, &port, lent.address())?;
    shown::cancelled(events, lent, entry)
}

fn by_layer(events: &Events, title: &str) -> io::Result<()> {
    events.part(title, BY_LAYER);
    let Pair { stream, peer: _peer } = Pair::new()?;
    let layer = Layer::new(stream)?;
    events.say(Whose::Program, "a Vec with room");
    let id = layer.stream.receive(Vec::with_capacity(16))?;
    events.say(Whose::Kernel, "receive(buffer) has lent it");
    let asked = layer.stream.cancel(id)?;
    events.say(Whose::Kernel, format!("cancel(id) has returned {asked}"));
    layer.counts(events, Whose::Kernel);
    let mut batch = Completions::with_capacity(8);
    layer.wait(events, &mut batch)?;
    layer::read(&layer, events, &mut batch)?;
    let asked = layer.stream.cancel(id)?;
    events.say(Whose::Program, format!("cancel(id) returns {asked}: it is over"));
    Ok(())
}
