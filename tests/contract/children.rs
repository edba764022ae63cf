//! Child processes: their streams are pipes, and those of std's own can be put on a port.
#![allow(unsafe_code, reason = "it makes a pipe that std may not have")]

use std::io::{Read, Write};
use std::os::windows::io::AsRawHandle;
use std::process::{Child, Command, ExitStatus, Stdio, exit};
use std::ptr::{null, null_mut};
use std::thread;
use std::time::Instant;

use overlapped::ffi::constants::{
    ERROR_BROKEN_PIPE, ERROR_INVALID_PARAMETER, ERROR_NO_DATA, FALSE,
};
use overlapped::ffi::ntstatus::{STATUS_PIPE_BROKEN, STATUS_SUCCESS};
use overlapped::ffi::types::{BOOL, DWORD, HANDLE, SECURITY_ATTRIBUTES};

use super::handles::{is_synchronous, made, read, write};
use super::kernel::{Answer, DEADLINE, Port, create_port, last_error};
use super::spawn::spawned;

/// This program once more with this test alone, as a child that echoes one line, to both streams,
/// and ends when its input does. There it does not return.
pub fn child(name: &str) -> Child {
    const CHILD: &str = "TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        echo();
    }
    let program = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(CHILD, "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    spawned(&mut command)
}

/// Waits for the end of a child, and closes its input before.
pub fn end_of(mut child: Child) -> ExitStatus {
    drop(child.stdin.take());
    end_with_input(&mut child)
}

/// Waits for the end of a child that has its input still.
pub fn end_with_input(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("its state") {
            return status;
        }
        assert!(start.elapsed().as_millis() < DEADLINE.into(), "it has not ended");
        thread::yield_now();
    }
}

/// What the child does.
fn echo() -> ! {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
    print!("<{line}>");
    std::io::stdout().flush().expect("told");
    eprint!("<{line}>");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    exit(3);
}

/// (101) std's own ends of a child's streams are named pipes made for overlapped operations: a port
/// can have them, read and write. The end of the stream is that of a pipe. Nobody documents it; it
/// is what std does to read two streams at once.
/// <https://learn.microsoft.com/en-us/windows/win32/procthread/creating-a-child-process-with-redirected-input-and-output>
#[test]
fn a_port_can_have_the_ends_that_std_has_of_a_childs_streams() {
    let mut child = child("children::a_port_can_have_the_ends_that_std_has_of_a_childs_streams");
    let port = Port::new();
    let input = child.stdin.take().expect("its input");
    let (output, errors) =
        (child.stdout.take().expect("its output"), child.stderr.take().expect("its errors"));
    port.associate(input.as_raw_handle(), 1);
    port.associate(output.as_raw_handle(), 2);
    port.associate(errors.as_raw_handle(), 3);
    assert_eq!(port.end_of(write(&input, b"hello\n")).count, 6);
    assert!(read_until(&port, &output, 2, b"<hello\n>"));
    assert!(read_until(&port, &errors, 3, b"<hello\n>"));
    drop(input);
    assert!(!read_until(&port, &output, 2, b"nothing like it"));
    assert_eq!(end_of(child).code(), Some(3));
}

/// Reads until these bytes have come, or the end. The test's own harness in the child writes, too.
fn read_until(port: &Port, stream: &impl AsRawHandle, key: usize, wanted: &[u8]) -> bool {
    let mut bytes = Vec::new();
    loop {
        let (operation, answer) = read(stream, 64);
        if let Answer::Failed(_) = answer {
            port.refused((operation, answer), &[ERROR_BROKEN_PIPE, ERROR_NO_DATA]);
            return false;
        }
        let end = port.end(operation);
        assert_eq!(end.key, key);
        if end.status == STATUS_PIPE_BROKEN {
            return false;
        }
        assert_eq!(end.status, STATUS_SUCCESS);
        bytes.extend(end.bytes);
        if bytes.windows(wanted.len()).any(|window| window == wanted) {
            return true;
        }
    }
}

/// (7, 101) A pipe without a name, such as `std::io::pipe` makes, is not overlapped: a port refuses
/// both of its ends.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-createpipe>
#[test]
fn a_pipe_without_a_name_is_refused_by_a_port() {
    let (port, mut ends) = (Port::new(), [null_mut(); 2]);
    let [reading, writing] = &mut ends;
    // SAFETY: there is room for both handles.
    let answer = unsafe { CreatePipe(reading, writing, null(), 0) };
    assert_ne!(answer, FALSE, "error {}", last_error());
    for end in ends {
        // SAFETY: it is what the call has just made.
        let end = unsafe { made(end) }.expect("an end");
        let refused = create_port(end.as_raw_handle(), port.handle(), 7, 0);
        assert_eq!(refused, Err(ERROR_INVALID_PARAMETER));
        assert!(is_synchronous(&end));
    }
}

// `ffi` does not have it, since no port can have what it makes.
#[link(name = "kernel32")]
unsafe extern "system" {
    fn CreatePipe(
        reading: *mut HANDLE,
        writing: *mut HANDLE,
        attributes: *const SECURITY_ATTRIBUTES,
        size: DWORD,
    ) -> BOOL;
}
