//! Many connections, whose completions come out of the queue together.

use std::io;
use std::net::TcpStream;

use overlapped::{Completion, CompletionQueue, Completions, Key, Registration};

use super::super::message::{CAPACITY, MANY, SIZE, check, message, pair, set_number, wrong};

struct Game {
    queue: CompletionQueue,
    batch: Completions,
    waits: u64,
    senders: Vec<End>,
    receivers: Vec<End>,
}

/// One end of a connection, and its buffer while it does nothing.
struct End {
    stream: Registration<TcpStream>,
    idle: Vec<u8>,
}

pub fn rounds(count: u64) -> io::Result<u64> {
    let (queue, batch) = (CompletionQueue::new()?, Completions::with_capacity(CAPACITY));
    let (mut senders, mut receivers) = (Vec::with_capacity(MANY), Vec::with_capacity(MANY));
    for key in (0..MANY).map(Key) {
        let (near, far) = pair()?;
        senders.push(End { stream: queue.register(near, key)?, idle: message().to_vec() });
        receivers.push(End { stream: queue.register(far, key)?, idle: message().to_vec() });
    }
    let mut game = Game { queue, batch, waits: 0, senders, receivers };
    for round in 1..=count {
        game.send_all(round)?;
        game.receive_all(round)?;
    }
    Ok(game.waits)
}

impl Game {
    fn send_all(&mut self, round: u64) -> io::Result<()> {
        for sender in &mut self.senders {
            let mut buffer = std::mem::take(&mut sender.idle);
            set_number(&mut buffer, round);
            sender.stream.send(buffer)?;
        }
        let mut sent = 0;
        while sent < MANY {
            self.waits += 1;
            for completion in self.queue.wait(&mut self.batch, None)? {
                let Completion::Sent { key, buffer, count: SIZE, result: Ok(()), .. } = completion
                else {
                    return Err(wrong("a part was sent"));
                };
                self.senders[key.0].idle = buffer;
                sent += 1;
            }
        }
        Ok(())
    }

    /// Everything has been sent, so in most cases every receive finds its message.
    fn receive_all(&mut self, round: u64) -> io::Result<()> {
        for receiver in &mut self.receivers {
            let mut buffer = std::mem::take(&mut receiver.idle);
            buffer.clear();
            receiver.stream.receive(buffer)?;
        }
        let mut received = 0;
        while received < MANY {
            self.waits += 1;
            for completion in self.queue.wait(&mut self.batch, None)? {
                let Completion::Received { key, buffer, result: Ok(1..), .. } = completion else {
                    return Err(wrong("a stream has ended before its message"));
                };
                let receiver = &mut self.receivers[key.0];
                if buffer.len() < SIZE {
                    receiver.stream.receive(buffer)?;
                    continue;
                }
                check(&buffer, round)?;
                receiver.idle = buffer;
                received += 1;
            }
        }
        Ok(())
    }
}
