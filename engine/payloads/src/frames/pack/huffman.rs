//! Literals with a fixed prefix code (RFC 8878, 4.2).

use super::bits::BitWriter;
use super::fse::Fse;

/// The longest code.
const MOST_BITS: u32 = 11;

/// A code for every byte.
#[derive(Clone, Debug)]
pub(super) struct Huffman {
    /// The bits of each byte's code, and how many they are.
    codes: Vec<(u32, u32)>,
}

impl Huffman {
    /// A code for bytes that come about as often as `counts` say.
    pub(super) fn new(counts: &[u32; 256]) -> Self {
        // Every byte can be written.
        let mut counts: Vec<u64> = counts.iter().map(|&count| u64::from(count) + 1).collect();
        let mut lengths = lengths(&counts);
        while lengths.iter().any(|length| *length > MOST_BITS) {
            counts.iter_mut().for_each(|count| *count = *count / 2 + 1);
            lengths = self::lengths(&counts);
        }
        if lengths.iter().all(|length| *length == lengths[0]) {
            // Lengths that are all the same cannot be described.
            counts[0] = counts.iter().sum();
            lengths = self::lengths(&counts);
        }
        Self { codes: codes(&lengths) }
    }

    /// Appends the description of the code, from which a reader makes its own.
    pub(super) fn describe(&self, out: &mut Vec<u8>) {
        let most = self.most_bits();
        let weights: Vec<u8> = self.codes.iter().map(|(_, bits)| (most + 1 - bits) as u8).collect();
        // The last follows from the others.
        let weights = &weights[..255];
        let mut counts = [0; MOST_BITS as usize + 1];
        weights.iter().for_each(|weight| counts[usize::from(*weight)] += 1);
        let table = Fse::new(&counts, 6);
        let mut described = Vec::new();
        table.describe(&mut described);
        // Two states take turns, the first for bytes of even number.
        let mut states = [table.begin(weights[254]), table.begin(weights[253])];
        let mut bits = BitWriter::default();
        for at in (0..253).rev() {
            table.encode(&mut states[at % 2], weights[at], &mut bits);
        }
        table.end(states[1], &mut bits);
        table.end(states[0], &mut bits);
        bits.close(&mut described);
        out.push(described.len() as u8);
        out.append(&mut described);
    }

    /// How many bits `literals` take.
    pub(super) fn bits(&self, literals: &[u8]) -> usize {
        literals.iter().map(|byte| self.codes[usize::from(*byte)].1 as usize).sum()
    }

    /// Appends `literals` as one stream.
    pub(super) fn encode(&self, literals: &[u8], bits: &mut BitWriter, out: &mut Vec<u8>) {
        for byte in literals.iter().rev() {
            let (code, length) = self.codes[usize::from(*byte)];
            bits.add(code, length);
        }
        bits.close(out);
    }

    fn most_bits(&self) -> u32 {
        self.codes.iter().map(|(_, bits)| *bits).max().unwrap_or_default()
    }
}

/// The lengths of a Huffman code. `counts` are not 0.
fn lengths(counts: &[u64]) -> Vec<u32> {
    // Leaves and then nodes; each that is merged gets a parent.
    let mut parents = vec![0; 2 * counts.len() - 1];
    let mut heap: std::collections::BinaryHeap<_> =
        counts.iter().enumerate().map(|(at, count)| std::cmp::Reverse((*count, at))).collect();
    let mut node = counts.len();
    while let (Some(std::cmp::Reverse(one)), Some(std::cmp::Reverse(other))) = (heap.pop(), heap.pop()) {
        (parents[one.1], parents[other.1]) = (node, node);
        heap.push(std::cmp::Reverse((one.0 + other.0, node)));
        node += 1;
        if heap.len() == 1 {
            break;
        }
    }
    let mut depths = vec![0; parents.len()];
    for at in (0..parents.len() - 1).rev() {
        depths[at] = depths[parents[at]] + 1;
    }
    depths.truncate(counts.len());
    depths
}

/// The codes of these lengths, as every reader numbers them: the longest from 0 on.
fn codes(lengths: &[u32]) -> Vec<(u32, u32)> {
    let most = lengths.iter().copied().max().unwrap_or_default();
    let mut next = vec![0; most as usize + 1];
    let mut first = 0;
    for length in (1..=most).rev() {
        next[length as usize] = first;
        first = (first + lengths.iter().filter(|other| **other == length).count() as u32) >> 1;
    }
    let code = |&length: &u32| {
        let code = next[length as usize];
        next[length as usize] += 1;
        (code, length)
    };
    lengths.iter().map(code).collect()
}
