//! Numbers and byte strings, as the listing, the section and the journal have them.

use crate::listing::error::ListingError;

/// Appends `number`, seven bits a byte, the lowest first; the top bit says that more follow.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a number that may be negative: small ones of either sign are short.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)) as u64);
}

/// Appends the length of `bytes`, and them.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// What is left to be read of some bytes that nobody vouches for.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], ListingError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(ListingError::new("it ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, ListingError> {
        Ok(self.take(1)?[0])
    }

    /// A number, in as few bytes as it can be.
    pub(crate) fn number(&mut self) -> Result<u64, ListingError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return match byte == 0 && shift > 0 {
                    false => Ok(number),
                    true => Err(ListingError::new("a number is longer than it need be")),
                };
            }
        }
        Err(ListingError::new("a number is too large"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, ListingError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Bytes with their length before them, of which there are `most`.
    pub(crate) fn bytes(&mut self, most: usize) -> Result<&'a [u8], ListingError> {
        let len = self.number()?;
        match usize::try_from(len).ok().filter(|&len| len <= most) {
            Some(len) => self.take(len),
            None => Err(ListingError::new("something in it is too long")),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], ListingError> {
        Ok(self.take(N)?.try_into().expect("as many as were taken"))
    }

    /// That nothing is left.
    pub(crate) fn end(&self) -> Result<(), ListingError> {
        if self.0.is_empty() { Ok(()) } else { Err(ListingError::new("something follows its end")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_have_one_form() {
        let mut out = Vec::new();
        let numbers = [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX >> 1, u64::MAX];
        numbers.iter().for_each(|&number| put_number(&mut out, number));
        let signed = [0, -1, 1, 63, -64, 64, i64::MIN, i64::MAX];
        signed.iter().for_each(|&number| put_signed(&mut out, number));
        put_bytes(&mut out, b"abc");
        let mut input = Input(&out);
        for number in numbers {
            assert_eq!(input.number(), Ok(number));
        }
        for number in signed {
            assert_eq!(input.signed(), Ok(number));
        }
        assert_eq!(input.bytes(3), Ok(&b"abc"[..]));
        assert!(input.end().is_ok() && input.byte().is_err());
        assert!(Input(&[0x80, 0]).number().is_err(), "a zero in two bytes");
        assert!(Input(&[0xff; 9]).number().is_err(), "no end");
        assert!(Input(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).number().is_err(), "65 bits");
        assert!(Input(&[4, 0, 0, 0]).bytes(3).is_err() && Input(&[4, 0, 0, 0]).bytes(4).is_err());
    }
}
