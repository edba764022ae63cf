//! A buffer that counts how often it is dropped, and all the orders in which things can be.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::any::Any;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use overlapped::Buffer;

/// A vector that counts itself when it is dropped.
#[derive(Debug)]
pub struct Counted {
    pub bytes: Vec<u8>,
    drops: Arc<AtomicUsize>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.fetch_add(1, SeqCst);
    }
}

// SAFETY: all three methods are those of the vector, which nothing else can reach.
unsafe impl Buffer for Counted {
    fn filled(&self, part: usize) -> &[u8] {
        self.bytes.filled(part)
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        self.bytes.spare(part)
    }

    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.bytes.advance(count) }
    }
}

/// Makes buffers that share one count.
#[derive(Clone, Default)]
pub struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub fn buffer(&self) -> Counted {
        Counted { bytes: Vec::with_capacity(16), drops: Arc::clone(&self.0) }
    }

    pub fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// All orders of the numbers below `count`.
pub fn orders(count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![vec![]], |shorter, _| {
        let longer = |order: &Vec<usize>| -> Vec<Vec<usize>> {
            let others = (0..count).filter(|part| !order.contains(part));
            others.map(|part| [order.as_slice(), &[part]].concat()).collect()
        };
        shorter.iter().flat_map(longer).collect()
    })
}

/// What a test drops, part by part.
pub type Parts = Vec<Option<Box<dyn Any + Send>>>;

/// Drops the parts one after the other.
pub fn drop_in_order(parts: &mut Parts, order: &[usize]) {
    for part in order {
        parts[*part] = None;
    }
}

/// Drops the first few of the order on another thread, and the others here at the same time.
pub fn drop_on_two_threads(mut parts: Parts, order: &[usize], first: usize) {
    let (there, here) = order.split_at(first);
    let there: Vec<_> = there.iter().map(|part| parts[*part].take()).collect();
    let other = thread::spawn(move || drop(there));
    drop_in_order(&mut parts, here);
    other.join().expect("nothing panics");
}
