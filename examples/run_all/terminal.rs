//! Whether stdout is a terminal that understands colours.

#![allow(unsafe_code, reason = "it asks the console, which std does not do")]

use std::io::{self, IsTerminal};
use std::os::windows::io::{AsRawHandle, RawHandle};

use crate::arguments::Colour;

const ENABLE_VIRTUAL_TERMINAL_PROCESSING: u32 = 4;

#[link(name = "kernel32")]
unsafe extern "system" {
    /// <https://learn.microsoft.com/en-us/windows/console/getconsolemode>
    fn GetConsoleMode(hConsoleHandle: RawHandle, lpMode: *mut u32) -> i32;
    /// <https://learn.microsoft.com/en-us/windows/console/setconsolemode>
    fn SetConsoleMode(hConsoleHandle: RawHandle, dwMode: u32) -> i32;
}

pub fn has_colour(wanted: Colour) -> bool {
    // As <https://no-color.org> has it.
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match wanted {
        Colour::Always => {
            understands_colour();
            true
        }
        Colour::Never => false,
        Colour::Auto => !unwanted && io::stdout().is_terminal() && understands_colour(),
    }
}

/// Tells the console to, which those before Windows 10 cannot.
fn understands_colour() -> bool {
    let (console, mut mode) = (io::stdout().as_raw_handle(), 0);
    // SAFETY: the handle of stdout is open or none, and the variable is there during the call.
    if unsafe { GetConsoleMode(console, &mut mode) } == 0 {
        return false;
    }
    // SAFETY: as above.
    unsafe { SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0 }
}
