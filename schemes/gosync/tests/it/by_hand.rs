//! An index of our own, put together from FORMAT.md alone.

use gosync_chunks::StrongHasher;
use gosync_sums::Xxh3;

use crate::{KEY_MULTIPLIER, polynomial};

/// What goes into an index.
#[derive(Clone)]
pub(crate) struct ByHand<'a> {
    pub(crate) data: &'a [u8],
    /// What has the hash and the tree, where that is other data with the same sums.
    pub(crate) hashed: Option<&'a [u8]>,
    pub(crate) sizes: &'a [u32],
    pub(crate) name: &'a str,
    pub(crate) strong_len: usize,
    pub(crate) salt: u64,
    /// The id and the content of each section.
    pub(crate) sections: &'a [(u32, &'a [u8])],
}

impl<'a> ByHand<'a> {
    /// With the salt and the lengths that the program chooses.
    pub(crate) fn new(data: &'a [u8], sizes: &'a [u32], name: &'a str) -> Self {
        Self { data, hashed: None, sizes, name, strong_len: strong_len(data, sizes), salt: salt(data), sections: &[] }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let hasher = Xxh3::truncated(self.strong_len, self.salt).unwrap();
        let records = |&size: &u32| -> Vec<u8> {
            let record = |block| {
                let weak = polynomial(block, KEY_MULTIPLIER).to_le_bytes();
                [&weak, hasher.sum(block).as_bytes()].concat()
            };
            self.data.chunks(size as usize).flat_map(record).collect()
        };
        let layers: Vec<Vec<u8>> = self.sizes.iter().map(records).collect();
        let hashed = self.hashed.unwrap_or(self.data);
        let tree = tree(hashed);

        let mut header = Vec::new();
        header.extend((self.name.len() as u64).to_le_bytes());
        header.extend(self.name.bytes());
        header.extend((self.data.len() as u64).to_le_bytes());
        header.extend(blake3::hash(hashed).as_bytes());
        header.extend([2, 2, self.strong_len as u8, 32]);
        header.extend(self.salt.to_le_bytes());
        header.extend((layers.len() as u64).to_le_bytes());
        for (size, records) in self.sizes.iter().zip(&layers) {
            header.extend(size.to_le_bytes());
            header.push(0);
            header.extend(blake3::hash(records).as_bytes());
        }
        header.push(0);
        header.extend(blake3::hash(&tree).as_bytes());
        header.extend((self.sections.len() as u64).to_le_bytes());
        for (id, content) in self.sections {
            header.extend(id.to_le_bytes());
            header.extend((content.len() as u64).to_le_bytes());
            header.extend(blake3::hash(content).as_bytes());
        }

        let mut index = b"\x89GOSYNC\n\x02\x00\x00\x00".to_vec();
        index.extend((header.len() as u32).to_le_bytes());
        index.extend(header);
        while !index.len().is_multiple_of(8) {
            index.push(0);
        }
        index.extend(blake3::hash(&index).as_bytes());
        layers.iter().for_each(|records| index.extend(records));
        index.extend(tree);
        self.sections.iter().for_each(|(_, content)| index.extend(*content));
        index
    }
}

/// BLAKE3's nodes for each mebibyte.
fn tree(data: &[u8]) -> Vec<u8> {
    use blake3::hazmat::HasherExt;
    const SUBTREE: usize = 1 << 20;
    if data.len() <= SUBTREE {
        return if data.is_empty() { Vec::new() } else { blake3::hash(data).as_bytes().to_vec() };
    }
    let node = |(at, piece)| {
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset((at * SUBTREE) as u64);
        hasher.update(piece).finalize_non_root()
    };
    data.chunks(SUBTREE).enumerate().flat_map(node).collect()
}

fn strong_len(data: &[u8], sizes: &[u32]) -> usize {
    let log = |number: usize| (0..).find(|&log| 1 << log >= number.max(2)).unwrap();
    let places = if sizes.len() == 1 { log(2 * data.len()) } else { 1 };
    let bits: usize = log(data.len().div_ceil(*sizes.last().unwrap() as usize)) + places;
    bits.div_ceil(8).max(3)
}

fn salt(data: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("gosync index v2 salt");
    hasher.update(&(data.len() as u64).to_le_bytes()).update(&data[..data.len().min(65_536)]);
    u64::from_le_bytes(hasher.finalize().as_bytes()[..8].try_into().unwrap())
}
