//! A message goes to the peer and comes back, both ends on one port.

#![allow(unsafe_code, reason = "it follows the addresses in packets")]

use std::io;

use super::super::message::{SIZE, check, pair, set_number, wrong};
use super::connection::{Connection, Doing, Started};
use super::{Port, count_of};

pub fn queued(count: u64) -> io::Result<u64> {
    play::<false>(count)
}

pub fn inline(count: u64) -> io::Result<u64> {
    play::<true>(count)
}

/// Who counts the rounds. The other one sends back what it receives.
const FIRST: usize = 0;

struct Game<const INLINE: bool> {
    ends: [*mut Connection; 2],
    round: u64,
    count: u64,
    over: bool,
}

fn play<const INLINE: bool>(count: u64) -> io::Result<u64> {
    let mut port = Port::new()?;
    let (near, far) = pair()?;
    let ends = [
        Connection::new::<INLINE>(&port, near, FIRST)?,
        Connection::new::<INLINE>(&port, far, FIRST + 1)?,
    ];
    let mut game = Game::<INLINE> { ends, round: 1, count, over: false };
    game.begin()?;
    while !game.over {
        for entry in port.wait()? {
            // SAFETY: only operations of the two connections have packets here.
            let connection = unsafe { Connection::of(entry.lpOverlapped) };
            game.went_on(connection, count_of(entry)?)?;
        }
    }
    // SAFETY: the stream has ended, so nothing is in flight, and nothing is used after.
    drop(unsafe { Box::from_raw(game.ends[1 - FIRST]) });
    Ok(port.waits)
}

impl<const INLINE: bool> Game<INLINE> {
    fn begin(&mut self) -> io::Result<()> {
        // SAFETY: nothing is in flight on it, and there is no other reference.
        let second = unsafe { &mut *self.ends[1 - FIRST] };
        if second.receive::<INLINE>()?.is_some() {
            return Err(wrong("something has come before it was sent"));
        }
        // SAFETY: as above.
        let first = unsafe { &mut *self.ends[FIRST] };
        set_number(&mut first.buffer, self.round);
        match first.send::<INLINE>()? {
            None => Ok(()),
            Some(bytes) => self.went_on(first, bytes),
        }
    }

    /// An operation has ended, and perhaps the next one of its connection ends at once.
    fn went_on(&mut self, connection: &mut Connection, mut bytes: u32) -> io::Result<()> {
        while let Some(more) = self.next(connection, bytes)? {
            bytes = more;
        }
        Ok(())
    }

    fn next(&mut self, connection: &mut Connection, bytes: u32) -> io::Result<Started> {
        match connection.doing {
            Doing::Sending if bytes as usize != SIZE => Err(wrong("a part was sent")),
            Doing::Sending => {
                connection.filled = 0;
                connection.receive::<INLINE>()
            }
            Doing::Receiving if bytes == 0 => {
                self.over = true;
                Ok(None)
            }
            Doing::Receiving => {
                connection.filled += bytes as usize;
                if connection.filled < SIZE {
                    return connection.receive::<INLINE>();
                }
                if connection.key == FIRST && self.is_last(connection)? {
                    return Ok(None);
                }
                connection.send::<INLINE>()
            }
        }
    }

    /// A round has ended at the first end: the next begins, or it hangs up.
    fn is_last(&mut self, first: &mut Connection) -> io::Result<bool> {
        check(&first.buffer, self.round)?;
        if self.round == self.count {
            // SAFETY: nothing is in flight on this end, and the caller does nothing more with it.
            drop(unsafe { Box::from_raw(self.ends[FIRST]) });
            return Ok(true);
        }
        self.round += 1;
        set_number(&mut first.buffer, self.round);
        Ok(false)
    }
}
