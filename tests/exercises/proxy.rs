//! Of the last part: a proxy with deadlines, on one thread. It passes on what comes from each side to
//! the other, and gives up a pair of connections on which nothing has come or gone for a while.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Failure, Key, Registration};

use crate::support::within_deadline;

const LISTENER: Key = Key(usize::MAX);

/// The client with the key 2 n, and its upstream with the key 2 n + 1.
struct Pair {
    sides: [Registration<TcpStream>; 2],
    /// How many of the two have said all that they had to say.
    ended: usize,
    moved: Instant,
}

struct Proxy<'a> {
    queue: &'a CompletionQueue,
    listener: Registration<TcpListener>,
    upstream: SocketAddr,
    pairs: HashMap<usize, Pair>,
    begun: usize,
    /// When to look at a pair again: there is one entry for each, the earliest on top.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    patience: Duration,
    given_up: usize,
}

impl Proxy<'_> {
    /// Serves until the queue is shut down. Returns how many pairs were given up.
    fn run(mut self) -> io::Result<usize> {
        self.listener.accept()?;
        let mut batch = Completions::with_capacity(64);
        loop {
            match self.due.peek() {
                Some(Reverse((due, _))) => self.queue.wait_until(&mut batch, *due)?,
                None => self.queue.wait(&mut batch, None)?,
            };
            for completion in batch.by_ref() {
                if let Completion::ShutDown = completion {
                    return Ok(self.given_up);
                }
                self.handle(completion)?;
            }
            // After the batch: what has come in time counts, however late this thread is itself.
            self.look_at_those_due(Instant::now());
        }
    }

    fn handle(&mut self, completion: Completion) -> io::Result<()> {
        let Some(Key(key)) = completion.key() else { return Ok(()) };
        if let Completion::Accepted { result, .. } = completion {
            if let Ok((client, _)) = result {
                self.begin(client)?;
            }
            return self.listener.accept().map(drop);
        }
        // A pair that is gone is not told of any more, so it is there.
        let Some(pair) = self.pairs.get_mut(&(key / 2)) else { return Ok(()) };
        match pair.go_on(key % 2, completion) {
            Ok(()) if pair.ended < 2 => {}
            // Both have ended, or one has failed: what is dropped here is closed, and the peer of
            // a connection that has failed learns it by that.
            _ => drop(self.pairs.remove(&(key / 2))),
        }
        Ok(())
    }

    fn begin(&mut self, client: TcpStream) -> io::Result<()> {
        let pair = self.begun;
        self.begun += 1;
        let client = self.queue.register(client, Key(2 * pair))?;
        let (upstream, _) = self.queue.connect(self.upstream, Key(2 * pair + 1))?;
        let moved = Instant::now();
        self.pairs.insert(pair, Pair { sides: [client, upstream], ended: 0, moved });
        self.due.push(Reverse((moved + self.patience, pair)));
        Ok(())
    }

    fn look_at_those_due(&mut self, now: Instant) {
        while let Some(&Reverse((due, number))) = self.due.peek() {
            if due > now {
                break;
            }
            self.due.pop();
            // An entry does not move when its pair does: it is looked at once more instead.
            let Some(pair) = self.pairs.get(&number) else { continue };
            if pair.moved + self.patience > now {
                self.due.push(Reverse((pair.moved + self.patience, number)));
            } else {
                self.pairs.remove(&number);
                self.given_up += 1;
            }
        }
    }
}

impl Pair {
    fn go_on(&mut self, side: usize, completion: Completion) -> Result<(), Failure> {
        self.moved = Instant::now();
        let [this, other] = [&self.sides[side], &self.sides[1 - side]];
        match completion {
            Completion::Connected { result, .. } => {
                result?;
                for stream in [this, other] {
                    stream.receive(Vec::with_capacity(4096)).map_err(io::Error::from)?;
                }
            }
            Completion::Received { buffer, result, .. } => match result? {
                0 => {
                    other.shutdown(Shutdown::Write)?;
                    self.ended += 1;
                }
                _ => drop(other.send(buffer).map_err(io::Error::from)?),
            },
            // What was sent to this side has come from the other, which can go on.
            Completion::Sent { mut buffer, result, .. } => {
                result?;
                buffer.clear();
                other.receive(buffer).map_err(io::Error::from)?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Sends everything back, except to a client whose first byte is a `q`: that one it keeps waiting.
fn echo(mut stream: TcpStream) -> io::Result<TcpStream> {
    let mut buffer = [0; 1000];
    loop {
        match stream.read(&mut buffer)? {
            0 => return stream.shutdown(Shutdown::Write).map(|()| stream),
            _ if buffer[0] == b'q' => return Ok(stream),
            count => stream.write_all(&buffer[..count])?,
        }
    }
}

/// Write a proxy that passes on everything, and gives up connections on which nothing happens.
#[test]
fn a_proxy_with_deadlines() -> io::Result<()> {
    const PATIENCE: Duration = Duration::from_millis(1500);
    within_deadline(|| {
        let upstream = TcpListener::bind("127.0.0.1:0")?;
        let upstream_address = upstream.local_addr()?;
        let echoes = thread::spawn(move || {
            let streams = (0..4).map(|_| upstream.accept().expect("a connection").0);
            let echoes: Vec<_> =
                streams.map(|stream| thread::spawn(move || echo(stream))).collect();
            echoes.into_iter().map(|echo| echo.join().expect("no panic")).collect::<Vec<_>>()
        });

        let queue = CompletionQueue::new()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let proxy = Proxy {
            queue: &queue,
            listener: queue.register(listener, LISTENER)?,
            upstream: upstream_address,
            pairs: HashMap::new(),
            begun: 0,
            due: BinaryHeap::new(),
            patience: PATIENCE,
            given_up: 0,
        };
        let given_up = thread::scope(|scope| {
            let proxy = scope.spawn(|| proxy.run());
            let lively: Vec<_> =
                (0..3).map(|number| scope.spawn(move || talk(address, number))).collect();
            let mut quiet = TcpStream::connect(address)?;
            let start = Instant::now();
            quiet.write_all(b"quiet")?;
            // Given up, it is closed or reset; both end the reading.
            assert!(matches!(quiet.read(&mut [0; 10]), Ok(0) | Err(_)));
            assert!(start.elapsed() >= PATIENCE, "{:?}", start.elapsed());
            for client in lively {
                client.join().expect("no panic")?;
            }
            queue.shut_down()?;
            proxy.join().expect("no panic")
        })?;
        assert_eq!(given_up, 1);
        assert_eq!(echoes.join().expect("no panic").len(), 4);
        Ok(())
    })
}

/// A client that sends, ends, and gets everything back to the end.
fn talk(address: SocketAddr, number: u8) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let mut reading = stream.try_clone()?;
    let question = vec![number; 200_000];
    let reader = thread::spawn(move || {
        let mut answer = Vec::new();
        reading.read_to_end(&mut answer).map(|_| answer)
    });
    stream.write_all(&question)?;
    stream.shutdown(Shutdown::Write)?;
    assert!(reader.join().expect("no panic")? == question);
    Ok(())
}
