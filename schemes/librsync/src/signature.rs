//! Signatures, as they are read.

use std::io::{self, Read};

use gosync_chunks::BlockLayout;

use crate::arguments::SignatureHeader;
use crate::error::{Error, Stream};
use crate::kind::SignatureKind;

/// Bytes of a signature's header.
const HEADER_LEN: usize = 12;

/// Bytes of a rolling sum.
const KEY_LEN: usize = 4;

/// The most bytes that strong sums of any kind have.
const MAX_STRONG_LEN: u32 = 32;

/// Bytes read at a time.
const CHUNK: usize = 1 << 16;

/// The sums of a basis's blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    header: SignatureHeader,
    sums: gosync_chunks::Signature,
}

impl Signature {
    /// Reads a signature to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is not a signature.
    pub fn read(mut input: impl Read) -> Result<Self, Error> {
        let mut loader = SignatureLoader::default();
        let mut chunk = vec![0; CHUNK];
        loop {
            match input.read(&mut chunk) {
                Ok(0) => return loader.finish(),
                Ok(len) => loader.update(&chunk[..len])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::read(Stream::Signature)(error)),
            }
        }
    }

    /// What its header says.
    pub fn header(&self) -> SignatureHeader {
        self.header
    }

    /// How many blocks the basis has.
    pub fn block_count(&self) -> u32 {
        self.sums.layout().block_count()
    }

    /// As our parts know it. That the last block may be short does not show: a window of any
    /// length that has a block's sums is that block.
    pub(crate) fn sums(&self) -> &gosync_chunks::Signature {
        &self.sums
    }
}

/// Reads a signature that comes in pieces.
///
/// Memory is set aside as bytes arrive.
#[derive(Debug, Default)]
pub struct SignatureLoader {
    header: Option<SignatureHeader>,
    /// What is not a whole header or block yet.
    rest: Vec<u8>,
    keys: Vec<u32>,
    strong: Vec<u8>,
}

impl SignatureLoader {
    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// When they cannot be those of a signature.
    pub fn update(&mut self, mut input: &[u8]) -> Result<(), Error> {
        if self.header.is_none() {
            if !fill(&mut self.rest, &mut input, HEADER_LEN) {
                return Ok(());
            }
            self.header = Some(header(&self.rest)?);
            self.rest.clear();
        }
        let record_len = self.header.map_or(0, |header| 4 + header.strong_len as usize);
        if !self.rest.is_empty() {
            if !fill(&mut self.rest, &mut input, record_len) {
                return Ok(());
            }
            let record = std::mem::take(&mut self.rest);
            self.records(&record, record_len)?;
        }
        let whole = input.len() - input.len() % record_len;
        self.records(&input[..whole], record_len)?;
        self.rest.extend_from_slice(&input[whole..]);
        Ok(())
    }

    /// The signature, now that there is nothing more of it. Up to three bytes behind a record are no
    /// other, and of no account, as in librsync.
    ///
    /// # Errors
    ///
    /// When it should go on.
    pub fn finish(mut self) -> Result<Signature, Error> {
        let header =
            self.header.filter(|_| self.rest.len() < KEY_LEN).ok_or(Error::Truncated { stream: Stream::Signature })?;
        self.keys.shrink_to_fit();
        self.strong.shrink_to_fit();
        let len = self.keys.len() as u64 * u64::from(header.block_len);
        let layout = BlockLayout::of_large_blocks(len, header.block_len).map_err(|_| Error::TooManyBlocks)?;
        let hasher = header.kind.strong_hasher(header.strong_len).expect("the header was checked");
        let sums = gosync_chunks::Signature::new(layout, self.keys, self.strong, hasher);
        Ok(Signature { header, sums: sums.expect("each key was read with its strong sum") })
    }

    fn records(&mut self, records: &[u8], record_len: usize) -> Result<(), Error> {
        for record in records.chunks_exact(record_len) {
            let (key, strong) = record.split_first_chunk().expect("a record begins with a key");
            self.keys.push(u32::from_be_bytes(*key));
            self.strong.extend_from_slice(strong);
        }
        if self.keys.len() > u32::MAX as usize { Err(Error::TooManyBlocks) } else { Ok(()) }
    }
}

/// Moves bytes from `input` to `rest` until there are `len`, and tells whether there are.
fn fill(rest: &mut Vec<u8>, input: &mut &[u8], len: usize) -> bool {
    let (taken, left) = input.split_at(input.len().min(len - rest.len()));
    rest.extend_from_slice(taken);
    *input = left;
    rest.len() == len
}

fn header(bytes: &[u8]) -> Result<SignatureHeader, Error> {
    let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let magic = number(0);
    let kind = SignatureKind::of_magic(magic).ok_or(Error::Magic { stream: Stream::Signature, magic })?;
    let (block_len, strong_len) = (number(4), number(8));
    if i32::try_from(block_len).is_ok_and(|len| len > 0) && (1..=MAX_STRONG_LEN).contains(&strong_len) {
        return SignatureHeader { kind, block_len, strong_len }.checked();
    }
    let what = format!("there are no blocks of {block_len} bytes with strong sums of {strong_len}");
    Err(Error::corrupt(Stream::Signature, what))
}
