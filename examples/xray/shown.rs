//! What the scenes say of an operation that is made by hand, which is called A.

use std::io;
use std::net::TcpStream;

use overlapped::ffi::ntstatus::{STATUS_CANCELLED, STATUS_PENDING, STATUS_SUCCESS};

use super::by_hand::{Entry, Lent, Operation, Port, ROOM};
use super::events::{Events, Whose};

pub const BY_HAND: &str = "by hand, with the bindings";

pub const PENDING: u32 = STATUS_PENDING as u32;
pub const SUCCESS: u32 = STATUS_SUCCESS as u32;

/// "0x103 STATUS_PENDING"
fn status(internal: u32) -> String {
    let name = match internal {
        PENDING => "STATUS_PENDING",
        SUCCESS => "STATUS_SUCCESS",
        _ if internal == STATUS_CANCELLED as u32 => "STATUS_CANCELLED",
        _ => "another status",
    };
    format!("{internal:#X} {name}").replace("0X", "0x")
}

/// An operation that the kernel has not been given.
pub fn new(events: &Events) -> Operation {
    let operation = Operation::new();
    events.say(Whose::Program, format!("OVERLAPPED A, and {ROOM} bytes of room"));
    let (internal, high) = (operation.internal(), operation.internal_high());
    events.say(Whose::Program, format!("A.Internal {internal}, A.InternalHigh {high}"));
    operation
}

/// A receive that has to wait, for nothing was sent.
pub fn pending(events: &Events, stream: &TcpStream) -> io::Result<Lent> {
    let operation = new(events);
    events.say(Whose::Kernel, "WSARecv is given both");
    let lent = operation.receive(stream)?;
    internal(events, &lent);
    Ok(lent)
}

/// To be asked while nothing can have ended the operation, so that one answer is possible.
pub fn internal(events: &Events, lent: &Lent) {
    events.say(Whose::Kernel, format!("A.Internal {}", status(lent.internal())));
}

/// Waits for the packet of A, and says what is in it.
pub fn dequeue(events: &Events, port: &Port, address: usize) -> io::Result<Entry> {
    let entry = port.dequeue()?;
    events.say(Whose::Program, "a packet is dequeued");
    let overlapped = if entry.address() == address { "A" } else { "another" };
    events.say(Whose::Program, format!("its key {}, its overlapped {overlapped}", entry.key().0));
    events.say(Whose::Program, "its Internal: reserved, not read");
    Ok(entry)
}

/// As `dequeue`, of an operation that has succeeded: only of a success a count is promised.
pub fn dequeue_success(events: &Events, port: &Port, address: usize) -> io::Result<Entry> {
    let entry = dequeue(events, port, address)?;
    events.say(Whose::Program, format!("its count {}", entry.count()));
    Ok(entry)
}

/// The end of an operation that has received something.
pub fn received(events: &Events, lent: Lent, entry: Entry) -> io::Result<()> {
    let operation = lent.take_back(entry)?;
    events.say(Whose::Program, format!("A.Internal {}", status(operation.internal())));
    events.say(Whose::Program, format!("A.InternalHigh {}", operation.internal_high()));
    let text = String::from_utf8_lossy(operation.received()).into_owned();
    events.say(Whose::Program, format!("room {text:?}"));
    Ok(())
}

/// The end of one that was cancelled.
pub fn cancelled(events: &Events, lent: Lent, entry: Entry) -> io::Result<()> {
    let operation = lent.take_back(entry)?;
    events.say(Whose::Program, format!("A.Internal {}", status(operation.internal())));
    events.say(Whose::Program, "A.InternalHigh: of a failure, not read");
    Ok(())
}
