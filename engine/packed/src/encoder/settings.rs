//! Which encoders there are, and what they do differently.

use std::fmt;

use crate::deflate::symbols::MAX_MATCH;

/// An encoder of deflate whose choices are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Encoder {
    family: Family,
    level: u8,
    memory: u8,
    strategy: Strategy,
}

/// Programs that choose alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// zlib as Gailly and Adler publish it: Python, Java, most of what packs.
    Zlib,
    /// zlib as Chromium has it, which is in Node too: another hash.
    Chromium,
    /// GNU gzip, from which zlib came: longer blocks, and an end of its own.
    Gzip,
}

/// What zlib calls a strategy: the kinds of matches that are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// All of them.
    #[default]
    Default,
    /// None of five bytes or fewer.
    Filtered,
    /// None at all.
    HuffmanOnly,
    /// Runs of one byte.
    Runs,
    /// All, and codes that are not made for the data.
    Fixed,
}

impl Encoder {
    /// zlib at `level` 1 to 9, with as much memory as it takes unless asked otherwise (8).
    pub const fn zlib(level: u8) -> Self {
        Self { family: Family::Zlib, level, memory: 8, strategy: Strategy::Default }
    }

    /// Chromium's zlib at `level` 1 to 9, as Node has it.
    pub const fn chromium(level: u8) -> Self {
        Self { family: Family::Chromium, level, memory: 8, strategy: Strategy::Default }
    }

    /// GNU gzip at `level` 1 to 9. Memory and strategies are zlib's only.
    pub const fn gzip(level: u8) -> Self {
        Self { family: Family::Gzip, level, memory: 8, strategy: Strategy::Default }
    }

    /// Whether it has been told how much memory to take.
    pub(crate) const fn has_memory(self) -> bool {
        !matches!(self.family, Family::Gzip)
    }

    /// The same with `memory` 1 to 9.
    #[must_use]
    pub const fn with_memory(mut self, memory: u8) -> Self {
        self.memory = memory;
        self
    }

    /// The same with another strategy.
    #[must_use]
    pub const fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// As four bytes of a recipe.
    pub(crate) fn to_bytes(self) -> [u8; 4] {
        let family = match self.family {
            Family::Zlib => 1,
            Family::Chromium => 2,
            Family::Gzip => 3,
        };
        [family, self.level, self.memory, self.strategy as u8]
    }

    /// Out of four bytes of a recipe; `None` where none of ours has them.
    pub(crate) fn from_bytes([family, level, memory, strategy]: [u8; 4]) -> Option<Self> {
        let family = match family {
            1 => Family::Zlib,
            2 => Family::Chromium,
            3 => Family::Gzip,
            _ => return None,
        };
        let strategy = *[Strategy::Default, Strategy::Filtered, Strategy::HuffmanOnly, Strategy::Runs, Strategy::Fixed]
            .get(usize::from(strategy))?;
        let is_known = (1..=9).contains(&level) && (1..=9).contains(&memory);
        let encoder = Self { family, level, memory, strategy };
        let is_plain = memory == 8 && strategy == Strategy::Default;
        (is_known && (encoder.has_memory() || is_plain)).then_some(encoder)
    }

    pub(crate) fn settings(self) -> Settings {
        let effort = |good, lazy, nice, chain| Effort { good, lazy, nice, chain };
        // zlib's table of levels, which has not changed since 1995.
        let effort = match self.level {
            0 | 1 => effort(4, 4, 8, 4),
            2 => effort(4, 5, 16, 8),
            3 => effort(4, 6, 32, 32),
            4 => effort(4, 4, 16, 16),
            5 => effort(8, 16, 32, 32),
            6 => effort(8, 16, 128, 128),
            7 => effort(8, 32, 128, 256),
            8 => effort(32, 128, MAX_MATCH, 1024),
            _ => effort(32, MAX_MATCH, MAX_MATCH, 4096),
        };
        let way = match self.strategy {
            Strategy::HuffmanOnly => Way::Literals,
            Strategy::Runs => Way::Runs,
            _ if self.level < 4 => Way::Fast,
            _ => Way::Lazy,
        };
        let memory = self.memory.clamp(1, 9);
        let hash_bits = u32::from(memory) + 7;
        let blocks = (1 << (memory + 6)) - 1;
        let (hash, blocks) = match self.family {
            Family::Zlib => (Hash::Three(hash_bits), Blocks::Of(blocks)),
            Family::Chromium => (Hash::Four(hash_bits.max(15)), Blocks::Of(blocks)),
            Family::Gzip => (Hash::Three(15), Blocks::Gzip { is_cut: self.level > 2 }),
        };
        Settings {
            way,
            effort,
            hash,
            blocks,
            is_filtered: self.strategy == Strategy::Filtered,
            has_fixed_codes: self.strategy == Strategy::Fixed,
            has_gzips_end: self.family == Family::Gzip,
        }
    }
}

impl fmt::Display for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.family {
            Family::Zlib => write!(f, "zlib -{}", self.level)?,
            Family::Chromium => write!(f, "Chromium's zlib -{}", self.level)?,
            Family::Gzip => write!(f, "gzip -{}", self.level)?,
        }
        if self.memory != 8 {
            write!(f, ", memory {}", self.memory)?;
        }
        match self.strategy {
            Strategy::Default => Ok(()),
            Strategy::Filtered => f.write_str(", filtered"),
            Strategy::HuffmanOnly => f.write_str(", Huffman only"),
            Strategy::Runs => f.write_str(", runs"),
            Strategy::Fixed => f.write_str(", fixed codes"),
        }
    }
}

/// What an encoder does, in particular.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) way: Way,
    pub(crate) effort: Effort,
    pub(crate) hash: Hash,
    pub(crate) blocks: Blocks,
    /// Matches of five bytes or fewer are not taken.
    pub(crate) is_filtered: bool,
    /// Codes are not made for the data.
    pub(crate) has_fixed_codes: bool,
    /// The end of the data is gone over as GNU gzip does.
    pub(crate) has_gzips_end: bool,
}

/// What places are found by: so many bits of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    /// Three bytes, put together by shifts.
    Three(u32),
    /// Four bytes, multiplied.
    Four(u32),
}

/// How long is looked for matches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// A match of this length before makes a quarter of the effort enough.
    pub(crate) good: usize,
    /// A match is taken at once if it is longer; the fast way puts down what a longer one has
    /// only at its beginning.
    pub(crate) lazy: usize,
    /// A match of this length is long enough.
    pub(crate) nice: usize,
    /// How many places are tried.
    pub(crate) chain: usize,
}

/// How tokens are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Fast,
    Lazy,
    Runs,
    Literals,
}

/// Where blocks end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// Behind so many tokens.
    Of(usize),
    /// Behind 32,767 tokens, or where a look at every 4,096th token finds that few of them are
    /// matches and that they compress well, if it `is_cut` there.
    Gzip {
        /// Whether it looks.
        is_cut: bool,
    },
}
