//! A receive that waits, until another thread sends, and whose packet is dequeued by a third.

use std::io;
use std::sync::mpsc::channel;
use std::thread;

use overlapped::Completions;

use super::by_hand::Port;
use super::events::{Events, Whose};
use super::layer::{self, BY_LAYER, Layer};
use super::pair::Pair;
use super::shown::{self, BY_HAND};
use super::threads::{named, peer_sends, result};

pub fn play(events: &Events, title: &str) -> io::Result<()> {
    by_hand(events, title)?;
    by_layer(events, title)
}

fn by_hand(events: &Events, title: &str) -> io::Result<()> {
    events.part(title, BY_HAND);
    let (port, pair) = (Port::new()?, Pair::new()?);
    port.associate(&pair.stream)?;
    let lent = shown::pending(events, &pair.stream)?;
    let address = lent.address();
    let entry = thread::scope(|scope| {
        let (tell, told) = channel();
        let waiter = named(scope, "waiter", move || {
            events.say(Whose::Kernel, "waits in GetQueuedCompletionStatusEx");
            // Nobody listens any more if the other thread has failed, and is told that elsewhere.
            let _ = tell.send(());
            shown::dequeue_success(events, &port, address)
        })?;
        let _ = told.recv();
        shown::internal(events, &lent);
        peer_sends(events, Whose::Kernel, &pair.peer)?;
        result(waiter)
    })?;
    shown::received(events, lent, entry)
}

fn by_layer(events: &Events, title: &str) -> io::Result<()> {
    events.part(title, BY_LAYER);
    let Pair { stream, peer } = Pair::new()?;
    let layer = Layer::new(stream)?;
    events.say(Whose::Program, "a Vec with room");
    layer.stream.receive(Vec::with_capacity(16))?;
    events.say(Whose::Kernel, "receive(buffer) has lent it");
    layer.counts(events, Whose::Kernel);
    thread::scope(|scope| {
        let (tell, told) = channel();
        let (layer, mut batch) = (&layer, Completions::with_capacity(8));
        let waiter = named(scope, "waiter", move || {
            events.say(Whose::Kernel, "waits in CompletionQueue::wait");
            let _ = tell.send(());
            layer.wait(events, &mut batch)?;
            layer::read(layer, events, &mut batch).map(drop)
        })?;
        let _ = told.recv();
        peer_sends(events, Whose::Kernel, &peer)?;
        result(waiter)
    })
}
