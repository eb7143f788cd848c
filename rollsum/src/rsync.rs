//! rsync's sum: the plain sum of the bytes, and the sum of those sums.

/// What librsync's rollsum adds to every byte.
pub(crate) const LIBRSYNC_OFFSET: u32 = 31;

/// The key of a block of `length` bytes: its two sums ([`halves`]), with `offset` added
/// to every byte.
pub(crate) fn key((a, b): (u32, u32), length: usize, offset: u32) -> u32 {
    let n = length as u32;
    // The sum of 1 to n, times the offset; halved where it is even, so that nothing is lost.
    let triangle = if n.is_multiple_of(2) { (n / 2).wrapping_mul(n + 1) } else { n.wrapping_mul(n.div_ceil(2)) };
    pack(a.wrapping_add(offset.wrapping_mul(n)), b.wrapping_add(offset.wrapping_mul(triangle)))
}

/// Both sums, of which the low 16 bits count; they go on from `a` and `b`.
#[inline(always)]
pub(crate) fn halves(block: &[u8], (mut a, mut b): (u32, u32)) -> (u32, u32) {
    // As in lanes, in a way that the compiler finds some wherever there are any: each adds up
    // its own bytes, and those sums once more for every stride that follows.
    const STRIDE: usize = 16;
    let (strides, rest) = block.as_chunks::<STRIDE>();
    if strides.is_empty() {
        return bytes(rest, (a, b));
    }
    let (mut plain, mut again) = ([0u16; STRIDE], [0u16; STRIDE]);
    for stride in strides {
        for (again, &plain) in again.iter_mut().zip(&plain) {
            *again = again.wrapping_add(plain);
        }
        for (plain, &byte) in plain.iter_mut().zip(stride) {
            *plain = plain.wrapping_add(byte.into());
        }
    }
    // What was summed before counts once more for each byte.
    b = b.wrapping_add(a.wrapping_mul((strides.len() * STRIDE) as u32));
    for (at, (plain, again)) in plain.into_iter().zip(again).enumerate() {
        let weighted = u32::from(again) * STRIDE as u32 + u32::from(plain) * (STRIDE - at) as u32;
        (a, b) = (a.wrapping_add(plain.into()), b.wrapping_add(weighted));
    }
    bytes(rest, (a, b))
}

/// As [`halves`], byte after byte.
#[inline(always)]
fn bytes(block: &[u8], sums: (u32, u32)) -> (u32, u32) {
    block.iter().fold(sums, |(a, b), &byte| {
        let a = a.wrapping_add(byte.into());
        (a, b.wrapping_add(a))
    })
}

/// The key of these two sums.
#[inline(always)]
pub(crate) fn pack(a: u32, b: u32) -> u32 {
    b << 16 | (a & 0xffff)
}

/// The key of a block with this `key`, with `zeros` more bytes behind it that are zero.
pub(crate) fn with_zeros(key: u32, zeros: usize, offset: u32) -> u32 {
    let (a, b) = (key & 0xffff, key >> 16);
    // Each zero adds the offset to one sum, and that sum to the other.
    let rest = self::key((0, a.wrapping_mul(zeros as u32)), zeros, offset);
    pack(a.wrapping_add(rest), b.wrapping_add(rest >> 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, term by term.
    fn by_definition(block: &[u8], offset: u64) -> u32 {
        let n = block.len() as u64;
        let a: u64 = block.iter().map(|&byte| u64::from(byte) + offset).sum();
        let b: u64 = (0..n).zip(block).map(|(i, &byte)| (n - i) * (u64::from(byte) + offset)).sum();
        (((b % (1 << 16)) << 16) | (a % (1 << 16))) as u32
    }

    #[test]
    fn zeros_behind_a_block() {
        let data: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(i) >> 3) as u8).collect();
        for (length, zeros) in [(0, 0), (0, 7), (1, 0), (1, 2047), (700, 1348), (4999, 70_000)] {
            for offset in [0, LIBRSYNC_OFFSET] {
                let padded = [&data[..length], &vec![0; zeros]].concat();
                let short = by_definition(&data[..length], offset.into());
                assert_eq!(
                    with_zeros(short, zeros, offset),
                    by_definition(&padded, offset.into()),
                    "{length}, {zeros}"
                );
            }
        }
    }

    #[test]
    fn equals_its_definition_at_every_length() {
        let data: Vec<u8> =
            (0..if cfg!(miri) { 30 } else { 70_001u32 }).map(|i| (i.wrapping_mul(i) >> 3) as u8).collect();
        // Miri takes minutes for more.
        let (most, long): (_, &[usize]) =
            if cfg!(miri) { (30, &[]) } else { (100, &[2047, 2048, 2049, 65_535, 65_536, 65_537, 70_001]) };
        for length in (0..most).chain(long.iter().copied()) {
            for offset in [0, LIBRSYNC_OFFSET] {
                let block = &data[..length];
                let sum = key(halves(block, (0, 0)), length, offset);
                assert_eq!(sum, by_definition(block, offset.into()), "{length}");
            }
        }
    }
}
