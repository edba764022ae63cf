//! Slots: memory for operations that never moves, found again by an address nobody has to trust.
//!
//! The kernel keeps the address of an operation for as long as it works on it, so the place of
//! an operation must not move when others come. A `Vec` moves on growth, and a `Box` for each
//! operation costs an allocation for each message. Here slots stand in *groups* of 32, and groups
//! in *blocks*, each block twice as large as the one before; a block is allocated once and stays
//! where it is until the whole is dropped. So growing copies nothing, and no thread waits for
//! another that grows.
//!
//! Which slots of a group are taken is one word. Taking and releasing a slot is one atomic
//! instruction on that word: no lock, and no linked list of free slots whose head could come back
//! to an old value between a look and an exchange. A caller names a slot that it would like (the
//! one it had last), so that a connection finds its own slot again and connections that are busy
//! at the same time stay out of each other's cache lines.
//!
//! Of the word's 64 bits each slot has two: it is *taken*, and it is *ended*, which is to say that
//! it is still taken but has nothing in it that anybody waits for. As both stand in one word, they
//! go with one instruction, and whoever counts never sees one without the other.
//!
//! Cost: 1/4 byte of bookkeeping for a slot. Finding a slot by its address compares the address
//! with at most 27 blocks, and with one block until more than 32 operations are in flight.

#![cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]
#![allow(unsafe_code, reason = "blocks are allocated raw, so that they start as untouched zeros")]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

use super::sync::{AtomicPtr, AtomicU64};

/// Slots in a group: half the bits of its word.
const GROUP: u32 = u64::BITS / 2;

/// Block `k` has `2^k` groups, so 27 blocks number their slots within 32 bits.
const BLOCKS: usize = 27;

/// A type for which memory filled with zeros is a value.
///
/// # Safety
///
/// * All bytes 0 is a valid value of the type.
/// * Dropping the type does nothing, for slots are freed without being dropped.
pub(super) unsafe trait Zeroed {}

#[repr(C, align(64))]
struct Group<S> {
    /// Which slots are taken, in the low half, and which of them have ended, in the high half.
    word: AtomicU64,
    slots: [S; GROUP as usize],
}

/// A slot, with its number and its group, so that neither has to be looked up again.
pub(super) struct Place<'a, S> {
    pub(super) index: u32,
    pub(super) slot: &'a S,
    group: &'a Group<S>,
}

impl<S> Copy for Place<'_, S> {}

impl<S> Clone for Place<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

pub(super) struct Slots<S: Zeroed> {
    /// Filled from the front: behind the first null there are only nulls.
    blocks: [AtomicPtr<Group<S>>; BLOCKS],
}

// SAFETY: the blocks are memory from the global allocator, which any thread may use and free;
// what stands in them is shared as `&S` only.
unsafe impl<S: Zeroed + Send + Sync> Send for Slots<S> {}
// SAFETY: as above, and `blocks` itself changes by atomic exchanges alone.
unsafe impl<S: Zeroed + Send + Sync> Sync for Slots<S> {}

impl<S> Group<S> {
    /// The slot of this number, which is one of this group.
    #[inline]
    fn place(&self, index: u32) -> Place<'_, S> {
        Place { index, slot: &self.slots[(index % GROUP) as usize], group: self }
    }
}

impl<S: Zeroed> Slots<S> {
    pub(super) const fn new() -> Self {
        Self { blocks: [const { AtomicPtr::new(null_mut()) }; BLOCKS] }
    }

    /// Takes a free slot: slot `near` if it is free, else one in its neighbourhood, else any,
    /// else one of a new block. `None` when memory has run out.
    #[inline]
    pub(super) fn take(&self, near: u32) -> Option<Place<'_, S>> {
        let preferred = near / GROUP;
        if let Some(found) = self.take_in_group(preferred, near % GROUP) {
            return Some(found);
        }
        self.take_elsewhere(preferred)
    }

    #[cold]
    fn take_elsewhere(&self, preferred: u32) -> Option<Place<'_, S>> {
        loop {
            let groups = self.groups();
            let mut others = (1..=groups).map(|step| (preferred + step) % groups);
            if let Some(found) = others.find_map(|other| self.take_in_group(other, 0)) {
                return Some(found);
            }
            self.grow(groups)?;
        }
    }

    /// Says that what a slot was taken for has ended, though the slot cannot be released yet. Only
    /// the one who took it may do so.
    #[cold]
    pub(super) fn mark_ended(place: &Place<'_, S>) {
        place.group.word.fetch_or(ended(place.index), SeqCst);
    }

    /// Gives a slot back. Only the one who took it may do so, and touches it no more.
    #[inline]
    pub(super) fn release(place: &Place<'_, S>) {
        // Sequentially consistent like the taking of a slot, so that whoever closes the
        // table and then counts has one order of events to argue with.
        place.group.word.fetch_and(!(taken(place.index) | ended(place.index)), SeqCst);
    }

    /// The slot of this number, taken or free; `None` for a number that has no memory yet.
    pub(super) fn get(&self, index: u32) -> Option<Place<'_, S>> {
        Some(self.group(index / GROUP)?.place(index))
    }

    /// The slot that begins at this address, if one does. Only compares and divides: nothing is
    /// read through the address, and the reference returned comes from our own pointer.
    #[inline]
    pub(super) fn find(&self, address: usize) -> Option<Place<'_, S>> {
        let mut first_group = 0;
        for (k, block) in self.blocks.iter().enumerate() {
            let base = block.load(Acquire);
            if base.is_null() {
                return None;
            }
            let offset = address.wrapping_sub(base.addr());
            let group = offset / size_of::<Group<S>>();
            if group < 1 << k {
                let within = offset % size_of::<Group<S>>();
                let within = within.checked_sub(std::mem::offset_of!(Group<S>, slots))?;
                let begins = within % size_of::<S>() == 0;
                let slot = u32::try_from(within / size_of::<S>()).ok()?;
                if !begins || slot >= GROUP {
                    return None;
                }
                let index = (first_group + u32::try_from(group).ok()?) * GROUP + slot;
                // SAFETY: `group` is less than `2^k`, which is how many groups block `k` has.
                return Some(unsafe { Self::within(base, group) }.place(index));
            }
            first_group += 1 << k;
        }
        None
    }

    /// How many slots are taken and have not ended: exact when no other thread changes one meanwhile.
    pub(super) fn not_ended(&self) -> usize {
        self.words().map(|word| (word as u32 & !(word >> GROUP) as u32).count_ones() as usize).sum()
    }

    /// Whether no slot is taken.
    pub(super) fn is_empty(&self) -> bool {
        self.words().all(|word| word == 0)
    }

    // The lifetime is said for a package of edition 2021 that has the sources as a module.
    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        let groups = (0..self.groups()).filter_map(|number| self.group(number));
        groups.map(|group| group.word.load(SeqCst))
    }

    #[inline]
    fn take_in_group(&self, number: u32, preferred: u32) -> Option<Place<'_, S>> {
        let group = self.group(number)?;
        let mut word = group.word.load(Relaxed);
        while word as u32 != u32::MAX {
            let free = !word;
            let slot = if free & taken(preferred) != 0 { preferred } else { free.trailing_zeros() };
            word = group.word.fetch_or(taken(slot), SeqCst);
            if word & taken(slot) == 0 {
                return Some(group.place(number * GROUP + slot));
            }
        }
        None
    }

    /// How many groups there are.
    ///
    /// That a block is there is in the same one order as that a slot is taken, or whoever closes the
    /// table and then counts could miss a slot in a block that is new: on that order rests the drop
    /// of a queue. Hence `SeqCst` here, in `group`, and where the block is added.
    fn groups(&self) -> u32 {
        let blocks = self.blocks.iter().take_while(|block| !block.load(SeqCst).is_null()).count();
        (1 << blocks) - 1
    }

    #[inline]
    fn group(&self, number: u32) -> Option<&Group<S>> {
        // Blocks of 1, 2, 4, ... groups: the top bit of `number + 1` says which block, and the
        // bits below it where in the block.
        let k = (number + 1).ilog2();
        let base = self.blocks.get(k as usize)?.load(SeqCst);
        if base.is_null() {
            return None;
        }
        let within = (number + 1) - (1 << k);
        // SAFETY: block `k` has `2^k` groups, and `within` is less.
        Some(unsafe { Self::within(base, within as usize) })
    }

    /// A group of a block.
    ///
    /// # Safety
    ///
    /// * `base` was loaded from `blocks[k]` of a table that lives for `'a`, is not null, and `number`
    ///   is less than `2^k`.
    #[inline]
    unsafe fn within<'a>(base: *mut Group<S>, number: usize) -> &'a Group<S> {
        // SAFETY: block `k` has `2^k` groups, and the caller vouches that `number` is less.
        let group = unsafe { base.add(number) };
        // SAFETY: `grow` published this block filled with zeros, which are a valid group because
        // `S: Zeroed`; it is freed by `drop` alone, which needs the whole exclusively.
        unsafe { &*group }
    }

    /// Adds the block that follows `groups` groups, unless another thread was faster.
    fn grow(&self, groups: u32) -> Option<()> {
        let k = (groups + 1).ilog2() as usize;
        let block = self.blocks.get(k)?;
        let layout = Layout::array::<Group<S>>(1 << k).ok()?;
        // SAFETY: the layout is not empty, since a group has at least its word. Large blocks
        // come as pages that the system zeroes when they are first touched.
        let fresh = unsafe { alloc_zeroed(layout) }.cast::<Group<S>>();
        if fresh.is_null() {
            return None;
        }
        if block.compare_exchange(null_mut(), fresh, SeqCst, Relaxed).is_err() {
            // SAFETY: allocated above with this layout, and never published.
            unsafe { dealloc(fresh.cast(), layout) };
        }
        Some(())
    }
}

impl<S: Zeroed> Drop for Slots<S> {
    fn drop(&mut self) {
        for (k, block) in self.blocks.iter_mut().enumerate() {
            let (base, layout) = (*block.get_mut(), Layout::array::<Group<S>>(1 << k));
            if let (false, Ok(layout)) = (base.is_null(), layout) {
                // SAFETY: `grow` allocated this block with the same layout; nobody else can see
                // it any more, and `Zeroed` promises that its slots need no drop.
                unsafe { dealloc(base.cast(), layout) };
            }
        }
    }
}

fn taken(index: u32) -> u64 {
    1 << (index % GROUP)
}

fn ended(index: u32) -> u64 {
    taken(index) << GROUP
}
