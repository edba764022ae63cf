//! What a queue shares with its registrations and batches, and what lives until the last of them
//! goes.

use std::sync::Arc;

use super::control::Control;
use super::in_flight::InFlight;
use super::operation::{Operation, Owners};
use super::port::CompletionPort;

/// The heart of a queue: the operations, the port with what is told through it, and the
/// registrations.
pub(super) struct Core<B> {
    pub(super) in_flight: InFlight<Operation<B>>,
    pub(super) control: Arc<Control>,
    pub(super) owners: Owners,
}

impl<B> Core<B> {
    pub(super) fn new(port: CompletionPort) -> Self {
        let control = Arc::new(Control::new(port));
        Self { in_flight: InFlight::new(), control, owners: Owners::new() }
    }
}
