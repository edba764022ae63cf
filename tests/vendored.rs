//! The sources as a module of another crate, included from where they stand: no path in them starts at
//! the crate's root, nothing depends on Cargo.toml, and the unit tests, which come along, pass here too.

#[allow(dead_code, unused_imports, reason = "a crate that vendors it uses what it needs")]
#[path = "../src/lib.rs"]
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
