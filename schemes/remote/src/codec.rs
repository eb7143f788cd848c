//! How messages are put into bytes: see PROTOCOL.md.

use gosync_chunks::ByteRange;

/// Appends a number, seven bits a byte, the lowest first.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends bytes behind their number.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends ranges, which ascend, do not overlap, and are not empty.
pub(crate) fn put_ranges(out: &mut Vec<u8>, ranges: &[ByteRange]) {
    put_number(out, ranges.len() as u64);
    let mut end = 0;
    for range in ranges {
        put_number(out, range.start - end);
        put_number(out, range.len());
        end = range.end;
    }
}

/// What a body has that it must not have.
pub(crate) type Wrong = &'static str;

/// The rest of a body.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn byte(&mut self) -> Result<u8, Wrong> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let (first, rest) = self.0.split_first_chunk().ok_or("a message ends too early")?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Wrong> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number has more than 64 bits")
    }

    /// Bytes behind their number, of which there are `most`.
    pub(crate) fn bytes(&mut self, most: usize) -> Result<&'a [u8], Wrong> {
        let len = self.number()?;
        if len > most as u64 {
            return Err("something in a message is longer than it may be");
        }
        let (bytes, rest) = self.0.split_at_checked(len as usize).ok_or("a message ends too early")?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(crate) fn text(&mut self, most: usize) -> Result<&'a str, Wrong> {
        std::str::from_utf8(self.bytes(most)?).map_err(|_| "a text is none")
    }

    /// Ranges within `length` bytes. Memory follows the bytes of the message: each range takes two.
    pub(crate) fn ranges(&mut self, length: u64) -> Result<Vec<ByteRange>, Wrong> {
        let count = self.number()?;
        if count > self.0.len() as u64 / 2 {
            return Err("a message has fewer ranges than it says");
        }
        let (mut ranges, mut end) = (Vec::with_capacity(count as usize), 0u64);
        for _ in 0..count {
            let (gap, len) = (self.number()?, self.number()?);
            let start = end.checked_add(gap).ok_or("a range begins nowhere")?;
            end = start.checked_add(len).filter(|&end| len > 0 && end <= length).ok_or("a range ends nowhere")?;
            ranges.push(ByteRange { start, end });
        }
        Ok(ranges)
    }

    /// Makes sure that nothing follows.
    pub(crate) fn end(self) -> Result<(), Wrong> {
        if self.0.is_empty() { Ok(()) } else { Err("a message has more than it should") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_around_their_lengths() {
        for (number, bytes) in
            [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (u64::MAX >> 1, 9), (u64::MAX, 10)]
        {
            let mut out = Vec::new();
            put_number(&mut out, number);
            assert_eq!(out.len(), bytes);
            assert_eq!(Input(&out).number(), Ok(number));
            assert!(Input(&out[..bytes - 1]).number().is_err());
        }
        assert!(Input(&[0xff; 11]).number().is_err());
        assert!(Input(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).number().is_err());
    }

    #[test]
    fn ranges_that_are_none() {
        for (bytes, length) in [
            (&[1, 0, 0][..], 9),
            (&[1, 0, 10], 9),
            (&[1, 9, 1], 9),
            (&[2, 0, 5], 9),
            (&[2, 0, 5, 0, 5], 9),
            (&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1], u64::MAX),
            (&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1], u64::MAX),
        ] {
            assert!(Input(bytes).ranges(length).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn ranges_come_back(lengths in prop::collection::vec((0u64..1000, 1u64..1000), 0..50)) {
            let mut end = 0;
            let ranges: Vec<ByteRange> = lengths.iter().map(|&(gap, len)| {
                let range = ByteRange::at(end + gap, len);
                end = range.end;
                range
            }).collect();
            let mut out = Vec::new();
            put_ranges(&mut out, &ranges);
            let mut input = Input(&out);
            prop_assert_eq!(input.ranges(end), Ok(ranges.clone()));
            prop_assert!(input.end().is_ok());
            if end > 0 {
                prop_assert!(Input(&out).ranges(end - 1).is_err());
            }
        }
    }
}
