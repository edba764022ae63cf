//! Of the fourth part: many connections, and what each may cost.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use overlapped::{Completion, CompletionQueue, Completions, Inline, Key, Registration, Submitted};

use crate::support::{pair, registered, within_deadline};

/// Serve twenty clients at a time on one thread: each gets back what it has sent.
#[test]
fn serve_twenty_clients_on_one_thread() -> io::Result<()> {
    within_deadline(|| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let clients: Vec<_> = (0..20)
            .map(|number| thread::spawn(move || talk(TcpStream::connect(address)?, number)))
            .collect();
        serve(listener, 20)?;
        for client in clients {
            client.join().expect("a client does not panic")?;
        }
        Ok(())
    })
}

fn talk(mut stream: TcpStream, number: usize) -> io::Result<()> {
    let question = format!("this is number {number}").repeat(1000);
    let mut answer = String::new();
    let mut writing = stream.try_clone()?;
    let text = question.clone();
    let writer = thread::spawn(move || {
        writing.write_all(text.as_bytes())?;
        writing.shutdown(Shutdown::Write)
    });
    stream.read_to_string(&mut answer)?;
    writer.join().expect("writing does not panic")?;
    assert_eq!(answer, question);
    Ok(())
}

/// The key of a connection is its place in the list; the listener has one that is none of these.
fn serve(listener: TcpListener, clients: usize) -> io::Result<()> {
    const LISTENER: Key = Key(usize::MAX);
    let queue = CompletionQueue::new()?;
    let listener = queue.register(listener, LISTENER)?;
    listener.accept()?;
    let mut streams: Vec<Option<Registration<TcpStream>>> = Vec::new();
    let (mut batch, mut ended) = (Completions::with_capacity(64), 0);
    while ended < clients {
        for completion in queue.wait(&mut batch, None)? {
            let key = completion.key().unwrap_or(LISTENER);
            match completion {
                Completion::Accepted { result, .. } => {
                    let stream = queue.register(result?.0, Key(streams.len()))?;
                    stream.receive(Vec::with_capacity(512))?;
                    streams.push(Some(stream));
                    listener.accept()?;
                }
                Completion::Received { result: Ok(0), .. } => {
                    streams[key.0] = None; // everything has been sent: one goes after the other
                    ended += 1;
                }
                Completion::Received { buffer, result, .. } => {
                    result?;
                    let stream = streams[key.0].as_ref().expect("it is open");
                    stream.send(buffer)?;
                }
                Completion::Sent { mut buffer, result, .. } => {
                    result?;
                    buffer.clear();
                    streams[key.0].as_ref().expect("it is open").receive(buffer)?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Send a thousand messages to a client that is slow, with never more than four in flight.
#[test]
fn have_four_sends_in_flight_and_no_more() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let (stream, mut peer) = registered(&queue, Key(1));
        let reader = thread::spawn(move || {
            let mut all = Vec::new();
            peer.read_to_end(&mut all).map(|_| all)
        });

        let mut waiting: VecDeque<_> = (0..1000).map(|number| vec![number as u8; 4096]).collect();
        let mut batch = Completions::with_capacity(4);
        let (mut in_flight, mut most) = (0, 0);
        loop {
            while in_flight < 4 && !waiting.is_empty() {
                stream.send(waiting.pop_front().expect("there is one"))?;
                in_flight += 1;
            }
            most = most.max(queue.in_flight());
            if in_flight == 0 {
                break;
            }
            for completion in queue.wait(&mut batch, None)? {
                let Completion::Sent { result, .. } = completion else { continue };
                result?;
                in_flight -= 1;
            }
        }
        stream.shutdown(Shutdown::Write)?;

        let all = reader.join().expect("reading does not panic")?;
        let right = all.chunks(4096).enumerate().all(|(number, message)| {
            message.len() == 4096 && message.iter().all(|byte| *byte == number as u8)
        });
        assert!(right && all.len() == 1000 * 4096, "{} bytes", all.len());
        assert!(most <= 4, "{most} in flight");
        Ok(())
    })
}

/// Keep fifty connections idle with no buffer at all, and serve each that speaks with the same one.
#[test]
fn keep_fifty_idle_connections_with_one_buffer() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let mut connections: Vec<_> = (0..50).map(|place| registered(&queue, Key(place))).collect();
        for (stream, _) in &connections {
            stream.readable()?;
        }

        let mut buffer = Some(Vec::with_capacity(64));
        let memory = buffer.as_ref().map(|buffer| buffer.as_ptr());
        let mut batch = Completions::with_capacity(8);
        for place in [7, 31, 7, 49] {
            connections[place].1.write_all(b"!")?;
            let readable = queue.wait(&mut batch, None)?.next();
            let Some(Completion::Readable { key, result: Ok(()), .. }) = readable else {
                panic!("{readable:?}")
            };
            assert_eq!(key, Key(place));
            connections[place].0.receive(buffer.take().expect("it is back"))?;
            let received = queue.wait(&mut batch, None)?.next();
            let Some(Completion::Received { buffer: mut back, result: Ok(1), .. }) = received
            else {
                panic!("{received:?}")
            };
            back.clear();
            buffer = Some(back);
            connections[place].0.readable()?;
        }
        assert_eq!(buffer.map(|buffer| buffer.as_ptr()), memory);
        Ok(())
    })
}

/// How many bytes a stream may receive before others have their turn.
const TURN: usize = 3;

/// Receive what is there already without packets, and let others have their turn after three.
#[test]
fn take_turns_with_a_stream_that_is_never_empty() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let (near, mut peer) = pair();
        let stream = queue.register(near, Key(1))?.inline()?;
        peer.write_all(&[b'.'; 100])?;
        peer.shutdown(Shutdown::Write)?;
        queue.post(Key(2), 0)?; // somebody else who wants a turn

        let mut batch = Completions::with_capacity(4);
        if let Submitted::Done(first) = stream.receive(Vec::with_capacity(1))? {
            batch.push(first);
        }
        let (mut bytes, mut before_the_other, mut ended) = (0, None, false);
        while !ended {
            queue.wait(&mut batch, None)?;
            while let Some(completion) = batch.next() {
                match completion {
                    Completion::Posted { .. } => before_the_other = Some(bytes),
                    received => ended = turn(&stream, received, &mut batch, &mut bytes)?,
                }
            }
        }
        assert_eq!(bytes, 100);
        assert!(before_the_other.is_some_and(|before| before <= 2 * TURN), "{before_the_other:?}");
        Ok(())
    })
}

/// One turn of a stream. Returns whether the stream has ended.
fn turn(
    stream: &Registration<TcpStream, Vec<u8>, Inline>,
    mut completion: Completion,
    batch: &mut Completions,
    bytes: &mut usize,
) -> io::Result<bool> {
    for left in (0..TURN).rev() {
        let Completion::Received { mut buffer, result, .. } = completion else {
            panic!("{completion:?}")
        };
        match result? {
            0 => return Ok(true),
            count => *bytes += count,
        }
        buffer.clear();
        match stream.receive(buffer)? {
            Submitted::Pending(_) => break,
            Submitted::Done(next) if left == 0 => {
                batch.push(next); // the next wait brings it, behind what has come for others
                break;
            }
            Submitted::Done(next) => completion = next,
        }
    }
    Ok(false)
}
