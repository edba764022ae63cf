//! The scenes, by name.

use std::io;
use std::sync::Arc;

use super::events::Events;
use super::{at_once, cancelled, dropped, forged, waiting};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    Waiting,
    AtOnce,
    Cancelled,
    Dropped,
    Forged,
}

impl Scene {
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::AtOnce, Self::Cancelled, Self::Dropped, Self::Forged];

    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::AtOnce => "at-once",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
            Self::Forged => "forged",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Waiting => "a receive that waits, and is answered",
            Self::AtOnce => "a receive of what is there already",
            Self::Cancelled => "a receive that is taken back",
            Self::Dropped => "a socket closed during a receive",
            Self::Forged => "packets that no operation has sent",
        }
    }

    pub fn play(self, events: &Arc<Events>) -> io::Result<()> {
        let title = format!("{}: {}", self.name(), self.title());
        match self {
            Self::Waiting => waiting::play(events, &title),
            Self::AtOnce => at_once::play(events, &title),
            Self::Cancelled => cancelled::play(events, &title),
            Self::Dropped => dropped::play(events, &title),
            Self::Forged => forged::play(events, &title),
        }
    }
}
