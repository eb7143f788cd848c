//! Control files made byte by byte, and what zsync finds with them.

use std::collections::{HashMap, HashSet};

use gosync_chunks::StrongHasher;
use gosync_sums::Md4;
use gosync_zsync::Control;

/// The golden data: `A.bin`, and `B.bin`, which was made of it.
pub(crate) fn golden() -> (Vec<u8>, Vec<u8>) {
    let mut x = 12345u32;
    let a: Vec<u8> = (0..20_000)
        .map(|_| {
            x = x.wrapping_mul(1_103_515_245).wrapping_add(12345) & 0x7fff_ffff;
            (x >> 16) as u8
        })
        .collect();
    let b = [&a[..7000], b"INSERTED-BYTES", &a[7000..15_000], &a[15_100..]].concat();
    (a, b)
}

/// A block with zeros behind it, up to the size of the others.
fn padded(target: &[u8], block_size: usize) -> impl Iterator<Item = Vec<u8>> {
    target.chunks(block_size).map(move |block| {
        let mut block = block.to_vec();
        block.resize(block_size, 0);
        block
    })
}

/// The bytes of a control file of `target`, by the formulas; `lines` are added to its header.
pub(crate) fn control_bytes(
    target: &[u8],
    block_size: usize,
    (sequence, weak, strong): (usize, usize, usize),
    lines: &str,
) -> Vec<u8> {
    let header = format!(
        "zsync: 0.6.2\nBlocksize: {block_size}\nLength: {}\nHash-Lengths: {sequence},{weak},{strong}\n{lines}\n",
        target.len()
    );
    let mut bytes = header.into_bytes();
    for block in padded(target, block_size) {
        let (a, b) = block
            .iter()
            .zip((1..=block_size as u64).rev())
            .fold((0u64, 0u64), |(a, b), (&byte, weight)| (a + u64::from(byte), b + weight * u64::from(byte)));
        let sum = [(a as u16).to_be_bytes(), (b as u16).to_be_bytes()].concat();
        bytes.extend(&sum[4 - weak..]);
        bytes.extend(&Md4::full().sum(&block).as_bytes()[..strong]);
    }
    bytes
}

pub(crate) fn control(target: &[u8], block_size: usize, lengths: (usize, usize, usize), lines: &str) -> Control {
    Control::read(&control_bytes(target, block_size, lengths, lines)).unwrap()
}

/// Bytes of `target` that zsync finds where it looks for two blocks in a row: from left to
/// right, to the end of each run, and then behind it.
pub(crate) fn in_pairs(target: &[u8], block_size: usize, seed: &[u8]) -> u64 {
    let end = seed.len();
    let mut seed = seed.to_vec();
    seed.resize(end + 2 * block_size, 0);
    let blocks: Vec<Vec<u8>> = padded(target, block_size).collect();
    let mut pairs: HashMap<Vec<u8>, usize> = HashMap::new();
    for (at, pair) in blocks.windows(2).enumerate() {
        pairs.entry(pair.concat()).or_insert(at);
    }
    let mut found: HashSet<&[u8]> = HashSet::new();
    let mut at = 0;
    while at < end {
        let Some(&first) = pairs.get(&seed[at..at + 2 * block_size]) else {
            at += 1;
            continue;
        };
        for block in &blocks[first..] {
            if seed.get(at..at + block_size) != Some(block.as_slice()) {
                break;
            }
            found.insert(block);
            at += block_size;
        }
    }
    let is_found = |(_, block): &(&[u8], &Vec<u8>)| found.contains(block.as_slice());
    target.chunks(block_size).zip(&blocks).filter(is_found).map(|(block, _)| block.len() as u64).sum()
}
