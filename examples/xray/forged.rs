//! Packets that were posted with the address of an operation of somebody else, with an address
//! where nothing is, and with none. The queue compares addresses, and reads through none of these.

#![allow(unsafe_code, reason = "it posts packets with addresses that are lies")]

use std::io;
use std::ptr::without_provenance_mut;

use overlapped::{Completion, CompletionQueue, Completions};

use super::by_hand::{Lent, Port};
use super::events::{Events, Whose};
use super::layer::{self, BY_LAYER, KEY, Layer};
use super::pair::Pair;
use super::shown;
use super::threads::{nothing_came, peer_sends};

/// More than anybody has room for.
const COUNT: u32 = 1000;

/// An address where nothing is: the first 64 KiB are never given to a program.
const NOWHERE: usize = 64;

pub fn play(events: &Events, title: &str) -> io::Result<()> {
    events.part(title, "by hand, on a port of its own");
    let (port, pair) = (Port::new()?, Pair::new()?);
    port.associate(&pair.stream)?;
    let lent = shown::pending(events, &pair.stream)?;

    by_layer(events, title, &lent)?;

    events.part(title, "by hand again");
    lent.cancel(&pair.stream)?;
    events.say(Whose::Kernel, "CancelIoEx has returned");
    let entry = shown::dequeue(events, &port, lent.address())?;
    shown::cancelled(events, lent, entry)
}

fn by_layer(events: &Events, title: &str, lent: &Lent) -> io::Result<()> {
    events.part(title, BY_LAYER);
    let Pair { stream, peer } = Pair::new()?;
    let layer = Layer::new(stream)?;
    layer.stream.receive(Vec::with_capacity(16))?;
    events.say(Whose::Kernel, "receive(buffer) has lent it");
    layer.counts(events, Whose::Kernel);
    let mut batch = Completions::with_capacity(8);
    for (name, address) in [("A", lent.address()), ("nowhere", NOWHERE), ("NULL", 0)] {
        post(&layer.queue, address)?;
        events.say(Whose::Kernel, format!("posted: the address {name}"));
        layer::wait(&layer.queue, &mut batch)?;
        foreign(events, &mut batch, name, address)?;
    }
    shown::internal(events, lent);
    layer.counts(events, Whose::Kernel);
    peer_sends(events, Whose::Kernel, &peer)?;
    layer.wait(events, &mut batch)?;
    layer::read(&layer, events, &mut batch).map(drop)
}

/// With the key of the registration, so that nothing but the address tells that it is a lie.
fn post(queue: &CompletionQueue, address: usize) -> io::Result<()> {
    // SAFETY: the queue alone dequeues there, and it compares an address with those of its own
    // operations before it follows it. None of the three is one of these: A is in flight on another
    // port, and in memory of its own; the others are no memory.
    unsafe { queue.port().post_overlapped(KEY, COUNT, without_provenance_mut(address)) }
}

fn foreign(events: &Events, batch: &mut Completions, name: &str, address: usize) -> io::Result<()> {
    match batch.next().ok_or_else(nothing_came)? {
        Completion::Foreign(packet) if packet.overlapped().addr() == address => {
            let (key, count) = (packet.key().0, packet.bytes());
            events.say(Whose::Kernel, format!("Foreign: key {key}, {name}, count {count}"));
            Ok(())
        }
        other => Err(io::Error::other(format!("a forged packet was taken for {other:?}"))),
    }
}
