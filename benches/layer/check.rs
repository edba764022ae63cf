//! Whether both sides do their work: a few rounds of everything, with a limit to how long it may
//! take.

use std::error::Error;
use std::io;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::program;
use super::workload::{Who, Workload};

/// Rounds of each.
const FEW: u64 = 100;

/// How long the rounds of one may take. They take less than a second; this is for one that hangs,
/// since the workloads themselves wait for ever.
const DEADLINE: Duration = Duration::from_secs(60);

pub fn all() -> Result<(), Box<dyn Error>> {
    for workload in Workload::ALL {
        for who in Who::BOTH {
            let name = format!("{} {}", workload.name(), who.name());
            let waits =
                within_deadline(workload, who).map_err(|error| format!("{name}: {error}"))?;
            report(workload, who, FEW, waits)?;
        }
    }
    Ok(())
}

/// Says what was done.
pub fn report(workload: Workload, who: Who, count: u64, waits: u64) -> Result<(), Box<dyn Error>> {
    let (rounds, waits) = (program::count(count, "round"), program::count(waits, "wait"));
    let (workload, who) = (workload.name(), who.name());
    program::print(&format!("{workload} {who}: {rounds}, each as it should be, with {waits}\n"))
}

fn within_deadline(workload: Workload, who: Who) -> io::Result<u64> {
    let (sender, receiver) = channel();
    thread::spawn(move || drop(sender.send(workload.run(who, FEW, 0))));
    // The thread says nothing, too, when it panics; what the panic says is on stderr then.
    receiver.recv_timeout(DEADLINE).unwrap_or_else(|silence| {
        Err(io::Error::other(format!("no answer within {DEADLINE:?}: {silence}")))
    })
}
