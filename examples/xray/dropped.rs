//! A socket that is closed while something is received from it. Nothing is freed then: the kernel
//! has the memory until the packet is dequeued.

use std::io;
use std::sync::Arc;

use overlapped::Completions;

use super::by_hand::Port;
use super::events::{Events, Whose};
use super::layer::{self, BY_LAYER, Layer};
use super::pair::Pair;
use super::seen::Seen;
use super::shown::{self, BY_HAND, PENDING, SUCCESS};

pub fn play(events: &Arc<Events>, title: &str) -> io::Result<()> {
    by_hand(events, title)?;
    by_layer(events, title)
}

fn by_hand(events: &Events, title: &str) -> io::Result<()> {
    events.part(title, BY_HAND);
    let (port, pair) = (Port::new()?, Pair::new()?);
    port.associate(&pair.stream)?;
    let lent = shown::pending(events, &pair.stream)?;
    drop(pair.stream);
    events.say(Whose::Kernel, "the socket is closed, A stays");
    let entry = shown::dequeue(events, &port, lent.address())?;
    let operation = lent.take_back(entry)?;
    // Which failure it is depends on the system.
    if matches!(operation.internal(), PENDING | SUCCESS) {
        return Err(io::Error::other("a receive has not failed although its socket was closed"));
    }
    events.say(Whose::Program, "A.Internal is the status of a failure");
    drop(operation);
    events.say(Whose::Nobody, "A and its room are freed");
    Ok(())
}

fn by_layer(events: &Arc<Events>, title: &str) -> io::Result<()> {
    events.part(title, BY_LAYER);
    let Pair { stream, peer: _peer } = Pair::new()?;
    let layer = Layer::new(stream)?;
    let buffer = Seen::with_capacity(16, events);
    events.say(Whose::Program, "a buffer that says when it is dropped");
    layer.stream.receive(buffer)?;
    events.say(Whose::Kernel, "receive(buffer) has lent it");
    layer.counts(events, Whose::Kernel);
    let Layer { stream, queue } = layer;
    drop(stream);
    events.say(Whose::Kernel, "the registration is dropped");
    events.say(Whose::Kernel, format!("in_flight: queue {}", queue.in_flight()));
    let mut batch = Completions::with_capacity(8);
    layer::wait(&queue, &mut batch)?;
    events.say(Whose::Table, "wait has dequeued the packet");
    events.say(Whose::Table, format!("in_flight: queue {}", queue.in_flight()));
    if batch.next().is_some() {
        return Err(io::Error::other("a completion has come of a registration that is dropped"));
    }
    events.say(Whose::Nobody, "the batch had nothing to give out");
    Ok(())
}
