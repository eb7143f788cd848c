//! Zip files, made by hand so that they can be wrong.

use std::io::Read;

use gosync_packed::{Encoder, Options, close, open};

/// A zip file with these members, deflated by `encoder`.
pub(crate) fn zip(members: &[&[u8]], encoder: Encoder) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut entries = Vec::new();
    for member in members {
        let mut packed = Vec::new();
        encoder.deflate(*member).read_to_end(&mut packed).unwrap();
        entries.push(Entry {
            at: zip.len() as u32,
            packed: packed.len() as u32,
            plain: member.len() as u32,
            method: 8,
        });
        zip.extend(entries.last().unwrap().local());
        zip.extend(packed);
    }
    finish(zip, &entries)
}

/// What is said of a member.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) at: u32,
    pub(crate) packed: u32,
    pub(crate) plain: u32,
    pub(crate) method: u16,
}

impl Entry {
    /// Its local header.
    pub(crate) fn local(&self) -> Vec<u8> {
        let mut header = b"PK\x03\x04\x14\0\0\0".to_vec();
        self.put(&mut header);
        header.extend([1, 0, 0, 0]);
        header.push(b'm');
        header
    }

    fn put(&self, header: &mut Vec<u8>) {
        header.extend(self.method.to_le_bytes());
        header.extend([0; 8]);
        header.extend(self.packed.to_le_bytes());
        header.extend(self.plain.to_le_bytes());
    }
}

/// Adds the central directory to the members in `zip`.
pub(crate) fn finish(mut zip: Vec<u8>, entries: &[Entry]) -> Vec<u8> {
    let start = zip.len();
    for entry in entries {
        zip.extend(b"PK\x01\x02\x14\0\x14\0\0\0");
        entry.put(&mut zip);
        zip.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        zip.extend(entry.at.to_le_bytes());
        zip.push(b'm');
    }
    let size = zip.len() - start;
    zip.extend(b"PK\x05\x06\0\0\0\0");
    (0..2).for_each(|_| zip.extend((entries.len() as u16).to_le_bytes()));
    zip.extend((size as u32).to_le_bytes());
    zip.extend((start as u32).to_le_bytes());
    zip.extend([0, 0]);
    zip
}

/// Opens `packed`, checks that it closes to the same, also from the bytes of its recipe, and
/// returns how many streams were opened, and of what length all is then.
pub(crate) fn round_trip(packed: &[u8]) -> (usize, u64) {
    let packed = packed.to_vec();
    let opened = open(&packed, &Options::default(), &()).unwrap();
    let recipe = gosync_packed::Recipe::from_bytes(&opened.recipe().to_bytes()).unwrap();
    assert_eq!(&recipe, opened.recipe());
    let mut closed = Vec::new();
    close(&recipe, &opened, &mut closed).unwrap();
    assert!(closed == packed, "closed to something else");
    (recipe.streams().len(), recipe.flat_len())
}
