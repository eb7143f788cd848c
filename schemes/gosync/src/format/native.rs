//! Our own format, version 1, as FORMAT.md specifies it.
//!
//! A prefix of 16 bytes, the header, zeros up to a multiple of 8 and a checksum; then
//! the columns of sums, sections that this version skips, and another checksum.

use std::io::{self, Read, Write};
use std::sync::Arc;

use gosync_chunks::{Blake3, BlockLayout, FileHash, Signature, WeakColumn};

use super::header::{Header, MAX_HEADER_LEN};
use super::input::{Input, PIECE};
use super::{Format, FormatError, Index, ReadOptions, TargetName};

/// What an index begins with: nothing that text begins with, and a line feed, which
/// is what goes wrong where a transfer takes it for text all the same.
pub(super) const MAGIC: [u8; 8] = *b"\x89GOSYNC\n";

/// The version of the format.
pub(super) const VERSION: u16 = 1;

/// Bytes in a weak sum: a key and a check.
pub(super) const WEAK_LEN: usize = 8;

const PREFIX_LEN: usize = 16;
const CHECKSUM_LEN: usize = 32;
/// The columns begin at a multiple of this, so that they can be read in place.
const ALIGNMENT: usize = 8;
const WEAK_KIND: u8 = 1;
const STRONG_KIND: u8 = 1;

/// Bytes in the index of a signature.
pub(super) fn encoded_len(signature: &Signature, target_name: Option<&TargetName>) -> u64 {
    let name = target_name.map_or(0, |name| name.as_str().len());
    // The header without its name: two lengths of 8 bytes around 48 of fixed fields.
    let header = PREFIX_LEN + 8 + name + 48 + 8;
    (header.next_multiple_of(ALIGNMENT) + 2 * CHECKSUM_LEN) as u64
        + columns_len(signature.layout(), signature.hasher().sum_len())
}

/// Reads an index, magic included, to the end of the input.
pub(super) fn read(reader: impl Read, options: &ReadOptions) -> Result<Index, FormatError> {
    let mut input = Input::new(Hashing::new(reader));
    let header = read_header(&mut input)?;
    let target_name = match header.target_name.as_str() {
        "" => None,
        name => Some(TargetName::new(name)?),
    };
    let layout = BlockLayout::new(header.length, header.block_size)?;
    known("weak sums of kind", header.weak_kind.into(), WEAK_KIND.into())?;
    known("weak sums of length", header.weak_len.into(), WEAK_LEN as u32)?;
    known("strong sums of kind", header.strong_kind.into(), STRONG_KIND.into())?;
    let hasher = Blake3::truncated(header.strong_len.into())
        .ok_or(FormatError::Corrupt { what: "the strong sums have an impossible length" })?;
    if let Some(section) = header.sections.iter().find(|section| section.is_critical()) {
        return Err(FormatError::Unsupported { what: "section", value: section.id });
    }
    // What cannot be counted is past any limit.
    let skipped = header.sections.iter().try_fold(0, |sum: u64, section| sum.checked_add(section.length));
    let len = skipped
        .and_then(|skipped| skipped.checked_add(input.position() + CHECKSUM_LEN as u64))
        .and_then(|len| len.checked_add(columns_len(layout, header.strong_len.into())));
    options.check(len.unwrap_or(u64::MAX))?;

    let count = u64::from(layout.block_count());
    let mut weak = WeakColumn { keys: Vec::new(), checks: Vec::new() };
    let mut strong = Vec::new();
    input.numbers(count, &mut weak.keys)?;
    input.numbers(count, &mut weak.checks)?;
    input.bytes(count * u64::from(header.strong_len), &mut strong)?;
    for section in &header.sections {
        input.pieces(section.length, |_| Ok(()))?;
    }
    check(&mut input, "the checksum of the sums does not hold")?;
    input.end()?;
    let signature = Signature::new(layout, weak, strong, Arc::new(hasher));
    Ok(Index::of_gosync(signature, FileHash(header.file_hash), target_name))
}

/// Writes the index of a signature that has wide weak sums and BLAKE3.
pub(super) fn write(
    signature: &Signature,
    file_hash: FileHash,
    target_name: Option<&TargetName>,
    mut writer: impl Write,
) -> io::Result<()> {
    let header = Header {
        target_name: target_name.map_or_else(String::new, |name| name.as_str().into()),
        length: signature.layout().length(),
        block_size: signature.layout().block_size(),
        weak_kind: WEAK_KIND,
        weak_len: WEAK_LEN as u8,
        strong_kind: STRONG_KIND,
        strong_len: signature.hasher().sum_len() as u8,
        file_hash: file_hash.0,
        sections: Vec::new(),
    };
    writer.write_all(&encode_head(&header))?;

    let mut writer = Hashing::new(writer);
    let mut buffer = Vec::with_capacity(PIECE);
    let WeakColumn { keys, checks } = signature.weak_column();
    for numbers in keys.chunks(PIECE / 4).chain(checks.chunks(PIECE / 4)) {
        buffer.clear();
        buffer.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        writer.write_all(&buffer)?;
    }
    for sums in signature.strong_column().chunks(PIECE) {
        writer.write_all(sums)?;
    }
    let checksum = writer.take_checksum();
    writer.inner.write_all(&checksum)
}

/// Everything up to the columns.
fn encode_head(header: &Header) -> Vec<u8> {
    let encoded = header.encode();
    let mut head = Vec::with_capacity(PREFIX_LEN + encoded.len() + ALIGNMENT + CHECKSUM_LEN);
    head.extend(MAGIC);
    head.extend(VERSION.to_le_bytes());
    head.extend(0u16.to_le_bytes());
    head.extend((encoded.len() as u32).to_le_bytes());
    head.extend(encoded);
    head.resize(head.len().next_multiple_of(ALIGNMENT), 0);
    head.extend(blake3::hash(&head).as_bytes());
    head
}

/// Reads everything up to the columns.
fn read_header<R: Read>(input: &mut Input<Hashing<R>>) -> Result<Header, FormatError> {
    if input.array()? != MAGIC {
        return Err(FormatError::NotAnIndex);
    }
    let version = u16::from_le_bytes(input.array()?);
    if version != VERSION {
        return Err(FormatError::Version { format: Format::Gosync, version: version.to_string() });
    }
    known("flags", u16::from_le_bytes(input.array()?).into(), 0)?;
    let len = u32::from_le_bytes(input.array()?);
    if len > MAX_HEADER_LEN {
        return Err(FormatError::Corrupt { what: "the header is too long" });
    }
    let mut bytes = vec![0; (PREFIX_LEN + len as usize).next_multiple_of(ALIGNMENT) - PREFIX_LEN];
    input.fill(&mut bytes)?;
    check(input, "the checksum of the header does not hold")?;
    let (encoded, padding) = bytes.split_at(len as usize);
    if padding.iter().any(|&byte| byte != 0) {
        return Err(FormatError::Corrupt { what: "the header is not padded with zeros" });
    }
    Header::decode(encoded)
}

fn columns_len(layout: BlockLayout, strong_len: usize) -> u64 {
    u64::from(layout.block_count()) * (WEAK_LEN + strong_len) as u64
}

fn known(what: &'static str, value: u32, expected: u32) -> Result<(), FormatError> {
    if value == expected { Ok(()) } else { Err(FormatError::Unsupported { what, value }) }
}

/// Reads a checksum of all bytes since the one before.
fn check<R: Read>(input: &mut Input<Hashing<R>>, what: &'static str) -> Result<(), FormatError> {
    let computed = input.reader_mut().take_checksum();
    let stored: [u8; CHECKSUM_LEN] = input.array()?;
    input.reader_mut().take_checksum();
    if stored == computed { Ok(()) } else { Err(FormatError::Corrupt { what }) }
}

/// Hashes what passes through, in either direction.
struct Hashing<T> {
    inner: T,
    hasher: blake3::Hasher,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, hasher: blake3::Hasher::new() }
    }

    /// BLAKE3 of all that passed since the start or the last call.
    fn take_checksum(&mut self) -> [u8; CHECKSUM_LEN] {
        let checksum = *self.hasher.finalize().as_bytes();
        self.hasher.reset();
        checksum
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        self.hasher.update(&data[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::Section;
    use super::*;

    fn header() -> Header {
        Header {
            target_name: "name".into(),
            length: 20,
            block_size: 8,
            weak_kind: 1,
            weak_len: 8,
            strong_kind: 1,
            strong_len: 2,
            file_hash: [7; 32],
            sections: Vec::new(),
        }
    }

    /// An index with a good checksum after whatever the header says and `bulk`.
    fn index(header: &Header, bulk: &[u8]) -> Vec<u8> {
        let mut bytes = encode_head(header);
        bytes.extend(bulk);
        bytes.extend(blake3::hash(bulk).as_bytes());
        bytes
    }

    fn bulk() -> Vec<u8> {
        (0..3 * 10).collect()
    }

    fn refusal(header: &Header) -> FormatError {
        read(index(header, &bulk()).as_slice(), &ReadOptions::default()).unwrap_err()
    }

    #[test]
    fn columns_are_where_they_are_specified() {
        let bytes = index(&header(), &bulk());
        let read = read(bytes.as_slice(), &ReadOptions::default()).unwrap();
        let weak = read.signature().weak_column();
        assert_eq!(weak.keys, [0x0302_0100, 0x0706_0504, 0x0b0a_0908]);
        assert_eq!(weak.checks, [0x0f0e_0d0c, 0x1312_1110, 0x1716_1514]);
        assert_eq!(read.signature().strong_column(), [24, 25, 26, 27, 28, 29]);
        assert_eq!(read.file_hash(), Some(FileHash([7; 32])));
        assert_eq!(read.target_name().map(TargetName::as_str), Some("name"));
        assert_eq!(read.encoded_len(), bytes.len() as u64);
        let mut again = Vec::new();
        read.write(&mut again).unwrap();
        assert_eq!(again, bytes);
    }

    #[test]
    fn the_columns_are_aligned() {
        for len in 0..20 {
            let head = encode_head(&Header { target_name: "n".repeat(len), ..header() });
            assert_eq!(head.len() % 8, 0, "{len}");
        }
    }

    #[test]
    fn sections_are_skipped_unless_critical() {
        let sections = vec![Section { id: 1, length: 5 }, Section { id: 0x7fff_ffff, length: 0 }];
        let with = Header { sections, ..header() };
        let bulk: Vec<u8> = bulk().into_iter().chain(*b"later").collect();
        let bytes = index(&with, &bulk);
        let plain = read(index(&header(), &bulk[..30]).as_slice(), &ReadOptions::default()).unwrap();
        assert_eq!(read(bytes.as_slice(), &ReadOptions::default()).unwrap(), plain);

        let mut flipped = bytes.clone();
        let at = bytes.len() - 33;
        flipped[at] ^= 1;
        assert!(matches!(read(flipped.as_slice(), &ReadOptions::default()), Err(FormatError::Corrupt { .. })));

        let critical = Header { sections: vec![Section { id: 0x8000_0001, length: 0 }], ..header() };
        assert!(matches!(refusal(&critical), FormatError::Unsupported { what: "section", value: 0x8000_0001 }));
    }

    #[test]
    fn values_that_are_not_known() {
        assert!(matches!(refusal(&Header { weak_kind: 2, ..header() }), FormatError::Unsupported { value: 2, .. }));
        assert!(matches!(refusal(&Header { weak_len: 4, ..header() }), FormatError::Unsupported { value: 4, .. }));
        assert!(matches!(refusal(&Header { strong_kind: 0, ..header() }), FormatError::Unsupported { value: 0, .. }));
        for strong_len in [0, 33, 255] {
            assert!(matches!(refusal(&Header { strong_len, ..header() }), FormatError::Corrupt { .. }));
        }
        for name in ["..", "a/b", "C:x", "nul\0"] {
            let header = Header { target_name: name.into(), ..header() };
            assert!(matches!(refusal(&header), FormatError::Name(_)), "{name:?}");
        }
    }

    #[test]
    fn absurd_sizes() {
        for block_size in [0, (16 << 20) + 1, 1 << 31] {
            assert!(matches!(refusal(&Header { block_size, ..header() }), FormatError::Layout(_)), "{block_size}");
        }
        assert!(matches!(refusal(&Header { length: 1 << 60, ..header() }), FormatError::Layout(_)));
        // 2^32 - 1 blocks are a possible layout, but past the default limit with 32 bytes each.
        let many = Header { length: u32::MAX.into(), block_size: 1, strong_len: 32, ..header() };
        assert!(matches!(refusal(&many), FormatError::TooLarge { len, .. } if len > 40 * u64::from(u32::MAX)));
        let endless = Header { sections: vec![Section { id: 1, length: u64::MAX }; 2], ..header() };
        assert!(matches!(refusal(&endless), FormatError::TooLarge { len: u64::MAX, .. }));
        // Past no limit, but not there.
        let unlimited = ReadOptions { max_bytes: u64::MAX };
        let read = read(index(&many, &bulk()).as_slice(), &unlimited);
        assert!(matches!(read, Err(FormatError::Truncated { .. })));
    }

    #[test]
    fn padding_that_is_not_zero() {
        let mut bytes = index(&header(), &bulk());
        let end = encode_head(&header()).len() - CHECKSUM_LEN;
        assert_eq!(bytes[end - 1], 0);
        bytes[end - 1] = 1;
        let checksum = blake3::hash(&bytes[..end]);
        bytes[end..end + CHECKSUM_LEN].copy_from_slice(checksum.as_bytes());
        let read = read(bytes.as_slice(), &ReadOptions::default());
        assert!(matches!(read, Err(FormatError::Corrupt { what }) if what.contains("padded")));
    }
}
