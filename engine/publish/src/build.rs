//! Making the index of a flat target, or a part of one.

use std::io::{self, Write};

use gosync_chunks::frames::{FrameLengths, PayloadLayout};
use gosync_chunks::{ByteRange, Cancelled, FileHash, Progress, ReadAt, TargetName};
use gosync_layers::choose;
use gosync_layers::descent::encode_lengths;
use gosync_layers::format::{
    Contents, IndexPart, LayeredIndex, Payload, Section, Shard, WEAK_LEN, check_sizes, comes_twice, make, make_part,
};
use gosync_layers::sums::{LayerSums, LayerSumsError, sum_layers};
use gosync_payloads::frames::{EncodeError, EncodeOptions, Tables, encode};
use gosync_sums::{FileHasher, Xxh3};

use crate::error::Error;
use crate::options::{BuildOptions, MAX_FINE_FRAME};

/// A flat target to make an index of, on all threads of the current rayon pool.
pub struct Build<'a> {
    /// Its bytes, which must not change meanwhile.
    pub target: &'a dyn ReadAt,
    /// What it is called in messages: its path, say.
    pub called: &'a str,
    /// What the index calls it, if anything.
    pub name: Option<TargetName>,
    /// What the index says beyond its bytes.
    pub sections: Vec<Section>,
    /// How to make it.
    pub options: &'a BuildOptions,
    /// Told of progress, and asked whether to stop.
    pub progress: &'a dyn Progress,
}

/// Where a compressed payload goes, which is to be published beside the index.
pub struct PayloadOut<'a> {
    /// Under which name.
    pub name: TargetName,
    /// What takes its bytes.
    pub out: &'a mut (dyn Write + Send),
}

/// Bytes before a fine frame that it is compressed with. More make it hardly smaller, and
/// reading it slower.
const FINE_PREFIX: u32 = 64 << 10;

/// Bytes before a coarse frame that it is compressed with. They are read anew for each.
const COARSE_PREFIX: u32 = 256 << 10;

impl Build<'_> {
    /// Makes the index; with a `payload`, writes that too.
    ///
    /// # Errors
    ///
    /// When the target cannot be read or cut into such blocks, a section comes twice, or the
    /// payload cannot be written.
    pub fn index(&self, payload: Option<PayloadOut<'_>>) -> Result<LayeredIndex, Error> {
        if comes_twice(self.sections.iter().map(|section| section.id)) {
            return Err(Error::Sections { why: "one comes twice" });
        }
        let sizes = self.block_sizes(payload.is_some())?;
        let contents = self.contents(ByteRange::at(0, self.target.size()), &sizes, payload)?;
        make(contents).map_err(|_| Error::Layers { sizes })
    }

    /// The same, where what clients fetch is called by its content: by the BLAKE3 of the payload, if
    /// there is `payload` to write it to, or else by that of the target. `call` gives the name.
    ///
    /// # Errors
    ///
    /// As [`index`](Self::index).
    pub fn index_by_content(
        &self,
        payload: Option<&mut (dyn Write + Send)>,
        call: &dyn Fn(FileHash) -> TargetName,
    ) -> Result<LayeredIndex, Error> {
        if comes_twice(self.sections.iter().map(|section| section.id)) {
            return Err(Error::Sections { why: "one comes twice" });
        }
        let sizes = self.block_sizes(payload.is_some())?;
        let all = ByteRange::at(0, self.target.size());
        let mut hasher = blake3::Hasher::new();
        let mut contents = match payload {
            Some(out) => {
                let mut out = Hashed { out, hasher: &mut hasher };
                // Nobody sees what it is called until all of it is there.
                let name = call(FileHash([0; 32]));
                self.contents(all, &sizes, Some(PayloadOut { name, out: &mut out }))
            }
            None => self.contents(all, &sizes, None),
        }?;
        match &mut contents.payload {
            Some(payload) => payload.name = call(FileHash(*hasher.finalize().as_bytes())),
            None => contents.target_name = Some(call(FileHasher::new(contents.length).finish(&contents.tree))),
        }
        make(contents).map_err(|_| Error::Layers { sizes })
    }

    /// Makes a part of the index. Of the target it reads the first 64 KiB and what the part
    /// is of.
    ///
    /// With a `payload`, writes the part's. What is a little before it in the target is read
    /// too then, and samples of all the target.
    ///
    /// # Errors
    ///
    /// As [`index`](Self::index), and when there are sections.
    pub fn part(&self, shard: Shard, payload: Option<PayloadOut<'_>>) -> Result<IndexPart, Error> {
        if !self.sections.is_empty() {
            return Err(Error::Sections { why: "a part of an index has none" });
        }
        let sizes = self.block_sizes(payload.is_some())?;
        let range = shard.range(self.target.size(), &sizes);
        let mut hasher = blake3::Hasher::new();
        let contents = match payload {
            Some(PayloadOut { name, out }) => {
                let mut out = Hashed { out, hasher: &mut hasher };
                self.contents(range, &sizes, Some(PayloadOut { name, out: &mut out }))
            }
            None => self.contents(range, &sizes, None),
        }?;
        make_part(contents, range, *hasher.finalize().as_bytes()).map_err(|_| Error::Layers { sizes })
    }

    /// The block sizes of the layers.
    fn block_sizes(&self, is_compressed: bool) -> Result<Vec<u32>, Error> {
        let sizes = match &self.options.block_sizes[..] {
            [] => choose::block_sizes(self.target.size(), is_compressed),
            sizes => sizes.to_vec(),
        };
        if check_sizes(&sizes).is_err() { Err(Error::Layers { sizes }) } else { Ok(sizes) }
    }

    /// What the index has of `range`.
    fn contents(&self, range: ByteRange, sizes: &[u32], payload: Option<PayloadOut<'_>>) -> Result<Contents, Error> {
        let length = self.target.size();
        // Before all the work.
        let layout = payload.as_ref().map(|_| payload_layout(length, sizes)).transpose()?;
        let mut start = vec![0; length.min(choose::SALTED) as usize];
        self.target.read_exact_at(0, &mut start).map_err(|source| self.unreadable(source))?;
        let salt = choose::salt(length, &start);
        let strong_len = choose::strong_len(length, sizes);
        let hasher = Xxh3::truncated(strong_len, salt).expect("3 to 16");

        let summed = sum_layers(self.target, range, sizes, &hasher, self.progress);
        let LayerSums { records, nodes } = summed.map_err(|error| match error {
            LayerSumsError::Read(source) => self.unreadable(source),
            _ => Cancelled.into(),
        })?;
        let framed = match payload.zip(layout) {
            Some((payload, layout)) => Some(self.compress(range, layout, sizes, payload)?),
            None => None,
        };
        let layers = sizes.iter().zip(records).map(|(&size, records)| match &framed {
            Some((payload, lengths)) => {
                let len = payload.lengths_len(size);
                let lengths = encode_lengths(payload, size, range, lengths);
                (size, len as u8, lengthened(records, WEAK_LEN + strong_len, &lengths, len))
            }
            None => (size, 0, records),
        });
        let layers = layers.collect();
        Ok(Contents {
            target_name: self.name.clone(),
            length,
            strong_len,
            odds: choose::ODDS,
            salt,
            layers,
            payload: framed.map(|(payload, _)| payload),
            tree: nodes,
            sections: self.sections.clone(),
        })
    }

    /// Writes the payload of `range` of the target.
    fn compress(
        &self,
        range: ByteRange,
        layout: PayloadLayout,
        sizes: &[u32],
        PayloadOut { name, out }: PayloadOut<'_>,
    ) -> Result<(Payload, FrameLengths), Error> {
        let options = EncodeOptions {
            level: self.options.compress.unwrap_or(EncodeOptions::default().level),
            whole: sizes.iter().copied().max().unwrap_or(1).into(),
        };
        let tables = Tables::train(self.target, &layout, options.level).map_err(|source| self.unreadable(source))?;
        let lengths = encode(self.target, &layout, &tables, range, &options, out, self.progress);
        let lengths = lengths.map_err(|error| match error {
            EncodeError::Read(source) => self.unreadable(source),
            EncodeError::Write(source) => Error::Write { location: name.as_str().into(), is_remote: false, source },
            _ => Cancelled.into(),
        })?;
        let preamble = tables.preamble().to_vec();
        Ok((Payload { name, layout, preamble, len: lengths.payload_len() }, lengths))
    }

    fn unreadable(&self, source: io::Error) -> Error {
        Error::Read { target: self.called.to_owned(), source }
    }
}

/// `records` of `record_len` bytes, each with `len` more of `added` behind it. They are moved where
/// they are: there can be many gigabytes of them.
fn lengthened(mut records: Vec<u8>, record_len: usize, added: &[u8], len: usize) -> Vec<u8> {
    let longer = record_len + len;
    records.reserve_exact(added.len());
    records.resize(records.len() + added.len(), 0);
    for at in (0..records.len() / longer).rev() {
        records.copy_within(at * record_len..(at + 1) * record_len, at * longer);
        records[at * longer + record_len..][..len].copy_from_slice(&added[at * len..][..len]);
    }
    records
}

/// How a target that is cut into blocks of `sizes` is cut into frames.
fn payload_layout(length: u64, sizes: &[u32]) -> Result<PayloadLayout, Error> {
    let impossible = || Error::PayloadLayers { sizes: sizes.to_vec() };
    let fine = sizes.last().copied().filter(|&fine| fine <= MAX_FINE_FRAME).ok_or_else(impossible)?;
    let coarse =
        sizes.iter().copied().filter(|size| (fine..=choose::COARSE_FRAME).contains(size)).max().unwrap_or(fine);
    PayloadLayout::new(length, fine, coarse)
        .and_then(|layout| layout.with_prefixes(FINE_PREFIX, COARSE_PREFIX))
        // As much again, for what was inserted before or in a frame.
        .and_then(|layout| layout.with_regions(2 * fine, 2 * coarse))
        .map_err(|_| impossible())
}

/// Takes the hash of what is written.
struct Hashed<'a> {
    out: &'a mut (dyn Write + Send),
    hasher: &'a mut blake3::Hasher,
}

impl Write for Hashed<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.out.write(data)?;
        self.hasher.update(&data[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::frames::FrameKind;

    #[test]
    fn records_become_longer_where_they_are() {
        assert_eq!(lengthened(b"aabbcc".to_vec(), 2, b"xyz", 1), b"aaxbbyccz");
        assert_eq!(lengthened(b"aabb".to_vec(), 2, b"uvwxyz", 3), b"aauvwbbxyz");
        assert_eq!(lengthened(b"aabb".to_vec(), 2, b"", 0), b"aabb");
        let records = lengthened(vec![1; 20 << 10], 20, &[2; 1 << 10], 1);
        assert_eq!(records.capacity(), records.len());
    }

    #[test]
    fn layers_of_a_payload() {
        for (sizes, fine, coarse) in
            [(&[32768][..], 32768, 32768), (&[1 << 20, 131_072, 4096], 4096, 4096), (&[65536, 8192, 256], 256, 65536)]
        {
            let layout = payload_layout(1 << 20, sizes).unwrap();
            assert_eq!([FrameKind::Fine, FrameKind::Coarse].map(|kind| layout.frame_size(kind)), [fine, coarse]);
        }
        for sizes in [&[65536][..], &[1 << 20, 131_072], &[65536 * 2, 65536]] {
            assert!(matches!(payload_layout(1 << 20, sizes), Err(Error::PayloadLayers { .. })), "{sizes:?}");
        }
    }
}
