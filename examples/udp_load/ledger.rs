//! What became of each datagram: the numbers that came back, and those that came twice or late.

/// What is written at the front of each datagram, 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Which run of the program it is of, so that late answers to another are told apart.
    pub run: u64,
    /// Its number, from 0.
    pub number: u64,
    /// When it was sent, in nanoseconds since the run began.
    pub time: u64,
}

impl Label {
    pub fn write(self, datagram: &mut [u8]) {
        let words = [self.run, self.number, self.time].map(u64::to_be_bytes);
        datagram[..24].copy_from_slice(words.as_flattened());
    }

    /// `None` if it is too short to have one.
    pub fn read(datagram: &[u8]) -> Option<Self> {
        let word =
            |index: usize| Some(u64::from_be_bytes(*datagram.get(8 * index..)?.first_chunk()?));
        Some(Self { run: word(0)?, number: word(1)?, time: word(2)? })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// A bit for each number.
    came: Vec<u64>,
    highest: Option<u64>,
    pub sent: u64,
    pub back: u64,
    pub twice: u64,
    /// Behind one that was sent later.
    pub late: u64,
    /// What was not one of ours, or not as it was sent.
    pub strange: u64,
}

impl Ledger {
    /// One has come back. Whether it is the first of its number.
    pub fn note(&mut self, number: u64) -> bool {
        if number >= self.sent {
            self.strange += 1;
            return false;
        }
        let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
        if self.came.len() <= word {
            self.came.resize(word + 1, 0);
        }
        if self.came[word] & bit != 0 {
            self.twice += 1;
            return false;
        }
        self.came[word] |= bit;
        self.back += 1;
        if self.highest > Some(number) {
            self.late += 1;
        }
        self.highest = self.highest.max(Some(number));
        true
    }

    pub fn lost(&self) -> u64 {
        self.sent - self.back
    }
}
