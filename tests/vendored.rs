//! The sources as a module of another crate, included from where they stand: no path in them starts
//! at the crate's root, nothing depends on Cargo.toml, and the unit tests, which come along, pass
//! here too. `tests/vendored.sh` does the same in packages of their own, as the README tells it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[path = "../src/module.rs"]
mod vendored;

#[test]
fn a_buffer_is_a_buffer() {
    use vendored::Buffer;
    assert_eq!(Vec::from(*b"hello").filled(0), b"hello");
}

#[cfg(windows)]
#[test]
fn bytes_arrive() -> std::io::Result<()> {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use vendored::{Completion, CompletionQueue, Completions, Key};

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let queue = CompletionQueue::new()?;
    let stream = queue.register(TcpStream::connect(listener.local_addr()?)?, Key(5))?;
    stream.receive(Vec::with_capacity(16))?;
    listener.accept()?.0.write_all(b"hello")?;

    let mut batch = Completions::with_capacity(4);
    let twenty_seconds = std::time::Duration::from_secs(20);
    match queue.wait(&mut batch, Some(twenty_seconds))?.next() {
        Some(Completion::Received { key: Key(5), buffer, result: Ok(count), .. }) => {
            assert!(count == buffer.len() && b"hello".starts_with(&buffer));
        }
        other => panic!("bytes were expected: {other:?}"),
    }
    Ok(())
}

// While rustdoc gathers the examples of a package, the package sees `names.rs` in place of the
// sources. A name that is missing there would break the tests of the package, and no other test of
// ours.

/// The public types, traits and modules that a source declares, with their kinds, and what can be
/// named in them: variants, and the items of traits. The sources are formatted, so indentation
/// tells what belongs to what.
fn declared(source: &str) -> BTreeSet<String> {
    fn word(text: &str) -> &str {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
    }

    let mut names = BTreeSet::new();
    let mut around: Option<(usize, &str, &str)> = None; // indentation, kind and name of the item
    for line in source.lines() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        let kind = word(text.trim_start_matches("pub ").trim_start_matches("unsafe "));
        let name = text.split_once(kind).map_or("", |(_, rest)| word(rest.trim_start()));
        match around {
            _ if text.starts_with("pub ") && ["enum", "struct", "trait", "mod"].contains(&kind) => {
                names.insert(format!("{kind} {name}"));
                around = text.ends_with('{').then_some((depth, kind, name));
            }
            Some((outside, ..)) if depth == outside && text.starts_with('}') => around = None,
            Some((outside, of, parent)) if depth == outside + 4 => {
                names.insert(match of {
                    "trait" if ["fn", "type", "const"].contains(&kind) => {
                        format!("{kind} {parent}::{name}")
                    }
                    "enum" if text.starts_with(char::is_uppercase) => {
                        format!("variant {parent}::{kind}")
                    }
                    _ => continue,
                });
            }
            _ => {}
        }
    }
    names
}

/// All that the sources below a folder declare, but for the root and the list of names itself.
fn declared_below(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("a file or folder").path();
        if path.is_dir() {
            names.extend(declared_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("lib.rs")
            && !path.ends_with("names.rs")
        {
            names.extend(declared(&fs::read_to_string(&path).expect("a source")));
        }
    }
    names
}

/// What `pub use` brings to the root. A name before `::` is that of a module.
fn exported(root: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for import in root.split("\npub use self::").skip(1) {
        let (mut rest, _) = import.split_once(';').expect("an import ends");
        while let Some(start) = rest.find(char::is_alphabetic) {
            rest = &rest[start..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if !after.starts_with("::") {
                names.insert(name);
            }
            rest = after;
        }
    }
    names
}

#[test]
fn the_names_are_those_of_the_sources() {
    let root = fs::read_to_string("src/lib.rs").expect("src/lib.rs");
    let exported = exported(&root);
    let mut expected = declared(&root);
    expected.extend(declared_below(Path::new("src")).into_iter().filter(|declared| {
        let name = declared.split([' ', ':']).nth(1).expect("a kind and a name");
        exported.contains(name)
    }));
    for name in exported {
        let is_it = |declared: &String| declared.ends_with(&format!(" {name}"));
        assert!(expected.iter().any(is_it), "of what kind is {name}? names.rs has none such");
    }

    let names = declared(&fs::read_to_string("src/names.rs").expect("src/names.rs"));
    let missing: Vec<_> = expected.difference(&names).collect();
    let outdated: Vec<_> = names.difference(&expected).collect();
    assert!(missing.is_empty(), "src/names.rs lacks {missing:?}");
    assert!(outdated.is_empty(), "src/names.rs has what is nowhere else: {outdated:?}");
}
