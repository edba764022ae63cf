//! The options of the program: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;
use std::path::PathBuf;

use super::scenes::Scene;
use super::words::{Request, Words, once};

pub const HELP: &str = "\
Prints the life of an operation while it happens: on which
thread, whose its memory is, and what stands in it.

    xray [SCENE] [--svg FILE]

    SCENE         one of these; all of them if not given
      waiting     a receive that waits, and is answered
      at-once     a receive of what is there already
      cancelled   a receive that is taken back
      dropped     a socket that is closed during a receive
      forged      packets that no operation has sent
    --svg FILE    draws the same as a picture, for a browser
    -h, --help    prints this

In the column \"whose\" stands who may use the OVERLAPPED and
the buffer of the operation: the program; the kernel; the
table of the queue, when the operation has ended and the
program has not read its completion; or nobody, when they
are freed.

Exit status: 0 if all was shown; 1 if not; 2 if the options
make no sense.
";

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub scenes: Vec<Scene>,
    pub svg: Option<PathBuf>,
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request<Options>, String> {
    let mut words = Words::new(arguments);
    let (mut scene, mut svg) = (None, None);
    while let Some(word) = words.next()? {
        match word.as_str() {
            "-h" | "--help" => return Ok(Request::Help),
            "--svg" => once(&mut svg, file(words.value()?)?, &word)?,
            _ if word.starts_with('-') => return Err(format!("there is no option {word:?}")),
            _ => once(&mut scene, self::scene(&word)?, "SCENE")?,
        }
    }
    let scenes = scene.map_or_else(|| Scene::ALL.to_vec(), |scene| vec![scene]);
    Ok(Request::Run(Options { scenes, svg }))
}

fn scene(name: &str) -> Result<Scene, String> {
    let scene = Scene::ALL.into_iter().find(|scene| scene.name() == name);
    scene.ok_or_else(|| {
        let names = Scene::ALL.map(Scene::name).join(", ");
        format!("there is no scene {name:?}, only {names}")
    })
}

fn file(name: String) -> Result<PathBuf, String> {
    if name.is_empty() { Err("--svg lacks a value".to_string()) } else { Ok(name.into()) }
}
