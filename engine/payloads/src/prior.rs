//! The target's bytes before a place in it.

use std::collections::VecDeque;
use std::io;

use gosync_chunks::{ByteRange, ReadAt};

/// Puts prefixes together: from what was decoded just now, and for the rest from where
/// the target is being rebuilt.
#[derive(Clone)]
pub struct Prior<'a> {
    rebuilt: &'a dyn ReadAt,
    longest: u64,
    /// Pieces that were decoded, ascending, as far back as a prefix may reach.
    decoded: VecDeque<(u64, Vec<u8>)>,
}

impl<'a> Prior<'a> {
    /// With `rebuilt`, for pieces of up to `longest` bytes that end where the next is decoded.
    pub fn new(rebuilt: &'a dyn ReadAt, longest: u64) -> Self {
        Self { rebuilt, longest, decoded: VecDeque::new() }
    }

    /// Takes note of what comes after all that was decoded so far.
    pub fn push(&mut self, start: u64, plain: &[u8]) {
        let end = start + plain.len() as u64;
        while self.decoded.front().is_some_and(|(at, data)| at + data.len() as u64 + self.longest <= end) {
            self.decoded.pop_front();
        }
        match self.decoded.back_mut() {
            // Fine frames one after another are one piece, up to a size that is soon forgotten again.
            Some((at, data)) if *at + data.len() as u64 == start && data.len() < 1 << 16 => {
                data.extend_from_slice(plain);
            }
            _ => self.decoded.push_back((start, plain.to_vec())),
        }
    }

    /// Appends the target's bytes of `range` to `buffer`.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn append(&self, range: ByteRange, buffer: &mut Vec<u8>) -> io::Result<()> {
        let mut at = range.start;
        let first = self.decoded.partition_point(|(start, data)| start + data.len() as u64 <= range.start);
        for (start, data) in self.decoded.range(first..) {
            if *start >= range.end {
                break;
            }
            self.read(ByteRange { start: at, end: (*start).max(at) }, buffer)?;
            let from = at.max(*start);
            let to = range.end.min(start + data.len() as u64);
            buffer.extend_from_slice(&data[(from - start) as usize..(to - start) as usize]);
            at = to;
        }
        self.read(ByteRange { start: at, end: range.end }, buffer)
    }

    fn read(&self, range: ByteRange, buffer: &mut Vec<u8>) -> io::Result<()> {
        let len = buffer.len();
        buffer.resize(len + range.len() as usize, 0);
        self.rebuilt.read_exact_at(range.start, &mut buffer[len..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::{Random, corpus};

    #[test]
    fn what_was_decoded_comes_before_what_is_read() {
        let target = corpus::random(1, 50_000);
        let mut rebuilt = target.clone();
        let mut random = Random::new(2);
        for longest in [0, 1, 1000, 20_000] {
            let mut prior = Prior::new(&target, longest);
            let mut pieces = Vec::new();
            let mut at = 0;
            while at < target.len() - 600 {
                at += if random.one_in(3) { random.below(400) } else { 0 };
                let end = at + random.range(1..200);
                // It cannot be read yet.
                rebuilt[at..end].fill(0);
                pieces.push(at..end);
                at = end;
            }
            prior.rebuilt = &rebuilt;
            for piece in pieces {
                let range = ByteRange { start: (piece.start as u64).saturating_sub(longest), end: piece.start as u64 };
                let mut prefix = vec![9];
                prior.append(range, &mut prefix).unwrap();
                assert!(prefix[0] == 9 && prefix[1..] == target[range.start as usize..piece.start]);
                prior.push(piece.start as u64, &target[piece.clone()]);
                let kept: usize = prior.decoded.iter().map(|(_, data)| data.len()).sum();
                assert!(kept as u64 <= longest + (1 << 16) + 400);
            }
            rebuilt = target.clone();
        }
    }
}
