//! Numbers, as a recipe has them.

use crate::error::RecipeError;

/// Appends `number`, seven bits a byte, the lowest first; the top bit says that more follow.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// What is left to be read of some bytes that nobody vouches for.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], RecipeError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(RecipeError::new("it ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], RecipeError> {
        Ok(self.take(N)?.try_into().expect("as many as were taken"))
    }

    /// A number, in as few bytes as it can be.
    pub(crate) fn number(&mut self) -> Result<u64, RecipeError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return match byte == 0 && shift > 0 {
                    false => Ok(number),
                    true => Err(RecipeError::new("a number is longer than it need be")),
                };
            }
        }
        Err(RecipeError::new("a number is too large"))
    }

    /// How many there are of something that has `least` bytes each in what is left.
    pub(crate) fn count(&mut self, least: usize) -> Result<usize, RecipeError> {
        let most = self.0.len() / least;
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count <= most { Ok(count) } else { Err(RecipeError::new("it ends too early")) }
    }
}
