//! The example `xray`: what it prints is what its chapter shows, and its picture has all of it. The
//! program is this one, started once more.
#![cfg(windows)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio, exit};

#[path = "../examples/xray/run.rs"]
mod run;

#[path = "support/programs.rs"]
mod programs;
#[path = "support/spawn.rs"]
mod spawn;
mod support;
use programs::{ended, started};

const ARGUMENTS: &str = "XRAY_ARGUMENTS";
const SEPARATOR: char = '\u{1f}';
const BEGIN: &str = "the program begins\n";

const SCENES: [&str; 5] = ["waiting", "at-once", "cancelled", "dropped", "forged"];

/// The program, where it is started as such. As a test it does nothing.
#[test]
fn the_program() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let words: Vec<_> = arguments.split(SEPARATOR).map(str::to_string).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).map(Into::into);
    // What runs the tests has begun a line.
    print!("\n{BEGIN}");
    // As in the program, whose first thread has this name.
    let main = std::thread::Builder::new().name("main".to_string()).spawn(|| run::run(words));
    exit(main.expect("a thread").join().expect("no panic").into());
}

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn xray(arguments: &[&str]) -> Ended {
    let mut program = Command::new(std::env::current_exe().expect("the path of this program"));
    program.args(["--exact", "the_program", "--nocapture", "--test-threads=1"]);
    program.env(ARGUMENTS, arguments.join(&SEPARATOR.to_string())).stdin(Stdio::null());
    let Output { status, stdout, stderr } = ended(started(&mut program));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").replace('\r', "");
    let (out, err) = (text(stdout), text(stderr));
    let (_, out) = out.split_once(BEGIN).expect("it has begun");
    println!("{arguments:?}: {:?}\n{out}\n{err}", status.code());
    Ended { code: status.code(), out: out.to_string(), err }
}

/// What it prints, and nothing else.
#[track_caller]
fn shown(arguments: &[&str]) -> String {
    let Ended { code, out, err } = xray(arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    out
}

fn text_of(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}")).replace('\r', "")
}

/// The blocks of output in the chapter.
fn blocks() -> Vec<String> {
    let chapter = text_of("src/guide/xray.md");
    let blocks = chapter.split("\n```text\n").skip(1);
    blocks.map(|rest| rest.split_once("```").expect("the end of a block").0.to_string()).collect()
}

/// Both ways: each block is the output of a scene, and each scene has a block, in the same order.
#[test]
fn the_blocks_of_the_chapter_are_what_the_program_prints() {
    let blocks = blocks();
    for (scene, block) in SCENES.iter().zip(&blocks) {
        assert_eq!(&shown(&[scene]), block, "{scene}");
    }
    assert_eq!(blocks.len(), SCENES.len(), "blocks, and scenes");
    assert_eq!(shown(&[]), blocks.join("\n"), "all of them");
}

#[test]
fn each_run_prints_the_same() {
    let first = shown(&[]);
    for _ in 0..5 {
        assert_eq!(shown(&[]), first);
    }
}

#[test]
fn no_line_is_wider_than_the_screen_of_a_telephone() {
    for text in [shown(&[]), shown(&["--help"])] {
        for line in text.lines() {
            assert!(line.len() <= 60 && line.is_ascii(), "{line}");
        }
    }
}

/// A file of this test's own, which is deleted with it.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("overlapped-{}-{name}", std::process::id())))
    }

    fn name(&self) -> &str {
        self.0.to_str().expect("a name of letters")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The picture of these scenes, and what was printed with it.
fn drawn(scenes: &[&str], name: &str) -> (String, String) {
    let file = File::new(name);
    let out = shown(&[scenes, &["--svg", file.name()]].concat());
    (text_of(file.name()), out)
}

/// That each tag is closed by its own, in the right order, and is one that draws.
fn assert_well_formed(picture: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in picture.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("the end of a tag");
        assert!(!text.contains('>'), "{text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).expect("a name");
        let drawing = ["svg", "title", "desc", "style", "rect", "line", "text"];
        assert!(drawing.contains(&name), "{name}");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        assert_eq!(open.is_empty(), tag == "/svg", "one element is around all others: {tag}");
    }
}

/// Letters that have a meaning in a picture are written otherwise there.
fn in_picture(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[test]
fn the_picture_has_every_event_that_was_printed() {
    let (picture, out) = drawn(&[], "all.svg");
    assert!(picture.starts_with("<svg xmlns=") && picture.ends_with("</svg>\n"));
    assert_well_formed(&picture);
    let mut rest = &picture[picture.find("</style>").expect("a style")..];
    let mut next = |text: &str| {
        let element = format!(">{}</text>", in_picture(text));
        let (_, behind) = rest.split_once(&element).unwrap_or_else(|| panic!("no {element}"));
        rest = behind;
    };
    let mut events = 0;
    for line in out.lines().filter(|line| !line.is_empty()) {
        match line.split_at_checked(15) {
            Some((head, by)) if head.starts_with("thread ") => next(by),
            Some((who, text)) if !SCENES.iter().any(|scene| who.starts_with(scene)) => {
                let words: Vec<_> = who.split_whitespace().collect();
                next(&words.join(", "));
                next(text);
                events += 1;
            }
            _ => {
                let (scene, title) = line.split_once(": ").expect("the line of a scene");
                next(scene);
                next(title);
            }
        }
    }
    assert!(events > 80, "{events} events");
    assert!(!rest.contains("</text>"), "more was drawn than was printed: {rest}");
}

#[test]
fn the_picture_of_the_chapter_is_what_the_program_draws() {
    let (picture, _) = drawn(&["waiting"], "chapter.svg");
    assert!(
        picture == text_of("src/guide/pictures/xray.svg"),
        "draw it anew, and run .ci/pictures"
    );
}

#[test]
fn the_picture_is_for_everybody() {
    let (picture, _) = drawn(&["waiting"], "waiting.svg");
    for part in ["role=\"img\"", "<title>", "prefers-color-scheme: dark", "viewBox=\"0 0 318 "] {
        assert!(picture.contains(part), "{part}");
    }
    for active in ["<script", "href", "@import", "url(", " on"] {
        let drawn = picture.split("</desc>").nth(1).expect("a description");
        assert!(!drawn.contains(active), "{active}");
    }
    // That its letters are large enough `tests/guide_pictures.rs` looks. One of size 11 is 6.7 wide
    // in the fonts of its kind, and the words begin at 50.
    for line in shown(&[]).lines().filter_map(|line| line.get(15..)) {
        assert!(line.len() <= 40, "{line}");
    }
    let (_, rest) = picture.split_once("<desc>").expect("a description");
    let (description, _) = rest.split_once("</desc>").expect("its end");
    for part in ["main, kernel: A.Internal 0x103", "waiter, table: wait has brought"] {
        assert!(description.contains(part), "{description}");
    }
}

#[test]
fn a_picture_that_cannot_be_written_is_one_sentence() {
    let file = File::new("no-folder");
    let inside = format!("{}/x.svg", file.name());
    let Ended { code, err, .. } = xray(&["at-once", "--svg", &inside]);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("xray: cannot write ") && err.lines().count() == 1, "{err}");
}

#[test]
fn arguments_that_make_no_sense_get_one_sentence() {
    let wrong: [(&[&str], &str); 8] = [
        (&["sleeping"], "there is no scene \"sleeping\""),
        (&["Waiting"], "only waiting, at-once, cancelled, dropped, forged"),
        (&["waiting", "forged"], "SCENE is given twice"),
        (&["--svg"], "--svg lacks a value"),
        (&["--svg="], "--svg lacks a value"),
        (&["--svg", "--help"], "--svg lacks a value"),
        (&["--svg=a", "--svg=b"], "--svg is given twice"),
        (&["--colour"], "there is no option \"--colour\""),
    ];
    for (arguments, words) in wrong {
        let Ended { code, out, err } = xray(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.starts_with("xray: ") && err.contains(words), "{arguments:?}: {err}");
        assert!(err.ends_with("; --help explains the options\n"), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[test]
fn help_names_every_scene_and_option() {
    for arguments in [&["--help"][..], &["-h"], &["dropped", "--help"]] {
        let help = shown(arguments);
        for name in SCENES.iter().chain(&["--svg", "--help"]) {
            assert!(
                help.lines().any(|line| line.trim_start().split([' ', ',']).any(|w| w == *name))
            );
        }
        assert!(!help.contains("by hand"), "no scene is played");
    }
}
