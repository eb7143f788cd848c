//! The recipes of packed files, as they are in the flat target, behind the listing.
//!
//! FORMAT.md has their bytes, in the chapter on directories.

use std::ops::Range;
use std::sync::Arc;

use gosync_chunks::FileHash;
use gosync_packed::Recipe;

use crate::codec::{Input, put_bytes, put_number};
use crate::error::Error;
use crate::listing::error::ListingError;

/// The longest opened file: lengths of them can be added up.
const LONGEST: u64 = 1 << 62;

/// Which contents are opened, and how they are closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recipes {
    bytes: Arc<[u8]>,
    /// By the numbers of their contents.
    packed: Vec<Packed>,
}

/// A content that is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    /// Its number.
    pub(crate) content: usize,
    /// How many bytes it is opened.
    pub(crate) length: u64,
    /// The BLAKE3 of these.
    pub(crate) hash: FileHash,
    /// Where its recipe is among the bytes.
    recipe: Range<usize>,
}

impl Recipes {
    /// Those of the contents with these numbers, which ascend: each with the hash of what is opened.
    pub(crate) fn new(recipes: &[(usize, FileHash, Recipe)]) -> Self {
        let (mut bytes, mut packed, mut next) = (Vec::new(), Vec::new(), 0);
        for (content, hash, recipe) in recipes {
            put_number(&mut bytes, (content - next) as u64);
            put_number(&mut bytes, recipe.flat_len());
            bytes.extend_from_slice(&hash.0);
            let recipe_bytes = recipe.to_bytes();
            put_bytes(&mut bytes, &recipe_bytes);
            let range = bytes.len() - recipe_bytes.len()..bytes.len();
            packed.push(Packed { content: *content, length: recipe.flat_len(), hash: *hash, recipe: range });
            next = content + 1;
        }
        Self { bytes: bytes.into(), packed }
    }

    /// Reads them. The recipes themselves are read where they are needed.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ListingError> {
        let mut input = Input(bytes);
        let (mut packed, mut next) = (Vec::new(), 0usize);
        while !input.0.is_empty() {
            let skipped = usize::try_from(input.number()?).ok();
            let content = skipped.and_then(|skipped| next.checked_add(skipped)).filter(|content| *content < usize::MAX);
            let content = content.ok_or(ListingError::new("a recipe is of a file that is not there"))?;
            let length = input.number()?;
            if length > LONGEST {
                return Err(ListingError::new("a packed file is opened to too many bytes"));
            }
            let hash = FileHash(input.array()?);
            let len = input.bytes(usize::MAX)?.len();
            let end = bytes.len() - input.0.len();
            packed.push(Packed { content, length, hash, recipe: end - len..end });
            next = content + 1;
        }
        Ok(Self { bytes: bytes.into(), packed })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn packed(&self) -> &[Packed] {
        &self.packed
    }

    /// The recipe of the packed file with this number, which has so many bytes.
    ///
    /// # Errors
    ///
    /// When it is none, or is for another file.
    pub(crate) fn recipe(&self, number: usize, packed_len: u64) -> Result<Recipe, Error> {
        let packed = &self.packed[number];
        let recipe = Recipe::from_bytes(&self.bytes[packed.recipe.clone()])?;
        match (recipe.packed_len(), recipe.flat_len()) == (packed_len, packed.length) {
            true => Ok(recipe),
            false => Err(ListingError::new("a recipe is for another file").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_packed::{Encoder, Options, open};
    use std::io::Read;

    fn recipe(text: &[u8]) -> Recipe {
        let mut file = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
        Encoder::zlib(6).deflate(text).read_to_end(&mut file).unwrap();
        file.extend([0; 8]);
        open(&file, &Options::default(), &()).unwrap().recipe().clone()
    }

    /// These bytes are what FORMAT.md says, for ever.
    #[test]
    fn bytes_are_as_specified() {
        let (one, other) = (recipe(b"abc"), recipe(&[7; 1000]));
        let recipes = Recipes::new(&[(2, FileHash([1; 32]), one.clone()), (4, FileHash([2; 32]), other.clone())]);
        let (one, other) = (one.to_bytes(), other.to_bytes());
        let expected = [
            &[2, 21][..],
            &[1; 32],
            &[one.len() as u8],
            &one,
            &[1, 0xfa, 0x07],
            &[2; 32],
            &[other.len() as u8],
            &other,
        ];
        assert_eq!(recipes.bytes(), expected.concat());
    }

    #[test]
    fn they_come_back_and_nothing_else_does() {
        let recipes = Recipes::new(&[(0, FileHash([1; 32]), recipe(b"abc")), (9, FileHash([2; 32]), recipe(b"def"))]);
        let bytes = recipes.bytes().to_vec();
        let read = Recipes::read(&bytes).unwrap();
        assert_eq!(read.packed(), recipes.packed());
        let first = recipes.packed()[0].recipe.end;
        for len in 1..bytes.len() {
            assert_eq!(Recipes::read(&bytes[..len]).is_ok(), len == first, "{len}");
        }
        let mut far = vec![0xff; 9];
        far.push(1);
        far.extend(&bytes[1..]);
        assert!(Recipes::read(&far).is_err());
        assert!(Recipes::read(&[]).unwrap().packed().is_empty());
    }
}
