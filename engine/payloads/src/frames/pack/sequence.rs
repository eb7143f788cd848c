//! What a frame is made of.

use super::codes::{self, Code};

/// The recent offsets that a frame begins with.
pub(super) const FIRST_OFFSETS: [u32; 3] = [1, 4, 8];

/// Literals, and then a copy of what is `offset` bytes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) literals: u32,
    pub(super) length: u32,
    pub(super) offset: u32,
}

/// What a frame is made of: sequences, and literals, of which some are left after the last.
#[derive(Clone, Debug, Default)]
pub(super) struct Parsed {
    pub(super) sequences: Vec<Sequence>,
    pub(super) literals: Vec<u8>,
}

/// A sequence in codes.
#[derive(Clone, Copy)]
pub(super) struct Coded {
    pub(super) literals: Code,
    pub(super) length: Code,
    pub(super) offset: Code,
}

/// Turns sequences into codes, one after another.
pub(super) fn coded(sequences: &[Sequence]) -> impl Iterator<Item = Coded> {
    let mut recent = FIRST_OFFSETS;
    sequences.iter().map(move |sequence| Coded {
        literals: codes::literal_length(sequence.literals),
        length: codes::match_length(sequence.length),
        offset: codes::offset(offset_value(&mut recent, sequence.offset, sequence.literals == 0)),
    })
}

/// The value that an offset is written as, given the recent ones, which it joins.
fn offset_value(recent: &mut [u32; 3], offset: u32, no_literals: bool) -> u32 {
    let [first, second, third] = *recent;
    // Without literals between them, two copies of one offset would have been one copy.
    let choices = if no_literals { [second, third, first.wrapping_sub(1)] } else { *recent };
    let value = choices.iter().position(|recent| *recent == offset).map_or(offset + 3, |at| at as u32 + 1);
    // Which of the recent ones it was.
    let place = if value <= 3 { value - 1 + u32::from(no_literals) } else { 3 };
    match place {
        0 => {}
        1 => *recent = [offset, first, third],
        _ => *recent = [offset, first, second],
    }
    value
}
