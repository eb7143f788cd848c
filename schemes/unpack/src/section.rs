//! What the index says of a packed file, beyond the sums of what is in it.
//!
//! FORMAT.md has its bytes, in the chapter on packed files.

use std::io::Read;

use flate2::read::DeflateDecoder;
use gosync_chunks::{FileHash, Transfer};
use gosync_layers::format::{LayeredIndex, Section, SectionId};
use gosync_packed::{Encoder, Recipe};

use crate::error::SectionError;

/// The section of a packed file. It is critical: its flat target is not the published file.
pub const SECTION: SectionId = SectionId(1 << 31 | 2);

/// The version of the section.
const VERSION: u8 = 1;

/// How the recipe is there.
const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;

/// A compressed recipe has no more than so many times its bytes, and so many more.
const MOST_TIMES: u64 = 64;
const MOST_MORE: u64 = 1 << 16;

/// What the section says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedInfo {
    /// The BLAKE3 of the packed file.
    pub file_hash: FileHash,
    /// How the packed file is closed, of what the flat target has. It tells its length.
    pub recipe: Recipe,
}

impl PackedInfo {
    /// What `index` says of its packed file, and what reading that took; `None` where its target is
    /// the published file itself.
    ///
    /// # Errors
    ///
    /// When the section cannot be read, is damaged, or does not go with the index.
    pub fn of(index: &LayeredIndex) -> Result<Option<(Self, Transfer)>, gosync_update::Error> {
        let Some((bytes, transfer)) = index.section_and_more(SECTION)? else { return Ok(None) };
        let info = Self::read(&bytes)?;
        if info.recipe.flat_len() != index.length() {
            return Err(SectionError::new("its recipe is for another target").into());
        }
        if index.payload().is_none() {
            return Err(SectionError::new("the index has no payload of what is in the file").into());
        }
        Ok(Some((info, transfer)))
    }

    /// The section with all of this.
    pub fn section(&self) -> Section {
        let recipe = self.recipe.to_bytes();
        let mut deflated = Vec::new();
        // This encoder makes the same of it for ever, and so the same index.
        Encoder::zlib(9).deflate(&recipe[..]).read_to_end(&mut deflated).expect("memory can be read");
        let is_worth_it = deflated.len() < recipe.len() && recipe.len() as u64 <= most(deflated.len());
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.recipe.packed_len().to_le_bytes());
        bytes.extend_from_slice(&self.file_hash.0);
        bytes.push(if is_worth_it { DEFLATED } else { PLAIN });
        bytes.extend_from_slice(&(recipe.len() as u64).to_le_bytes());
        bytes.extend_from_slice(if is_worth_it { &deflated } else { &recipe });
        Section { id: SECTION, bytes }
    }

    /// Reads the section.
    ///
    /// # Errors
    ///
    /// When it is none, or of another version.
    pub fn read(bytes: &[u8]) -> Result<Self, SectionError> {
        let mut rest = bytes;
        if take(&mut rest)? != [VERSION] {
            return Err(SectionError::new("it is of a version that this program does not know"));
        }
        let packed = u64::from_le_bytes(take(&mut rest)?);
        let file_hash = FileHash(take(&mut rest)?);
        let [kind] = take(&mut rest)?;
        let len = u64::from_le_bytes(take(&mut rest)?);
        let recipe = match kind {
            PLAIN => rest.to_vec(),
            DEFLATED => inflated(rest, len)?,
            _ => return Err(SectionError::new("its recipe is compressed in an unknown way")),
        };
        if recipe.len() as u64 != len {
            return Err(SectionError::new("its recipe has another length"));
        }
        let recipe = Recipe::from_bytes(&recipe)?;
        if recipe.packed_len() != packed {
            return Err(SectionError::new("its recipe is for another file"));
        }
        Ok(Self { file_hash, recipe })
    }
}

/// How long a recipe may be of which there are `compressed` bytes.
fn most(compressed: usize) -> u64 {
    (compressed as u64).saturating_mul(MOST_TIMES).saturating_add(MOST_MORE)
}

/// The `len` bytes that `bytes` are compressed, all of them.
fn inflated(bytes: &[u8], len: u64) -> Result<Vec<u8>, SectionError> {
    if len > most(bytes.len()) {
        return Err(SectionError::new("its recipe is too long"));
    }
    let mut decoder = DeflateDecoder::new(bytes);
    let mut recipe = Vec::new();
    let read = decoder.by_ref().take(len + 1).read_to_end(&mut recipe);
    match read {
        Ok(_) if decoder.total_in() == bytes.len() as u64 => Ok(recipe),
        _ => Err(SectionError::new("its recipe cannot be decompressed")),
    }
}

/// Takes the next `N` of the bytes that are left.
fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SectionError> {
    let (first, others) = rest.split_first_chunk().ok_or(SectionError::new("it ends too early"))?;
    *rest = others;
    Ok(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_packed::{Options, open};

    fn info(members: u8) -> PackedInfo {
        let mut file = Vec::new();
        for member in 0..members {
            file.extend(b"\x1f\x8b\x08\0\0\0\0\0\0\x03");
            let plain = vec![member; 1000 + usize::from(member)];
            Encoder::zlib(6).deflate(&plain[..]).read_to_end(&mut file).unwrap();
            file.extend([0; 8]);
        }
        let recipe = open(&file, &Options::default(), &()).unwrap().recipe().clone();
        assert_eq!(recipe.streams().len(), usize::from(members));
        PackedInfo { file_hash: FileHash([7; 32]), recipe }
    }

    /// The section of a gzip file of three bytes: these bytes are what FORMAT.md says, for ever.
    #[test]
    fn bytes_are_as_specified() {
        let packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x4c\x4a\x06\0\xc2\x41\x24\x35\x03\0\0\0".to_vec();
        let recipe = open(&packed, &Options::default(), &()).unwrap().recipe().clone();
        let bytes = PackedInfo { file_hash: FileHash([7; 32]), recipe: recipe.clone() }.section().bytes;
        let expected = [&[1, 23, 0, 0, 0, 0, 0, 0, 0][..], &[7; 32], &[0], &[23, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(bytes, [expected, recipe.to_bytes()].concat());
    }

    #[test]
    fn comes_back() {
        for (members, kind) in [(1, PLAIN), (200, DEFLATED)] {
            let info = info(members);
            let Section { id, bytes } = info.section();
            assert!(id.is_critical() && id == SECTION);
            let at = 1 + 8 + 32;
            assert_eq!(bytes[at], kind);
            assert_eq!(PackedInfo::read(&bytes), Ok(info));
            for len in 0..bytes.len() {
                assert!(PackedInfo::read(&bytes[..len]).is_err(), "{len}");
            }
            assert!(PackedInfo::read(&[&bytes[..], b"x"].concat()).is_err());
            assert!(PackedInfo::read(&[&[2], &bytes[1..]].concat()).is_err());
            let mut changed = bytes.clone();
            changed[1] ^= 1;
            let error = PackedInfo::read(&changed).unwrap_err();
            assert_eq!(error, SectionError::new("its recipe is for another file"));
            changed = bytes.clone();
            changed[at] = 2;
            let error = PackedInfo::read(&changed).unwrap_err();
            assert_eq!(error, SectionError::new("its recipe is compressed in an unknown way"));
        }
    }

    #[test]
    fn a_recipe_does_not_grow_without_bounds() {
        let zeros = vec![0; 2 << 20];
        let mut deflated = Vec::new();
        Encoder::zlib(9).deflate(&zeros[..]).read_to_end(&mut deflated).unwrap();
        let mut bytes = vec![VERSION];
        bytes.extend([0; 8 + 32]);
        bytes.push(DEFLATED);
        bytes.extend((zeros.len() as u64).to_le_bytes());
        bytes.extend(deflated);
        assert_eq!(PackedInfo::read(&bytes), Err(SectionError::new("its recipe is too long")));
    }
}
