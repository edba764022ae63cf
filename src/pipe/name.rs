//! The names of pipes.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;

use super::super::transfer::invalid;

/// Where the pipes of this machine are.
const HERE: &str = r"\\.\pipe\";
/// The longest name that the system takes, with all that stands before it.
const LONGEST: usize = 256;

/// The whole name, as the system takes it, with a 0 behind it.
pub(super) fn whole(name: &OsStr) -> io::Result<Vec<u16>> {
    let given: Vec<u16> = name.encode_wide().collect();
    let is_whole = given.starts_with(&[SEPARATOR, SEPARATOR]);
    let mut whole: Vec<u16> = if is_whole { Vec::new() } else { HERE.encode_utf16().collect() };
    whole.extend_from_slice(&given);
    match what_is_wrong(&whole, is_whole) {
        Some(why) => Err(invalid(why)),
        None => {
            whole.push(0);
            Ok(whole)
        }
    }
}

const SEPARATOR: u16 = b'\\' as u16;

fn what_is_wrong(whole: &[u16], was_whole: bool) -> Option<&'static str> {
    let name = name_in(whole).unwrap_or_default();
    // To the system a slash is a backslash, unless the name begins with `\\?\`.
    let mut steps = name.split(|&unit| unit == SEPARATOR || unit == SLASH);
    Some(if name.is_empty() && was_whole {
        "it begins with two backslashes, but is no whole name of a pipe, which is `\\\\.\\pipe\\NAME` \
         on this machine, and `\\\\HOST\\pipe\\NAME` on another"
    } else if name.is_empty() {
        "the name of the pipe is empty"
    } else if whole.contains(&0) {
        "the name of the pipe has a NUL in it, at which it would end for the system"
    } else if !was_whole && name.contains(&SEPARATOR) {
        "the name of the pipe has backslashes in it; write it without, or whole, as \
         `\\\\.\\pipe\\NAME`"
    } else if steps.any(|step| step.iter().all(|unit| [DOT, SPACE].contains(unit))) {
        "the name of the pipe has a part that is empty, or of dots and spaces alone, such as `..`, \
         by which it would lead to something else than a pipe"
    } else if whole.len() > LONGEST {
        "the name of the pipe is longer than 256 characters, with `\\\\.\\pipe\\` before it"
    } else {
        return None;
    })
}

const SLASH: u16 = b'/' as u16;
const DOT: u16 = b'.' as u16;
const SPACE: u16 = b' ' as u16;

/// What stands behind `\\HOST\pipe\`.
fn name_in(whole: &[u16]) -> Option<&[u16]> {
    let mut parts = whole.splitn(5, |&unit| unit == SEPARATOR);
    let starts = parts.next()?.is_empty() && parts.next()?.is_empty();
    let (host, pipe) = (parts.next()?, parts.next()?);
    let is_pipe = char::decode_utf16(pipe.iter().copied())
        .map(|unit| unit.unwrap_or_default().to_ascii_lowercase())
        .eq("pipe".chars());
    (starts && !host.is_empty() && is_pipe).then_some(())?;
    parts.next()
}

/// Whether the pipe is one of this machine, as those are that can be made here.
pub(super) fn is_here(whole: &[u16]) -> bool {
    let host = whole.split(|&unit| unit == SEPARATOR).nth(2);
    host == Some(&[DOT]) || host == Some(&[b'?' as u16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Result<String, String> {
        let whole = whole(OsStr::new(name)).map_err(|error| error.to_string())?;
        let (end, name) = whole.split_last().expect("it ends with a 0");
        assert_eq!(*end, 0);
        Ok(String::from_utf16(name).expect("what was given"))
    }

    #[test]
    fn a_name_is_given_short_or_whole() {
        assert_eq!(of("chat").as_deref(), Ok(r"\\.\pipe\chat"));
        assert_eq!(of("a name: 2/3").as_deref(), Ok(r"\\.\pipe\a name: 2/3"));
        for whole in [r"\\.\pipe\chat", r"\\?\PIPE\chat", r"\\host\pipe\chat", r"\\.\pipe\LOCAL\a"]
        {
            assert_eq!(of(whole).as_deref(), Ok(whole));
        }
    }

    #[test]
    fn what_is_no_name_is_told_by_what_is_wrong_with_it() {
        let longest = "n".repeat(256 - HERE.len());
        assert!(of(&longest).is_ok());
        for (name, why) in [
            ("", "is empty"),
            (r"\\.\pipe\", "no whole name"),
            (r"\\.\pipe", "no whole name"),
            (r"\\", "no whole name"),
            (r"\\\pipe\chat", "no whole name"),
            (r"\\.\file\chat", "no whole name"),
            ("ch\0at", "NUL"),
            ("\0", "NUL"),
            (r"chat\room", "backslashes"),
            (r"\chat", "backslashes"),
            (r"pipe\", "backslashes"),
            ("..", "`..`"),
            ("...", "`..`"),
            (" ", "`..`"),
            ("chat/../../C:/file", "`..`"),
            ("//./pipe/chat", "is empty"),
            (r"\\.\pipe\..\C:\file", "`..`"),
            (r"\\.\pipe\chat/../../C:/file", "`..`"),
            (r"\\.\pipe\\chat", "is empty"),
            (&format!("{longest}n"), "longer than 256"),
        ] {
            let error = of(name).expect_err(name);
            assert!(error.contains(why), "{name:?}: {error}");
        }
    }

    #[test]
    fn a_pipe_of_another_machine_is_known() {
        let is_here = |name: &str| is_here(&name.encode_utf16().collect::<Vec<_>>());
        assert!(is_here(r"\\.\pipe\chat") && is_here(r"\\?\pipe\chat"));
        assert!(!is_here(r"\\host\pipe\chat"));
    }
}
