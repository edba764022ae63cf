//! The questions, and what is printed of their outcomes.

use std::error::Error;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use overlapped::{CompletionQueue, Key};

use super::client::{Client, Outcome};
use super::peers;

const QUESTIONS: usize = 24;

/// Asks all peers, and says what has become of it.
pub fn ask_all() -> Result<String, Box<dyn Error>> {
    let queue = CompletionQueue::new()?;
    let mut client = Client::new(&queue);
    let (address, start) = (peers::start()?, Instant::now());
    for number in 0..QUESTIONS {
        // Who answers has far more time than it takes, so that the outcome is the same on a machine
        // that is busy. The others have the less, the later they are asked.
        let little = 400 - 100 * (number as u64 / 6);
        let (question, limit) = match number % 4 {
            1 => ("never\n", little),
            3 => ("bit by bit\n", little),
            _ => ("at once\n", 60_000),
        };
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(question.as_bytes())?;
        client.expect(stream, Key(number), start + Duration::from_millis(limit))?;
    }
    client.collect()?;

    let with = |outcome| {
        let keys = client.outcomes.iter().filter(move |(_, of)| **of == outcome);
        line(keys.map(|(key, _)| key))
    };
    Ok(format!(
        "time was up for {}\nanswered:       {}\ntimed out:      {}\nin flight:      {}\n",
        line(&client.late),
        with(Outcome::Answered),
        with(Outcome::TimedOut),
        queue.in_flight(),
    ))
}

fn line<'a>(keys: impl IntoIterator<Item = &'a Key>) -> String {
    keys.into_iter().map(|key| key.0.to_string()).collect::<Vec<_>>().join(" ")
}
