//! What an index says beyond the sums of a flat target: sections, each for one scheme.

use std::collections::BTreeSet;

use gosync_chunks::ByteRange;

use super::error::FormatError;
use super::header::SectionHeader;

/// What a section is. FORMAT.md lists the numbers that are given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionId(pub u32);

impl SectionId {
    /// The bit that makes a section critical.
    const CRITICAL: u32 = 1 << 31;

    /// Whether a reader that does not understand the section must not use the index.
    pub fn is_critical(self) -> bool {
        self.0 & Self::CRITICAL != 0
    }

    /// The same number for a section that is critical.
    #[must_use]
    pub fn critical(self) -> Self {
        Self(self.0 | Self::CRITICAL)
    }
}

/// A section to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is. Each number comes once.
    pub id: SectionId,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Section {
    pub(super) fn header(&self) -> SectionHeader {
        let hash = *blake3::hash(&self.bytes).as_bytes();
        SectionHeader { id: self.id.0, length: self.bytes.len() as u64, hash }
    }
}

/// Whether one of `ids` comes twice, which no index may have.
pub fn comes_twice(ids: impl IntoIterator<Item = SectionId>) -> bool {
    let mut seen = BTreeSet::new();
    ids.into_iter().any(|id| !seen.insert(id))
}

/// The sections that an index says it has, in the order of the file.
#[derive(Clone, Copy, Debug)]
pub struct Sections<'a>(&'a [SectionHeader]);

impl<'a> Sections<'a> {
    pub(super) fn new(headers: &'a [SectionHeader]) -> Self {
        Self(headers)
    }

    /// What each is, and its length in bytes.
    pub fn iter(self) -> impl Iterator<Item = (SectionId, u64)> + 'a {
        self.0.iter().map(|section| (SectionId(section.id), section.length))
    }

    /// Refuses numbers that come twice, and critical sections that a reader does not understand.
    pub(super) fn check(self, understands: impl Fn(SectionId) -> bool) -> Result<(), FormatError> {
        if comes_twice(self.iter().map(|(id, _)| id)) {
            return Err(FormatError::Corrupt { what: "it has a section twice" });
        }
        match self.iter().find(|&(id, _)| id.is_critical() && !understands(id)) {
            Some((id, _)) => Err(FormatError::Unsupported { what: "section", value: id.0 }),
            None => Ok(()),
        }
    }

    /// Each section and where it is in the index, the first at `offset`.
    pub(super) fn placed(self, mut offset: u64) -> impl Iterator<Item = (&'a SectionHeader, ByteRange)> {
        self.0.iter().map(move |section| {
            let range = ByteRange::at(offset, section.length);
            offset = range.end;
            (section, range)
        })
    }
}
