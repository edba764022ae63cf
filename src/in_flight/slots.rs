//! Slots: memory for operations that never moves, found again by an address nobody has to trust.
//!
//! The kernel keeps the address of an operation for as long as it works on it, so the memory of
//! an operation must not move when others come. A `Vec` moves on growth, and a `Box` for each
//! operation costs an allocation for each message. Here slots stand in *groups* of 32, and groups
//! in *blocks*, each block twice as large as the one before; a block is allocated once and stays
//! where it is until the whole is dropped. So growing copies nothing, and no thread waits for
//! another that grows.
//!
//! Which slots of a group are taken is one word. Taking and releasing a slot is one atomic
//! instruction on that word: no lock, and no linked list of free slots whose head could come back
//! to an old value between a look and an exchange. A caller gives a hint, the number of a slot that
//! it would like (the one it had last), so that a connection finds its own slot again and
//! connections that are busy at the same time stay out of each other's cache lines.
//!
//! Cost: 1/8 byte of bookkeeping for a slot. Finding a slot by its address compares the address
//! with at most 27 blocks, and with one block until more than 32 operations are in flight.

#![allow(unsafe_code, reason = "blocks are allocated raw, so that they start as untouched zeros")]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::mem::offset_of;
use std::ptr::null_mut;

use super::super::sync::Ordering::{Acquire, Relaxed, SeqCst};
use super::super::sync::{AtomicPtr, AtomicU32};

/// Slots in a group: the bits of its word.
const GROUP: u32 = u32::BITS;

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
pub(super) struct Group<S> {
    /// Which slots are taken.
    taken: AtomicU32,
    slots: [S; GROUP as usize],
}

/// A slot: its group, and its number. Two words, which a call returns in registers.
pub(super) struct SlotRef<'a, S> {
    group: &'a Group<S>,
    pub(super) index: u32,
}

impl<S> Copy for SlotRef<'_, S> {}

impl<S> Clone for SlotRef<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'a, S> SlotRef<'a, S> {
    #[inline]
    pub(super) fn slot(self) -> &'a S {
        &self.group.slots[(self.index % GROUP) as usize]
    }

    /// The address of the group, with the number: from both [`from_raw`](Self::from_raw) makes the
    /// same.
    #[inline]
    pub(super) fn into_raw(self) -> (*const (), u32) {
        ((&raw const *self.group).cast(), self.index)
    }

    /// # Safety
    ///
    /// * `group` is what `into_raw` has answered, of slots that live for `'a`.
    #[inline]
    pub(super) unsafe fn from_raw(group: *const (), index: u32) -> Self {
        // SAFETY: the caller vouches that this is the address of a group, which lives for `'a`.
        Self { group: unsafe { &*group.cast() }, index }
    }

    /// Gives the slot back. Only the one who took it may do so, and touches it no more.
    #[inline]
    pub(super) fn release(self) {
        // Sequentially consistent like the taking of a slot, so that whoever closes the table and
        // then counts has one order of events to argue with.
        self.group.taken.fetch_and(!bit(self.index), SeqCst);
    }
}

impl<S> Group<S> {
    /// The slot of this number, which is one of this group.
    #[inline]
    pub(super) fn slot(&self, index: u32) -> SlotRef<'_, S> {
        SlotRef { group: self, index }
    }

    /// The slot that begins so many bytes behind the beginning of the group, whose first slot has
    /// this number.
    #[inline]
    fn slot_at(&self, first_index: u32, offset: usize) -> Option<SlotRef<'_, S>> {
        let within = offset.checked_sub(offset_of!(Self, slots))?;
        let slot = within / size_of::<S>();
        let begins = slot * size_of::<S>() == within && slot < GROUP as usize;
        begins.then(|| self.slot(first_index + slot as u32))
    }

    /// Takes a slot of this group, which is number `number`: the preferred one if it is free.
    #[inline]
    fn take(&self, number: u32, preferred: u32) -> Option<SlotRef<'_, S>> {
        let slot = preferred % GROUP;
        // One instruction that sets the bit and says whether it was set before.
        if self.taken.fetch_or(bit(slot), SeqCst) & bit(slot) == 0 {
            return Some(self.slot(number * GROUP + slot));
        }
        self.take_any(number)
    }

    fn take_any(&self, number: u32) -> Option<SlotRef<'_, S>> {
        let mut taken = self.taken.load(Relaxed);
        while taken != u32::MAX {
            let slot = taken.trailing_ones();
            taken = self.taken.fetch_or(bit(slot), SeqCst);
            if taken & bit(slot) == 0 {
                return Some(self.slot(number * GROUP + slot));
            }
        }
        None
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

impl<S: Zeroed> Slots<S> {
    pub(super) const fn new() -> Self {
        Self { blocks: [const { AtomicPtr::new(null_mut()) }; BLOCKS] }
    }

    /// Takes a free slot: number `hint` if it is free, else one in its neighbourhood, else any,
    /// else one of a new block. `None` when memory has run out.
    #[inline]
    pub(super) fn take(&self, hint: u32) -> Option<SlotRef<'_, S>> {
        let near = self.group(hint / GROUP).and_then(|group| group.take(hint / GROUP, hint));
        near.or_else(|| self.take_elsewhere(hint / GROUP))
    }

    #[cold]
    fn take_elsewhere(&self, preferred: u32) -> Option<SlotRef<'_, S>> {
        loop {
            let groups = self.groups();
            let mut others = (1..=groups).map(|step| (preferred + step) % groups);
            if let Some(found) = others.find_map(|other| self.group(other)?.take(other, 0)) {
                return Some(found);
            }
            self.grow(groups)?;
        }
    }

    /// The slot of this number, taken or free; `None` for a number that has no memory yet.
    #[inline]
    pub(super) fn get(&self, index: u32) -> Option<SlotRef<'_, S>> {
        Some(self.group(index / GROUP)?.slot(index))
    }

    /// The slot of this number. Its memory is allocated if it is not there. `None` when memory has
    /// run out.
    #[inline]
    pub(super) fn get_or_add(&self, index: u32) -> Option<SlotRef<'_, S>> {
        self.get(index).or_else(|| self.add(index))
    }

    #[cold]
    fn add(&self, index: u32) -> Option<SlotRef<'_, S>> {
        while self.get(index).is_none() {
            self.grow(self.groups())?;
        }
        self.get(index)
    }

    /// The slot that begins at this address, if one does. Only compares and divides: nothing is
    /// read through the address, and the reference returned comes from our own pointer.
    #[inline]
    pub(super) fn find(&self, address: usize) -> Option<SlotRef<'_, S>> {
        let first = self.first()?;
        let offset = address.wrapping_sub((&raw const *first).addr());
        if offset < size_of::<Group<S>>() {
            return first.slot_at(0, offset);
        }
        self.find_elsewhere(address)
    }

    /// As [`find`](Self::find), in all blocks but the first.
    #[inline(never)]
    fn find_elsewhere(&self, address: usize) -> Option<SlotRef<'_, S>> {
        for (k, block) in self.blocks.iter().enumerate().skip(1) {
            let base = block.load(Acquire);
            if base.is_null() {
                return None;
            }
            let offset = address.wrapping_sub(base.addr());
            if offset < size_of::<Group<S>>() << k {
                // The blocks before have `2^k - 1` groups.
                let number = (1 << k) - 1 + (offset / size_of::<Group<S>>()) as u32;
                let within = offset % size_of::<Group<S>>();
                return self.group(number)?.slot_at(number * GROUP, within);
            }
        }
        None
    }

    /// The slots that are taken.
    // The lifetime is said for a package of edition 2021 that has the sources as a module.
    pub(super) fn taken(&self) -> impl Iterator<Item = &S> + '_ {
        let groups = (0..self.groups()).filter_map(|number| self.group(number));
        groups.flat_map(|group| {
            let mut taken = group.taken.load(SeqCst);
            std::iter::from_fn(move || {
                // Of a word without bits the number is 32, and there is no such slot.
                let slot = group.slots.get(taken.trailing_zeros() as usize)?;
                taken &= taken - 1;
                Some(slot)
            })
        })
    }

    /// How many groups there are.
    ///
    /// That a block is there is in the same one order as that a slot is taken, or whoever closes
    /// the table and then counts could miss a slot in a block that is new: on that order rests the
    /// drop of a queue. Hence `SeqCst` here, in `group`, and where the block is added.
    fn groups(&self) -> u32 {
        let blocks = self.blocks.iter().take_while(|block| !block.load(SeqCst).is_null()).count();
        (1 << blocks) - 1
    }

    /// The first group, which is a block of its own, and all that most tables have.
    #[inline]
    fn first(&self) -> Option<&Group<S>> {
        let base = self.blocks[0].load(SeqCst);
        // SAFETY: a pointer that is not null is that of a block, as in `group_elsewhere`.
        unsafe { base.as_ref() }
    }

    #[inline]
    fn group(&self, number: u32) -> Option<&Group<S>> {
        if number == 0 { self.first() } else { self.group_elsewhere(number) }
    }

    fn group_elsewhere(&self, number: u32) -> Option<&Group<S>> {
        // Blocks of 1, 2, 4, ... groups: the top bit of `number + 1` says which block, and the
        // bits below it where in the block.
        let k = (number + 1).ilog2();
        let base = self.blocks.get(k as usize)?.load(SeqCst);
        if base.is_null() {
            return None;
        }
        // SAFETY: block `k` has `2^k` groups, and the bits below the top one are less than that.
        let group = unsafe { base.add((number + 1 - (1 << k)) as usize) };
        // SAFETY: `grow` published this block filled with zeros, which are a valid group because
        // `S: Zeroed`; it is freed by `drop` alone, which needs the whole exclusively.
        Some(unsafe { &*group })
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

fn bit(index: u32) -> u32 {
    1 << (index % GROUP)
}
