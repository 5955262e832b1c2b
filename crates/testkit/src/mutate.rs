/// Bytes that a parser is likely to stumble over: ends, signs, lengths, quotes, text that is cut.
const TELLING: &[&[u8]] = &[
    b"\0",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\n",
    b"\r\n",
    b"\"",
    b"\\",
    b"{",
    b"]",
    b":",
    b" ",
    b"-1",
    b"18446744073709551616",
    b"\xef\xbb\xbf",
    b"\xe4\xbf\xae",
    b"\xf0\x9f\x8e\x89",
    b"\xe2\x80\xae",
];
/// A mutation may make at most this much of a seed; what a parser does wrong it does wrong on little.
const MOST: usize = 64 << 10;

/// Makes broken inputs out of good ones, always the same for the same number and the same seeds.
///
/// What a test with it finds is found again by running the test again. It is no coverage-guided search: that is
/// `cargo fuzz`, whose targets (`fuzz/`) call the same functions.
///
/// ```
/// let seeds = [b"data: {}\n\n".to_vec(), b"event: end\n".to_vec()];
/// let (mut one, mut two) = (testkit::Mutator::new(7), testkit::Mutator::new(7));
/// assert_eq!(one.next(&seeds), two.next(&seeds));
/// ```
#[derive(Debug, Clone)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// A source of mutations.
    pub fn new(number: u64) -> Self {
        Self { state: number }
    }

    /// One of the seeds, changed at one to four places: bits are flipped, bytes are put in, taken out, repeated or
    /// replaced, ends are cut off, parts of two seeds are joined.
    pub fn next(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.pick(seeds).map_or_else(Vec::new, <[u8]>::to_vec);
        for _ in 0..=self.below(4) {
            self.change(&mut bytes, seeds);
            bytes.truncate(MOST);
        }
        bytes
    }

    /// A number below `end`, which every number is when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        // SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.state;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((number ^ (number >> 31)) % (end.max(1) as u64)) as usize
    }

    fn pick<'s>(&mut self, seeds: &'s [Vec<u8>]) -> Option<&'s [u8]> {
        let at = self.below(seeds.len());
        seeds.get(at).map(Vec::as_slice)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        // Mostly short, now and then anything.
        let most = if self.below(4) == 0 { length - start } else { (length - start).min(8) };
        start..start + self.below(most + 1)
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        match self.below(8) {
            0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            2 if !bytes.is_empty() => bytes[at] = self.below(256) as u8,
            3 => {
                let telling = TELLING[self.below(TELLING.len())];
                bytes.splice(at..at, telling.iter().copied());
            }
            4 => drop(bytes.drain(self.range(bytes.len()))),
            5 => {
                let part = bytes[self.range(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            6 => bytes.truncate(self.below(bytes.len() + 1)),
            _ => {
                let other = self.pick(seeds).unwrap_or_default();
                let part = other[self.range(other.len())].to_vec();
                let place = self.range(bytes.len());
                bytes.splice(place, part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn mutations_differ_from_each_other_and_are_the_same_each_time() {
        let seeds = [b"some bytes".to_vec(), b"and other ones".to_vec(), Vec::new()];
        let all = |number| {
            let mut mutator = Mutator::new(number);
            (0..1000).map(|_| mutator.next(&seeds)).collect::<Vec<_>>()
        };
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
        let distinct: HashSet<Vec<u8>> = all(1).into_iter().collect();
        assert!(distinct.len() > 700, "{}", distinct.len());
        assert!(distinct.iter().any(Vec::is_empty) && distinct.iter().any(|bytes| bytes.len() > 20));
        assert!(all(1).iter().all(|bytes| bytes.len() <= MOST));
        Mutator::new(1).next(&[]);
    }
}
