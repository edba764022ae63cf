//! A test in a process of its own, for what ends a process, and for what is counted in all of it.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it makes a call of Windows that std does not make")]

use std::ffi::c_void;
use std::process::{Command, Stdio, exit};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::ffi::ntstatus::STATUS_ACCESS_VIOLATION;

use super::spawn::spawned;

/// How long a process may take. It is for one that hangs.
const DEADLINE: Duration = Duration::from_secs(20);

/// To be printed before a violation, so that a process which ends before it is not taken for
/// caught.
pub const SO_FAR: &str = "so far all went well";
const AT_THE_END: &str = "this is the end";

/// How a process has ended, and what it has told.
pub struct Ended {
    code: Option<i32>,
    told: String,
}

impl Ended {
    #[track_caller]
    pub fn assert_fault(&self) {
        let caught = self.code == Some(STATUS_ACCESS_VIOLATION) && self.told.contains(SO_FAR);
        assert!(caught, "it was not caught: {:#x?}", self.code);
    }

    #[track_caller]
    pub fn assert_fine(&self) {
        let fine = self.code == Some(0) && self.told.contains(AT_THE_END);
        assert!(fine, "it failed there: {:#x?}", self.code);
    }
}

/// Runs a test in a process of its own, which is this program once more with that test alone, in
/// its first thread. There it does not return.
pub fn alone(name: &str, test: impl FnOnce()) -> Ended {
    const ALONE: &str = "TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        // SAFETY: the function is there for ever.
        unsafe { SetUnhandledExceptionFilter(end_at_once) };
        test();
        println!("{AT_THE_END}");
        exit(0);
    }
    let program = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = spawned(&mut command);
    while child.try_wait().expect("its state").is_none() {
        if start.elapsed() > DEADLINE {
            let _ = child.kill();
            panic!("it has not ended after {DEADLINE:?}");
        }
        thread::yield_now();
    }
    let output = child.wait_with_output().expect("what it has told");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{told}{}", String::from_utf8_lossy(&output.stderr));
    Ended { code: output.status.code(), told }
}

/// Lets a process that meets a fault end with the fault's code, without a window or a debugger.
unsafe extern "system" fn end_at_once(_: *mut c_void) -> i32 {
    const EXCEPTION_EXECUTE_HANDLER: i32 = 1;
    EXCEPTION_EXECUTE_HANDLER
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn SetUnhandledExceptionFilter(filter: unsafe extern "system" fn(*mut c_void) -> i32) -> usize;
}
