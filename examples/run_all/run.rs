//! The loop in which it all comes together: bytes of two pipes for each command, the end of each
//! command, what the job tells, and Ctrl-C.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::{Child, ChildStderr, ChildStdout, ExitStatus};
use std::time::{Duration, Instant};

use overlapped::{
    Completion, CompletionQueue, Completions, Content, Failure, Job, JobMessage, Key, Registration,
    Watched,
};

use crate::NAME;
use crate::arguments::Options;
use crate::commands::Command;
use crate::lines::{Lines, prefixes};
use crate::program::{complain, count};
use crate::start::start;
use crate::terminal::has_colour;

/// How long the commands have to end by themselves on Ctrl-C.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long the end of a process takes that was killed, at the very most.
const PATIENCE: Duration = Duration::from_secs(10);

/// One key for the job, and behind that three for each command: its pipes, and its end.
const JOB: Key = Key(0);
const OUT: usize = 0;
const ERR: usize = 1;
const END: usize = 2;

fn key(command: usize, part: usize) -> Key {
    Key(1 + 3 * command + part)
}

struct Running {
    name: String,
    child: Child,
    since: Instant,
    /// Each is there until there is nothing more to come.
    out: Option<Registration<ChildStdout>>,
    err: Option<Registration<ChildStderr>>,
    end: Option<Registration<Watched>>,
    lines: [Lines; 2],
}

pub struct Run<'a> {
    queue: &'a CompletionQueue,
    keep_going: bool,
    job: Registration<Job>,
    commands: Vec<Running>,
    /// How many processes the job has told of. It need not tell of all.
    processes: usize,
    failed: usize,
    is_stopped: bool,
    until: Option<Instant>,
    killed_since: Option<Instant>,
}

impl<'a> Run<'a> {
    pub fn start(
        queue: &'a CompletionQueue,
        options: &Options,
        commands: &[Command],
    ) -> Result<Self, Box<dyn Error>> {
        let job = queue.register(Job::new()?, JOB)?;
        job.get_ref().kill_on_close()?;
        let prefixes =
            prefixes(commands.iter().map(|command| &*command.name), has_colour(options.colour));
        let texts = [io::stdout().is_terminal(), io::stderr().is_terminal()];
        let mut run = Self {
            queue,
            keep_going: options.keep_going,
            job,
            commands: Vec::new(),
            processes: 0,
            failed: 0,
            is_stopped: false,
            until: None,
            killed_since: None,
        };
        for (command, prefix) in commands.iter().zip(prefixes) {
            let child = start(&command.line, run.job.get_ref());
            let child = child.map_err(|error| format!("cannot start {}: {error}", command.name))?;
            let lines = texts.map(|is_text| Lines::new(prefix.clone(), is_text));
            run.add(&command.name, child, lines)?;
        }
        Ok(run)
    }

    fn add(&mut self, name: &str, mut child: Child, lines: [Lines; 2]) -> io::Result<()> {
        let (queue, number) = (self.queue, self.commands.len());
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let out = queue.register(out.expect("a pipe"), key(number, OUT))?;
        let err = queue.register(err.expect("a pipe"), key(number, ERR))?;
        let end = queue.watch(&child, key(number, END))?;
        out.read(Vec::with_capacity(4096))?;
        err.read(Vec::with_capacity(4096))?;
        let (out, err, end) = (Some(out), Some(err), Some(end));
        let (name, since) = (name.to_string(), Instant::now());
        self.commands.push(Running { name, child, since, out, err, end, lines });
        Ok(())
    }

    /// Whether all commands have succeeded.
    pub fn until_the_end(mut self) -> Result<bool, Box<dyn Error>> {
        let mut batch = Completions::with_capacity(64);
        while self.commands.iter().any(Running::goes_on) {
            match self.until {
                None => self.queue.wait(&mut batch, None)?,
                Some(moment) => self.queue.wait_until(&mut batch, moment)?,
            };
            for completion in batch.by_ref() {
                self.handle(completion)?;
            }
            if self.until.is_some_and(|moment| moment <= Instant::now()) {
                self.kill()?;
            }
        }
        let all = count(self.commands.len(), "command");
        match self.failed {
            0 if self.is_stopped => complain(NAME, &format!("{all}, stopped")),
            0 => complain(NAME, &format!("{all}, {}", processes(self.processes))),
            failed => complain(NAME, &format!("{all}, of which {failed} failed")),
        }
        Ok(self.failed == 0 && !self.is_stopped)
    }

    fn handle(&mut self, completion: Completion) -> Result<(), Box<dyn Error>> {
        match completion {
            Completion::Read { key: Key(key), buffer, result, .. } => {
                let (command, part) = ((key - 1) / 3, (key - 1) % 3);
                Ok(self.commands[command].read(part, buffer, result)?)
            }
            Completion::Signalled { key: Key(key), result, .. } => {
                result?;
                self.ended((key - 1) / 3)
            }
            Completion::Job { message: JobMessage::NewProcess(_), .. } => {
                self.processes += 1;
                Ok(())
            }
            Completion::ShutDown => {
                complain(NAME, "stopping");
                (self.is_stopped, self.until) = (true, Some(Instant::now() + FAREWELL));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A command has ended. What it has started may go on, and print.
    fn ended(&mut self, number: usize) -> Result<(), Box<dyn Error>> {
        let command = &mut self.commands[number];
        command.end = None;
        let (status, time) = (command.child.wait()?, command.since.elapsed());
        let how = how(status);
        complain(NAME, &format!("{} {how} after {:.1} s", command.name, time.as_secs_f32()));
        if status.success() {
            return Ok(());
        }
        self.failed += usize::from(!self.is_stopped);
        if !self.keep_going && !self.is_stopped {
            let mut all = self.commands.iter().enumerate();
            if all.any(|(other, command)| other != number && command.goes_on()) {
                complain(NAME, "stopping the others");
            }
            self.is_stopped = true;
            self.kill()?;
        }
        Ok(())
    }

    /// Ends all processes in the job, with what they have started. What they have printed is read.
    fn kill(&mut self) -> Result<(), Box<dyn Error>> {
        let since = *self.killed_since.get_or_insert_with(Instant::now);
        if since.elapsed() > PATIENCE {
            return Err("there are processes that do not end, or that keep a pipe open".into());
        }
        self.job.get_ref().terminate(1)?;
        self.until = Some(Instant::now() + FAREWELL);
        Ok(())
    }
}

impl Running {
    fn goes_on(&self) -> bool {
        self.out.is_some() || self.err.is_some() || self.end.is_some()
    }

    /// One of its pipes has brought something, or is at its end.
    fn read(
        &mut self,
        part: usize,
        mut buffer: Vec<u8>,
        result: Result<Content, Failure>,
    ) -> io::Result<()> {
        let lines = &mut self.lines[part];
        let write = |bytes: &[u8], lines: &mut Lines| match part {
            OUT => write(lines, bytes, &mut io::stdout().lock()),
            _ => write(lines, bytes, &mut io::stderr().lock()),
        };
        if let Ok(Content::Bytes(_)) = result {
            write(&buffer, lines)?;
            buffer.clear();
            let again = match (part, &self.out, &self.err) {
                (OUT, Some(out), _) => out.read(buffer).is_ok(),
                (ERR, _, Some(err)) => err.read(buffer).is_ok(),
                _ => false,
            };
            if again {
                return Ok(());
            }
        }
        // The end, or an error, which is an end too.
        write(&[], lines)?;
        if part == OUT {
            self.out = None
        } else {
            self.err = None
        }
        Ok(())
    }
}

/// No bytes are the end.
fn write(lines: &mut Lines, bytes: &[u8], to: &mut impl Write) -> io::Result<()> {
    if bytes.is_empty() {
        lines.end(to)?
    } else {
        lines.take(bytes, to)?
    }
    to.flush()
}

fn how(status: ExitStatus) -> String {
    match status.code() {
        // One that ended by a fault has an NTSTATUS there, which is known by its hexadecimal form.
        Some(code) if code < 0 => format!("ended with status {code:#010x}"),
        Some(code) => format!("ended with status {code}"),
        None => "ended".to_string(),
    }
}

fn processes(number: usize) -> String {
    match number {
        1 => "1 process".to_string(),
        _ => format!("{number} processes"),
    }
}
