//! A storm of futures that are dropped at any moment: before they begin, while they are pending, and
//! when they have ended. Each buffer is dropped once, and each socket closed.

use std::cell::Cell;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

use overlapped::{Key, Registration};

use crate::alone::alone;
use crate::combine::{spawn, timeout};
use crate::counted::{Counted, Drops};
use crate::executor::Executor;
use crate::handles::{LAZY_HANDLES, handles, more_handles_than};
use crate::support::start_winsock;
use crate::tcp::{V4, listening};
use crate::{poll, runs, settle};

const TASKS: u64 = 40;
const ROUNDS: usize = 6;

/// One of Marsaglia's generators.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) % limit
    }

    fn moment(&mut self) -> Duration {
        Duration::from_micros(self.below(4_000))
    }
}

/// One of those who connect and accept, send and receive, and lose patience.
struct Client {
    executor: Rc<Executor<Counted>>,
    listener: Rc<Registration<TcpListener, Counted>>,
    random: Random,
    drops: Drops,
    /// How many buffers all have made.
    made: Rc<Cell<usize>>,
}

impl Client {
    async fn run(mut self) {
        for _ in 0..ROUNDS {
            let (executor, limit) = (Rc::clone(&self.executor), self.random.moment());
            let accepts = self.random.below(2) == 0;
            let address = self.listener.get_ref().local_addr().expect("its address");
            let stream = if accepts {
                timeout(&executor, limit, executor.accept(&self.listener)).await
            } else {
                timeout(&executor, limit, executor.connect(address)).await
            };
            // It was too late, or the other one has gone before.
            let Some(Ok(stream)) = stream else { continue };
            for _ in 0..self.random.below(4) {
                let (limit, buffer) = (self.random.moment(), self.buffer(!accepts));
                if self.random.below(4) == 0 {
                    // Nobody looks whether it has ended at once.
                    let mut receive = Box::pin(executor.receive(&stream, buffer));
                    let _ = poll(&mut receive);
                } else if accepts {
                    let _ = timeout(&executor, limit, executor.receive(&stream, buffer)).await;
                } else {
                    let _ = timeout(&executor, limit, executor.send(&stream, buffer)).await;
                    let _ = timeout(&executor, limit, executor.readable(&stream)).await;
                }
            }
        }
    }

    fn buffer(&self, is_sent: bool) -> Counted {
        self.made.set(self.made.get() + 1);
        let mut buffer = self.drops.buffer();
        if is_sent {
            buffer.bytes.extend_from_slice(b"hello");
        }
        buffer
    }
}

fn storm(seed: u64) {
    runs(async move |executor: Rc<Executor<Counted>>| {
        let (listener, _) = listening(&executor.queue, Key(0), V4);
        let (listener, drops, made) = (Rc::new(listener), Drops::default(), Rc::default());
        let tasks: Vec<_> = (1..=TASKS)
            .map(|number| {
                let (executor, listener) = (Rc::clone(&executor), Rc::clone(&listener));
                let (random, made) = (Random(seed << 32 | number << 8 | 1), Rc::clone(&made));
                let client = Client { executor, listener, random, drops: drops.clone(), made };
                spawn(&client.executor.clone(), client.run())
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
        drop(listener);
        settle(&executor).await;
        assert!(made.get() > 0, "nobody has come so far");
        assert_eq!(drops.count(), made.get(), "buffers, of seed {seed}");
    });
}

#[test]
fn a_storm_of_drops_loses_no_buffer_and_no_socket() {
    // Handles are those of the whole process, so it is one of its own.
    let ended = alone("storm::a_storm_of_drops_loses_no_buffer_and_no_socket", || {
        start_winsock();
        storm(1);
        let before = handles();
        (2..=4).for_each(storm);
        let more = more_handles_than(before);
        assert!(more <= LAZY_HANDLES, "{more} handles more");
    });
    ended.assert_fine();
}
