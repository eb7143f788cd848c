//! What the index says of a tree, beyond the sums of its flat target.

use std::path::Path;

use gosync_chunks::Transfer;
use gosync_layers::format::{LayeredIndex, Section, SectionId};

use crate::codec::{Input, put_bytes, put_number};
use crate::listing::error::ListingError;
use crate::work::remembered_section;

/// The section of a directory. It is critical: its flat target is no file.
pub const SECTION: SectionId = SectionId(1 << 31 | 1);

/// The version of the section.
const VERSION: u8 = 1;

/// That of a directory in whose target packed files are opened.
const VERSION_PACKED: u8 = 2;

/// Bytes of an index behind a URL that are worth being read at first where a directory is updated:
/// mostly its head, which tells whether anything has changed.
pub const FIRST_BYTES: u64 = 2 << 10;

/// Bytes of all patterns, at most.
const LONGEST_PATTERNS: usize = 1 << 20;

/// What the section says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeInfo {
    /// Bytes of the listing, which the flat target begins with.
    pub listing_length: u64,
    /// BLAKE3 of these.
    pub listing_hash: [u8; 32],
    /// How many entries the listing has.
    pub entries: u64,
    /// How many of them are files, each name counted.
    pub files: u64,
    /// Bytes of all these files.
    pub bytes: u64,
    /// What was left out, line by line in the syntax of gitignore.
    pub excludes: String,
    /// What it says of packed files, where the target has some opened.
    pub packed: Option<PackedFiles>,
}

/// The packed files of a directory that are opened in its flat target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedFiles {
    /// Bytes of their recipes, which come behind the listing.
    pub recipes_length: u64,
    /// BLAKE3 of these.
    pub recipes_hash: [u8; 32],
    /// How many they are. Those that are equal are one.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes that they are opened to.
    pub opened_bytes: u64,
}

impl TreeInfo {
    /// What `index` says of its tree; `None` where its target is a file.
    ///
    /// # Errors
    ///
    /// When the section cannot be read, or is damaged.
    pub fn of(index: &LayeredIndex) -> Result<Option<Self>, gosync_update::Error> {
        let Some((bytes, _)) = index.section(SECTION)? else { return Ok(None) };
        Self::of_bytes(&bytes, index).map(Some)
    }

    /// The same, and what reading it took. The directory at `path`, which is to be updated, mostly
    /// has the section of the version that it has; the head of the index tells whether it is the
    /// same.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub fn open(index: &LayeredIndex, path: &Path) -> Result<Option<(Self, Transfer)>, gosync_update::Error> {
        let Some(hash) = index.section_hash(SECTION) else { return Ok(None) };
        let remembered = remembered_section(path);
        let read = match &remembered {
            Some(bytes) if *blake3::hash(bytes).as_bytes() == hash => None,
            Some(_) => index.section_and_more(SECTION)?,
            None => index.section(SECTION)?,
        };
        let (bytes, transfer) = read.or(remembered.map(|bytes| (bytes, Transfer::default()))).unwrap_or_default();
        Ok(Some((Self::of_bytes(&bytes, index)?, transfer)))
    }

    fn of_bytes(bytes: &[u8], index: &LayeredIndex) -> Result<Self, gosync_update::Error> {
        let info = Self::read(bytes)?;
        match info.packed.is_some() && index.payload().is_none() {
            true => Err(ListingError::new("the index has no payload of what is in packed files").into()),
            false => Ok(info),
        }
    }

    /// Bytes that the flat target begins with: the listing, and the recipes of packed files.
    pub fn front_length(&self) -> u64 {
        self.listing_length.saturating_add(self.packed.as_ref().map_or(0, |packed| packed.recipes_length))
    }

    /// Bytes of all files, where packed ones are opened.
    pub fn opened_bytes(&self) -> u64 {
        let packed = self.packed.as_ref();
        packed.map_or(self.bytes, |packed| self.bytes.saturating_sub(packed.bytes).saturating_add(packed.opened_bytes))
    }

    /// The section with all of this.
    pub(crate) fn section(&self) -> Section {
        let mut bytes = vec![if self.packed.is_some() { VERSION_PACKED } else { VERSION }];
        put_number(&mut bytes, self.listing_length);
        bytes.extend_from_slice(&self.listing_hash);
        for number in [self.entries, self.files, self.bytes] {
            put_number(&mut bytes, number);
        }
        put_bytes(&mut bytes, self.excludes.as_bytes());
        if let Some(packed) = &self.packed {
            put_number(&mut bytes, packed.recipes_length);
            bytes.extend_from_slice(&packed.recipes_hash);
            for number in [packed.files, packed.bytes, packed.opened_bytes] {
                put_number(&mut bytes, number);
            }
        }
        Section { id: SECTION, bytes }
    }

    /// Reads the section.
    ///
    /// # Errors
    ///
    /// When it is none, or of another version.
    pub fn read(bytes: &[u8]) -> Result<Self, ListingError> {
        let mut input = Input(bytes);
        let version = input.byte()?;
        if !(VERSION..=VERSION_PACKED).contains(&version) {
            return Err(ListingError::new("it is of a version that this program does not know"));
        }
        let listing_length = input.number()?;
        let listing_hash = input.array()?;
        let (entries, files, bytes) = (input.number()?, input.number()?, input.number()?);
        let excludes = std::str::from_utf8(input.bytes(LONGEST_PATTERNS)?);
        let excludes = excludes.map_err(|_| ListingError::new("the patterns are no text"))?.to_owned();
        let packed = match version {
            VERSION_PACKED => Some(PackedFiles {
                recipes_length: input.number()?,
                recipes_hash: input.array()?,
                files: input.number()?,
                bytes: input.number()?,
                opened_bytes: input.number()?,
            }),
            _ => None,
        };
        input.end()?;
        Ok(Self { listing_length, listing_hash, entries, files, bytes, excludes, packed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back() {
        let packed =
            PackedFiles { recipes_length: 200, recipes_hash: [9; 32], files: 2, bytes: 1 << 20, opened_bytes: 1 << 22 };
        for (packed, opened_bytes) in [(None, 1 << 40), (Some(packed), (1 << 40) + (3 << 20))] {
            let info = TreeInfo {
                listing_length: 300,
                listing_hash: [7; 32],
                entries: 5,
                files: 3,
                bytes: 1 << 40,
                excludes: "*.log\n/target\n".into(),
                packed,
            };
            assert_eq!(info.opened_bytes(), opened_bytes);
            let Section { id, bytes } = info.section();
            assert!(id.is_critical() && id == SECTION);
            assert_eq!(TreeInfo::read(&bytes), Ok(info));
            for len in 0..bytes.len() {
                assert!(TreeInfo::read(&bytes[..len]).is_err(), "{len}");
            }
            assert!(TreeInfo::read(&[&bytes[..], b"x"].concat()).is_err());
            for version in [0, 3 - bytes[0], 3] {
                assert!(TreeInfo::read(&[&[version], &bytes[1..]].concat()).is_err());
            }
        }
    }
}
