//! The server: one end of the pipe waits for whoever comes next, and each who has come has one.
//!
//! A message that is read from one is sent to all others. It is one piece of memory, lent once for
//! each of them.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal};
use std::sync::Arc;
use std::time::{Duration, Instant};

use overlapped::{
    Completion, CompletionQueue, Completions, Content, Either, Key, NamedPipe, PipeOptions,
    Registration, Rejected,
};

use crate::program::{complain, count, print};
use crate::{NAME, ctrl_c, stdin};

/// What is read, and what is sent to many.
type Buffer = Either<Vec<u8>, Arc<[u8]>>;
type Pipe = Registration<NamedPipe, Buffer>;

/// The longest message.
pub const LONGEST: usize = 65_536;
/// The room that a read begins with. A message that is longer comes in parts.
const ROOM: usize = 4_096;
/// Who has so many messages to read is sent away.
const MOST_UNREAD: usize = 1_000;
/// How long the end may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long until it is tried again to make an end for the next one.
const RETRY: Duration = Duration::from_secs(1);

pub fn serve(name: &str, until_stdin_ends: bool) -> Result<(), Box<dyn Error>> {
    let queue = CompletionQueue::new()?;
    ctrl_c::shuts_down(queue.waker())?;
    if until_stdin_ends {
        stdin::end_shuts_down(queue.waker())?;
    }
    let mut server = Server {
        queue: &queue,
        name,
        waiting: None,
        clients: BTreeMap::new(),
        last: 0,
        came: 0,
        ends_at: None,
        tells: io::stderr().is_terminal(),
    };
    server.listen(true)?;
    print(&format!("serving {name}\n"))?;
    server.run()?;
    let came = count(server.came, "client");
    drop(server);
    // What was pending on ends that are closed now has been cancelled, and comes back.
    let (mut batch, start) = (Completions::with_capacity(64), Instant::now());
    while queue.in_flight() > 0 && start.elapsed() < FAREWELL {
        queue.wait(&mut batch, Some(FAREWELL))?.for_each(drop);
    }
    print(&format!("served {came}; {} in flight\n", count(queue.in_flight(), "operation")))
}

struct Server<'a> {
    queue: &'a CompletionQueue<Buffer>,
    name: &'a str,
    /// The end that the next one will get, with its number.
    waiting: Option<(usize, Pipe)>,
    clients: BTreeMap<usize, Client>,
    /// The number that was given last. They are the keys, too.
    last: usize,
    /// How many have come.
    came: usize,
    /// When the server is to have ended, once it ends.
    ends_at: Option<Instant>,
    /// Whether somebody looks at stderr.
    tells: bool,
}

struct Client {
    pipe: Pipe,
    /// How many messages are on their way to it.
    unread: usize,
}

impl Server<'_> {
    fn run(&mut self) -> io::Result<()> {
        let mut batch = Completions::with_capacity(64);
        loop {
            let limit = match self.ends_at {
                Some(_) if self.clients.is_empty() => return Ok(()),
                Some(moment) => Some(moment.saturating_duration_since(Instant::now())),
                None => self.waiting.is_none().then_some(RETRY),
            };
            if limit == Some(Duration::ZERO) {
                return Ok(()); // they have had their time
            }
            for completion in self.queue.wait(&mut batch, limit)? {
                self.handle(completion);
            }
            if self.ends_at.is_none() && self.waiting.is_none() {
                // Out of memory, say. Those who are there are served, and it is tried again.
                let _ = self.listen(false);
            }
        }
    }

    fn handle(&mut self, completion: Completion<Buffer>) {
        match completion {
            Completion::ClientConnected { result, .. } => self.connected(result.is_ok()),
            Completion::Read { key: Key(number), buffer: Either::Left(buffer), result, .. } => {
                match result {
                    Ok(content) if content != Content::End => self.read(number, buffer, content),
                    // It has closed its end, or something is wrong with that.
                    _ => self.remove(number),
                }
            }
            // Who cannot be written to may have said something before: its read brings that, and
            // then the end.
            Completion::Written { key: Key(number), .. } => self.written(number),
            Completion::ShutDown => self.end(),
            _ => {}
        }
    }

    /// Makes the end that the next one will get.
    fn listen(&mut self, first: bool) -> io::Result<()> {
        let options = PipeOptions::new().messages().first_instance(first);
        let number = self.last + 1;
        let pipe = self.queue.register(NamedPipe::server(self.name, &options)?, Key(number))?;
        pipe.connect_client()?;
        self.last = number;
        self.waiting = Some((number, pipe));
        Ok(())
    }

    fn connected(&mut self, well: bool) {
        let Some((number, pipe)) = self.waiting.take() else { return };
        let begun = well && pipe.read(Either::Left(Vec::with_capacity(ROOM))).is_ok();
        if self.ends_at.is_none() && self.listen(false).is_err() {
            complain(NAME, "there is no end for the next one at the moment; trying again");
        }
        if begun {
            self.came += 1;
            self.clients.insert(number, Client { pipe, unread: 0 });
            self.tell_all(None, &format!("* somebody has come; {} here", self.are()));
        }
    }

    /// A message or a part of one has come.
    fn read(&mut self, number: usize, mut buffer: Vec<u8>, content: Content) {
        let Some(client) = self.clients.get(&number) else { return };
        let more = matches!(content, Content::Part(_));
        let message = if more {
            buffer.reserve(buffer.len());
            None
        } else {
            let message = buffer.clone();
            buffer.clear();
            Some(message)
        };
        let is_too_long = more && buffer.len() >= LONGEST;
        if is_too_long || client.pipe.read(Either::Left(buffer)).is_err() {
            self.remove(number);
        }
        if let Some(message) = message {
            self.tell(Some(number), message.into());
        }
    }

    fn written(&mut self, number: usize) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        client.unread -= 1;
        if self.ends_at.is_some() && client.unread == 0 {
            // Its end stays readable until it has read what is in it.
            self.clients.remove(&number);
        }
    }

    fn remove(&mut self, number: usize) {
        if self.clients.remove(&number).is_some() && self.ends_at.is_none() {
            self.tell_all(None, &format!("* somebody has gone; {} here", self.are()));
        }
    }

    fn are(&self) -> String {
        format!("{} {}", self.clients.len(), if self.clients.len() == 1 { "is" } else { "are" })
    }

    /// What the server says itself.
    fn tell_all(&mut self, except: Option<usize>, text: &str) {
        if self.tells {
            eprintln!("{text}");
        }
        self.tell(except, text.as_bytes().into());
    }

    /// Sends a message to all but one. Who has closed its end is not removed by this, for it may
    /// have said something before. Who cannot be sent anything for another reason is, and that is
    /// told, too.
    fn tell(&mut self, except: Option<usize>, message: Arc<[u8]>) {
        let others = self.clients.iter_mut().filter(|(number, _)| Some(**number) != except);
        let gone = others.filter_map(|(number, client)| {
            let sent = client.pipe.write(Either::Right(Arc::clone(&message)));
            client.unread += usize::from(sent.is_ok());
            let closed = |rejected: Rejected<_>| rejected.error.kind() == ErrorKind::BrokenPipe;
            let stays = client.unread <= MOST_UNREAD && sent.map_or_else(closed, |_| true);
            (!stays).then_some(*number)
        });
        for number in gone.collect::<Vec<_>>() {
            self.remove(number);
        }
    }

    fn end(&mut self) {
        self.waiting = None;
        self.ends_at = Some(Instant::now() + FAREWELL);
        self.tell_all(None, "* the chat has ended");
        self.clients.retain(|_, client| client.unread > 0);
    }
}
