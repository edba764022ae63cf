//! The end of stdin, as a script's way to press Ctrl-C.

use std::io;
use std::thread;

use overlapped::Waker;

/// Shuts the queue of `waker` down when stdin has ended. What comes before is not looked at.
pub fn end_shuts_down(waker: Waker) -> io::Result<()> {
    let read = move || {
        // An error is an end, too.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        // It fails if there is no memory for a packet, and then there is still Ctrl-C.
        let _ = waker.shut_down();
    };
    // It is not joined: if the program ends otherwise, stdin may stay open.
    thread::Builder::new().name("stdin".to_string()).spawn(read)?;
    Ok(())
}
