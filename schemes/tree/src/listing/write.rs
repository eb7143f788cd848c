//! Writing a listing.

use super::Listing;
use super::entry::{Attributes, Kind, Time};
use crate::codec::{put_bytes, put_number, put_signed};

pub(super) const DIRECTORY: u8 = 0;
pub(super) const FILE: u8 = 1;
pub(super) const LINK: u8 = 2;
pub(super) const HARD_LINK: u8 = 3;

impl Listing {
    /// Its bytes: the same for the same tree, wherever it is.
    pub fn encode(&self) -> Vec<u8> {
        let (mut column, mut hashes) = (Vec::new(), Vec::new());
        let (mut path, mut seconds): (&[u8], i64) = (&[], 0);
        for entry in &self.entries {
            let shared = shared(path, &entry.path);
            put_number(&mut column, shared as u64);
            put_bytes(&mut column, &entry.path[shared..]);
            path = &entry.path;
            let mut put_time = |column: &mut Vec<u8>, time: &Time| {
                put_signed(column, time.seconds.wrapping_sub(seconds));
                put_number(column, time.nanoseconds.into());
                seconds = time.seconds;
            };
            let mut put = |column: &mut Vec<u8>, kind, attributes: &Attributes| {
                column.push(kind);
                put_number(column, attributes.mode.into());
                put_time(column, &attributes.modified);
            };
            match &entry.kind {
                Kind::Directory(attributes) => put(&mut column, DIRECTORY, attributes),
                Kind::File(attributes, content) => {
                    put(&mut column, FILE, attributes);
                    put_number(&mut column, content.length);
                    if content.length > 0 {
                        hashes.extend_from_slice(&content.hash.0);
                    }
                }
                Kind::Link { modified, target } => {
                    column.push(LINK);
                    put_time(&mut column, modified);
                    put_bytes(&mut column, target);
                }
                Kind::HardLink { of } => {
                    column.push(HARD_LINK);
                    put_number(&mut column, *of as u64);
                }
            }
        }
        let mut bytes = Vec::with_capacity(column.len() + hashes.len() + 20);
        put_number(&mut bytes, self.entries.len() as u64);
        put_bytes(&mut bytes, &column);
        bytes.extend_from_slice(&hashes);
        self.extras.encode(&mut bytes);
        bytes
    }
}

/// Bytes that both begin with.
pub(super) fn shared(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
