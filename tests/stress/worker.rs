//! One thread of an episode, and what it does by chance.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use overlapped::{Completion, Completions, Key, OperationId};

use super::calls::{Numbers, STRANGER};
use super::episode::World;
use super::ledger::{Facts, Kind, Tagged};
use super::link::{Link, is_a_piece, is_untouched, split};
use super::support::DEADLINE;

pub struct Worker {
    world: Arc<World>,
    numbers: Numbers,
    batch: Completions<Tagged>,
    /// Operations of late, by any link.
    recent: Vec<OperationId>,
    /// Completions that are kept, as a slow handler would.
    kept: Vec<Completion<Tagged>>,
}

impl Worker {
    pub fn new(world: Arc<World>, mut numbers: Numbers) -> Self {
        let batch = Completions::with_capacity(1 + numbers.below(64) as usize);
        Self { world, numbers, batch, recent: Vec::new(), kept: Vec::new() }
    }

    pub fn work(&mut self, steps: u64) {
        (0..steps).for_each(|_| self.step());
        self.read(usize::MAX);
    }

    /// Waits without a limit, until the queue is shut down.
    pub fn sleep(&mut self) {
        loop {
            let waited = self.world.queue.wait(&mut self.batch, None);
            waited.expect("a wait does not fail");
            if self.read(usize::MAX) {
                break;
            }
        }
    }

    /// Collects what is in flight, to the last, and what was posted.
    pub fn collect(&mut self) {
        loop {
            let waited = self.world.queue.wait(&mut self.batch, Some(DEADLINE));
            if waited.expect("a wait does not fail").is_empty() {
                break;
            }
            self.read(usize::MAX);
        }
        assert_eq!(self.world.queue.in_flight(), 0, "still with the kernel");
    }

    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// What has come out of the queue and is still kept.
    pub fn into_remains(self) -> (Completions<Tagged>, Vec<Completion<Tagged>>) {
        (self.batch, self.kept)
    }

    fn step(&mut self) {
        match self.numbers.below(100) {
            0..30 => self.wait(),
            30..55 => self.on_a_link(|link, numbers| link.receive(numbers)),
            55..60 => self.on_a_link(|link, _| link.readable()),
            60..82 => self.on_a_link(|link, numbers| link.send(numbers)),
            82..86 => self.cancel(),
            86..89 => self.hang_up(),
            89..93 => self.world.connect(),
            93..95 => self.world.accept(),
            95 => drop(self.world.waker.wake()),
            96..98 => self.world.post(),
            98 => self.drop_batch(),
            _ => self.kept.clear(),
        }
    }

    fn wait(&mut self) {
        let moment = Duration::from_micros(self.numbers.below(1_500));
        let timeout = if self.numbers.below(2) == 0 { moment } else { Duration::ZERO };
        self.world.queue.wait(&mut self.batch, Some(timeout)).expect("a wait does not fail");
        let count = if self.numbers.below(4) == 0 { 1 } else { usize::MAX };
        self.read(count);
    }

    /// Reads so many completions of the batch, and says whether one was the shutdown.
    fn read(&mut self, count: usize) -> bool {
        let mut shut_down = false;
        for _ in 0..count {
            let moment = self.world.ledger.moment();
            let Some(completion) = self.batch.next() else { break };
            shut_down |= matches!(completion, Completion::ShutDown);
            self.handle(moment, completion);
        }
        shut_down
    }

    fn handle(&mut self, moment: u64, completion: Completion<Tagged>) {
        let ledger = Arc::clone(&self.world.ledger);
        let told = |id, kind, key, tag| ledger.told(moment, id, Facts { kind, key, tag });
        match &completion {
            Completion::Received { key, id, buffer, result } => {
                told(*id, Kind::Receive, *key, Some(buffer.tag));
                let (before, came) = split(buffer, *result.as_ref().unwrap_or(&0));
                assert!(is_untouched(before), "{before:?} was there before");
                assert!(is_a_piece(came), "{came:?} is no piece of the stream");
            }
            Completion::ReceivedFrom { key, id, buffer, result } => {
                told(*id, Kind::Receive, *key, Some(buffer.tag));
                let count = result.as_ref().map_or(0, |datagram| datagram.count);
                let (before, came) = split(buffer, count);
                assert!(is_untouched(before), "{before:?} was there before");
                assert!(is_a_piece(came), "{came:?} is no datagram");
                if let Ok(datagram) = result {
                    ledger.assert_itself(*key, datagram.from);
                    assert!(!datagram.truncated || buffer.bytes.len() == buffer.bytes.capacity());
                }
            }
            Completion::Readable { key, id, .. } => told(*id, Kind::Readable, *key, None),
            Completion::Sent { key, id, buffer, count, result } => {
                told(*id, Kind::Send, *key, Some(buffer.tag));
                assert!(is_a_piece(&buffer.bytes) && *count <= buffer.bytes.len());
                assert!(result.is_err() || *count == buffer.bytes.len());
            }
            Completion::Accepted { key, id, .. } => told(*id, Kind::Accept, *key, None),
            Completion::Connected { key, .. } => ledger.assert_not_gone(moment, *key),
            Completion::Posted { key: Key(usize::MAX), value } => ledger.arrived(*value),
            Completion::Foreign(packet) if packet.key() == Key(STRANGER) => {
                ledger.strangers.fetch_add(1, SeqCst);
            }
            Completion::Woken | Completion::ShutDown => {}
            other => panic!("nobody has caused this: {other:?}"),
        }
        match completion {
            Completion::Accepted { result: Ok((stream, _)), .. } => self.world.register(stream),
            kept if self.numbers.below(8) == 0 => self.kept.push(kept),
            _ => {}
        }
    }

    fn on_a_link(
        &mut self,
        act: impl FnOnce(&Link, &mut Numbers) -> Option<(OperationId, Option<Completion<Tagged>>)>,
    ) {
        let Some(link) = self.world.a_link(&mut self.numbers) else { return };
        let Some((id, done)) = act(&link, &mut self.numbers) else { return };
        if self.recent.len() > 20 {
            self.recent.clear();
        }
        self.recent.push(id);
        if let Some(completion) = done {
            // It was there before `link` could go.
            self.handle(0, completion);
        }
    }

    fn cancel(&mut self) {
        let Some(link) = self.world.a_link(&mut self.numbers) else { return };
        match self.recent.pop() {
            Some(id) if self.numbers.below(4) > 0 => link.cancel(id),
            _ => link.cancel_all(),
        }
    }

    fn hang_up(&mut self) {
        drop(self.world.take_a_link(&mut self.numbers));
    }

    fn drop_batch(&mut self) {
        let room = 1 + self.numbers.below(64) as usize;
        let batch = std::mem::replace(&mut self.batch, Completions::with_capacity(room));
        self.world.ledger.dropped.fetch_add(batch.len() as u64, SeqCst);
    }
}
