//! The client: it sends at a steady rate, and keeps books of what comes back. One thread does both.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use overlapped::{Completion, CompletionQueue, Completions, Failure, Key, Registration, Rejected};

use crate::arguments::Options;
use crate::ledger::{Label, Ledger};
use crate::times::Times;

/// How many receives are pending, and how many sends at most.
const PENDING: usize = 64;

/// How long an answer may take that is the last.
const LAST: Duration = Duration::from_secs(1);

pub struct Load<'a> {
    queue: &'a CompletionQueue,
    socket: Registration<UdpSocket>,
    target: SocketAddr,
    options: &'a Options,
    start: Instant,
    run: u64,
    /// Buffers to send, of the right size.
    to_send: Vec<Vec<u8>>,
    /// Buffers to receive into that are not lent.
    to_receive: Vec<Vec<u8>>,
    pub ledger: Ledger,
    /// How often sending or receiving has failed.
    pub errors: u64,
    /// The last of the errors that say something else than that nobody was there.
    pub trouble: Option<io::Error>,
    /// Of the errors those that say that nobody was there.
    pub unreachable: u64,
    pub times: Times,
    stopped: bool,
}

impl<'a> Load<'a> {
    pub fn new(
        queue: &'a CompletionQueue,
        target: SocketAddr,
        options: &'a Options,
    ) -> io::Result<Self> {
        let own = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = queue.register(UdpSocket::bind(own)?, Key(0))?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let pattern = |index| index as u8 ^ 0xA5;
        let datagram = (0..options.size).map(pattern).collect();
        // One byte more, so that a datagram that is longer is seen to be so.
        let room = || Vec::with_capacity(options.size + 1);
        Ok(Self {
            queue,
            socket,
            target,
            options,
            start: Instant::now(),
            run: now.map_or(0, |since| since.as_nanos() as u64),
            to_send: vec![datagram; PENDING],
            to_receive: (0..PENDING).map(|_| room()).collect(),
            ledger: Ledger::default(),
            errors: 0,
            trouble: None,
            unreachable: 0,
            times: Times::new(),
            stopped: false,
        })
    }

    /// Sends for as long as it is meant to, and waits for what is still to come.
    pub fn run(
        &mut self,
        mut print: impl FnMut(&str) -> Result<(), Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let mut batch = Completions::with_capacity(2 * PENDING);
        let (mut second, mut before) = (1, Ledger::default());
        let mut of_second = Times::new();
        while !self.stopped {
            let next = self.send_what_is_due();
            self.receive_again();
            let end_of_second = self.start + Duration::from_secs(second.into());
            for completion in self.queue.wait_until(&mut batch, next.min(end_of_second))? {
                self.handle(completion, &mut of_second);
            }
            if Instant::now() >= end_of_second {
                let line = self.line(second, &before, &of_second);
                print(&line)?;
                (before, second) = (self.ledger.clone(), second + 1);
                of_second.clear();
                self.stopped |= second > self.options.seconds;
            }
        }
        let until = Instant::now() + LAST;
        while self.ledger.lost() > 0 && Instant::now() < until {
            self.receive_again();
            for completion in self.queue.wait_until(&mut batch, until)? {
                self.handle(completion, &mut of_second);
            }
        }
        self.socket.cancel_all()?;
        let until = Instant::now() + LAST;
        while self.queue.in_flight() > 0 && Instant::now() < until {
            self.queue.wait_until(&mut batch, until)?.for_each(drop);
        }
        Ok(())
    }

    /// How long it has sent.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64().min(self.options.seconds.into())
    }

    /// Sends as many as there should have been by now. When the next one is due.
    fn send_what_is_due(&mut self) -> Instant {
        let nanoseconds = 1e9 / f64::from(self.options.rate);
        let due =
            |number: u64| self.start + Duration::from_nanos((number as f64 * nanoseconds) as u64);
        loop {
            let now = Instant::now();
            if now < due(self.ledger.sent) {
                return due(self.ledger.sent);
            }
            // When a send comes back, this is tried again.
            let Some(mut datagram) = self.to_send.pop() else { return now + LAST };
            let time = (now - self.start).as_nanos() as u64;
            Label { run: self.run, number: self.ledger.sent, time }.write(&mut datagram);
            match self.socket.send_to(datagram, self.target) {
                Ok(_) => self.ledger.sent += 1,
                Err(Rejected { error, returned, .. }) => {
                    self.failed(error);
                    self.to_send.push(returned);
                    // It may be out of something: a moment later there may be some again.
                    return now + Duration::from_millis(10);
                }
            }
        }
    }

    fn receive_again(&mut self) {
        while let Some(mut room) = self.to_receive.pop() {
            room.clear();
            if let Err(Rejected { error, returned, .. }) = self.socket.receive_from(room) {
                self.to_receive.push(returned);
                // With news about the past it is worth another try, and in any case after the wait.
                let try_again = is_unreachable(&error);
                self.failed(error);
                if !try_again {
                    return;
                }
            }
        }
    }

    fn handle(&mut self, completion: Completion, of_second: &mut Times) {
        match completion {
            Completion::Sent { buffer, result, .. } => {
                if let Err(failure) = result {
                    self.failed(failure.into());
                }
                self.to_send.push(buffer);
            }
            Completion::ReceivedFrom { buffer, result, .. } => {
                match result {
                    Ok(_) => self.came(&buffer, of_second),
                    Err(Failure::Cancelled) => {}
                    Err(failure) => self.failed(failure.into()),
                }
                self.to_receive.push(buffer);
            }
            Completion::ShutDown => self.stopped = true,
            _ => {}
        }
    }

    fn came(&mut self, datagram: &[u8], of_second: &mut Times) {
        let label = Label::read(datagram).filter(|label| label.run == self.run);
        let Some(label) = label.filter(|_| datagram.len() == self.options.size) else {
            self.ledger.strange += 1;
            return;
        };
        if self.ledger.note(label.number) {
            let now = self.start.elapsed().as_nanos() as u64;
            let took = now.saturating_sub(label.time);
            self.times.add(took);
            of_second.add(took);
        }
    }

    fn failed(&mut self, error: io::Error) {
        self.errors += 1;
        match is_unreachable(&error) {
            true => self.unreachable += 1,
            false => self.trouble = Some(error),
        }
    }

    /// What has happened in a second.
    fn line(&self, second: u32, before: &Ledger, times: &Times) -> String {
        let (sent, back) = (self.ledger.sent - before.sent, self.ledger.back - before.back);
        let rate = rate(back, self.options.size, 1.0);
        let (from, to) = (second - 1, second);
        format!("[{from:3}-{to:3} s]  {sent:6} sent  {back:6} back  {rate}  {}\n", times.text())
    }
}

/// Bits in a second, as they are written.
pub fn rate(datagrams: u64, size: usize, seconds: f64) -> String {
    let bits = (datagrams as f64) * (size as f64) * 8.0 / seconds.max(1e-3);
    match bits {
        1e9.. => format!("{:.2} Gbit/s", bits / 1e9),
        1e6.. => format!("{:.2} Mbit/s", bits / 1e6),
        _ => format!("{:.1} kbit/s", bits / 1e3),
    }
}

/// Whether it says of an earlier datagram that nobody was there. Linux, below Wine, has another
/// error for it than Windows.
fn is_unreachable(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused)
}
