//! What deflate makes of bytes before Huffman's codes.

/// A byte as it is, or a repetition of bytes that came before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(u32);

impl Token {
    #[inline]
    pub(crate) fn literal(byte: u8) -> Self {
        Self(u32::from(byte))
    }

    /// `length` bytes, 3 to 258, from `distance` bytes back, 1 to 32,768.
    #[inline]
    pub(crate) fn repeat(length: usize, distance: usize) -> Self {
        Self((distance as u32) << 16 | length as u32)
    }

    /// The distance of a repetition; 0 for a literal.
    #[inline]
    pub(crate) fn distance(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// The byte of a literal, the length of a repetition.
    #[inline]
    pub(crate) fn value(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    /// How many bytes it makes.
    #[inline]
    pub(crate) fn len(self) -> usize {
        if self.distance() == 0 { 1 } else { self.value() }
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.distance() {
            0 => write!(f, "{:?}", self.value() as u8 as char),
            distance => write!(f, "{} from {distance}", self.value()),
        }
    }
}

/// The kinds of blocks, as deflate numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Stored = 0,
    Fixed = 1,
    Dynamic = 2,
}
