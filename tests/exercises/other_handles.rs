//! Of the fifth part: files, pipes, processes and datagrams, in the same loop.

use std::fs::File;
use std::io;
use std::net::UdpSocket;
use std::os::windows::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use overlapped::ffi::constants::FILE_FLAG_OVERLAPPED;
use overlapped::{Completion, CompletionQueue, Completions, Content, Key};

use crate::files::Folder;
use crate::spawn::spawned;
use crate::support::within_deadline;

/// Read a file in four blocks at the same time, and put them together by their ids.
#[test]
fn read_four_blocks_at_the_same_time() -> io::Result<()> {
    const BLOCK: usize = 1000;
    within_deadline(|| {
        let folder = Folder::new();
        let text: Vec<u8> = (0..3500).map(|place| place as u8).collect();
        let path = folder.file(&text);
        let file = File::options().read(true).custom_flags(FILE_FLAG_OVERLAPPED).open(path)?;

        let queue = CompletionQueue::new()?;
        let file = queue.register(file, Key(1))?;
        let mut blocks = Vec::new();
        for offset in (0..4).map(|block| (block * BLOCK) as u64) {
            blocks.push((file.read_at(offset, Vec::with_capacity(BLOCK))?, Vec::new()));
        }
        let (mut batch, mut left) = (Completions::with_capacity(4), 4);
        while left > 0 {
            for completion in queue.wait(&mut batch, None)? {
                let Completion::Read { id, buffer, result, .. } = completion else { continue };
                result?;
                let block = blocks.iter_mut().find(|(block, _)| *block == id);
                block.expect("one of the four").1 = buffer;
                left -= 1;
            }
        }
        let all: Vec<u8> = blocks.into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert!(all == text, "{} of {} bytes", all.len(), text.len());
        Ok(())
    })
}

/// Run a program, and learn in one loop what it prints and with which status it ends.
#[test]
#[allow(clippy::zombie_processes, reason = "an error on the way fails the test")]
fn hear_what_a_child_prints_and_how_it_ends() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let mut command = Command::new("cmd");
        command.args(["/c", "echo done& exit 7"]).stdout(Stdio::piped());
        let mut child = spawned(&mut command);
        let stdout = child.stdout.take().expect("it is piped");
        let stdout = queue.register(stdout, Key(1))?;
        stdout.read(Vec::with_capacity(64))?;
        let _process = queue.watch(&child, Key(2))?;

        let (mut printed, mut status) = (None, None);
        let mut batch = Completions::with_capacity(4);
        while printed.is_none() || status.is_none() {
            for completion in queue.wait(&mut batch, None)? {
                match completion {
                    Completion::Read { buffer, result, .. } => match result? {
                        Content::End => printed = Some(buffer),
                        _ => drop(stdout.read(buffer)?), // there may be more
                    },
                    Completion::Signalled { result, .. } => {
                        result?;
                        status = child.wait()?.code(); // it has ended, so this does not wait
                    }
                    _ => {}
                }
            }
        }
        assert_eq!((printed.as_deref(), status), (Some(&b"done\r\n"[..]), Some(7)));
        Ok(())
    })
}

/// Ask a question by a datagram until somebody answers it: the first two questions are lost.
#[test]
fn ask_again_until_there_is_an_answer() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let [client, server] = [Key(1), Key(2)].map(|key| {
            queue.register(UdpSocket::bind("127.0.0.1:0").expect("a socket"), key).expect("new")
        });
        let address = server.get_ref().local_addr()?;
        client.receive_from(Vec::with_capacity(64))?;
        server.receive_from(Vec::with_capacity(64))?;

        let (mut asked, mut heard) = (0, 0);
        let (mut due, mut batch) = (Instant::now(), Completions::with_capacity(4));
        loop {
            if Instant::now() >= due {
                client.send_to(b"what is it?".to_vec(), address)?;
                asked += 1;
                due = Instant::now() + Duration::from_millis(30);
            }
            for completion in queue.wait_until(&mut batch, due)? {
                match completion {
                    Completion::ReceivedFrom { key: Key(2), mut buffer, result, .. } => {
                        let datagram = result?;
                        heard += 1;
                        if heard > 2 {
                            // The two before have come, but nobody is to know that.
                            server.send_to(b"42".to_vec(), datagram.from)?;
                        }
                        buffer.clear();
                        server.receive_from(buffer)?;
                    }
                    Completion::ReceivedFrom { buffer, result, .. } => {
                        assert_eq!((result?.from, &buffer[..]), (address, &b"42"[..]));
                        assert!(asked >= 3, "{asked} questions");
                        return Ok(());
                    }
                    _ => {}
                }
            }
        }
    })
}
