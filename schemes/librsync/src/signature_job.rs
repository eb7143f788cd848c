//! Making signatures.

use std::io::{Empty, Read, Write};
use std::sync::Arc;

use gosync_chunks::{ReadAt, StrongHasher, is_zeros};
use gosync_work::in_order;

use crate::arguments::{SignatureHeader, SignatureOptions};
use crate::cutter::{Cut, Cutter, Input};
use crate::error::{Error, Stream};

/// Blocks that fill lanes of any number.
const BATCH: usize = 96;

/// Bytes of a piece, about: what stays in the second-level cache until it is summed.
const PIECE: usize = 3 << 17;

/// Bytes that a piece has at most, if blocks are not larger, so that lanes are full.
const LARGE_PIECE: usize = 1 << 21;

/// What a signature is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureReport {
    /// What its header says.
    pub header: SignatureHeader,
    /// How many blocks the basis has.
    pub blocks: u64,
    /// Bytes of the basis.
    pub basis_bytes: u64,
    /// Bytes of the signature.
    pub signature_bytes: u64,
}

/// Writes the signature of `basis`, which is read once, on all threads of the current rayon
/// pool. Each holds about a mebibyte, or a few blocks where these are larger.
///
/// # Errors
///
/// When the options are absurd, or something cannot be read or written.
pub fn signature(
    basis: impl Read + Send,
    output: impl Write + Send,
    options: &SignatureOptions,
) -> Result<SignatureReport, Error> {
    write_signature(Input::Stream(basis), output, options)
}

/// As [`signature`], of a basis that can be read anywhere, such as a file. Threads read by
/// themselves, where [`signature`] lets one read at a time.
///
/// # Errors
///
/// As [`signature`]; also when the basis becomes shorter meanwhile.
pub fn signature_at(
    basis: &dyn ReadAt,
    output: impl Write + Send,
    options: &SignatureOptions,
) -> Result<SignatureReport, Error> {
    write_signature(Input::<Empty>::Data(basis), output, options)
}

fn write_signature(
    basis: Input<'_, impl Read + Send>,
    mut output: impl Write + Send,
    options: &SignatureOptions,
) -> Result<SignatureReport, Error> {
    let sums = Sums::new(options.header()?);
    let block_len = sums.header.block_len as usize;
    let mut report = SignatureReport { header: sums.header, blocks: 0, basis_bytes: 0, signature_bytes: 0 };

    let write = Error::write(Stream::Signature);
    let mut emit = |bytes: &[u8], report: &mut SignatureReport| {
        report.signature_bytes += bytes.len() as u64;
        output.write_all(bytes).map_err(&write)
    };
    emit(&sums.header.to_bytes(), &mut report)?;
    let mut cutter = Cutter::new(basis, sums.piece_len(), 0);
    let (data, read) = (cutter.data(), Error::read(Stream::Basis));
    in_order(
        || (),
        |piece: &mut Summed| cutter.cut(&mut piece.cut).map_err(&read),
        |(), piece| {
            piece.cut.read(data).map_err(&read)?;
            piece.records.clear();
            sums.append(piece.cut.bytes(), &mut piece.columns, &mut piece.records);
            Ok(())
        },
        |piece| {
            let len = piece.cut.len;
            report.basis_bytes += len as u64;
            report.blocks += len.div_ceil(block_len) as u64;
            if report.blocks > u64::from(u32::MAX) {
                return Err(Error::TooManyBlocks);
            }
            emit(&piece.records, &mut report)
        },
    )?;
    output.flush().map_err(write)?;
    Ok(report)
}

#[derive(Default)]
struct Summed {
    cut: Cut,
    columns: Columns,
    records: Vec<u8>,
}

/// Makes a signature of bytes that come in pieces, without reading or writing anything.
///
/// ```
/// use gosync_librsync::{SignatureJob, SignatureOptions};
///
/// let mut signature = Vec::new();
/// let mut job = SignatureJob::new(&SignatureOptions::default(), &mut signature)?;
/// job.update(b"some ", &mut signature);
/// job.update(b"bytes", &mut signature);
/// job.finish(&mut signature);
/// assert_eq!(signature.len(), 12 + 4 + 32);
/// # Ok::<(), gosync_librsync::Error>(())
/// ```
#[derive(Debug)]
pub struct SignatureJob {
    sums: Sums,
    columns: Columns,
    /// Bytes that are summed together once they are a piece.
    pending: Vec<u8>,
}

impl SignatureJob {
    /// Begins, and appends the header to `output`.
    ///
    /// # Errors
    ///
    /// When the options are absurd.
    pub fn new(options: &SignatureOptions, output: &mut Vec<u8>) -> Result<Self, Error> {
        let sums = Sums::new(options.header()?);
        output.extend_from_slice(&sums.header.to_bytes());
        Ok(Self { sums, columns: Columns::default(), pending: Vec::new() })
    }

    /// Takes the next bytes of the basis, and appends to `output` what follows from them.
    pub fn update(&mut self, mut basis: &[u8], output: &mut Vec<u8>) {
        let piece_len = self.sums.piece_len();
        while self.pending.len() + basis.len() >= piece_len {
            let (taken, left) = basis.split_at(piece_len - self.pending.len());
            if self.pending.is_empty() {
                self.sums.append(taken, &mut self.columns, output);
            } else {
                self.pending.extend_from_slice(taken);
                self.sums.append(&self.pending, &mut self.columns, output);
                self.pending.clear();
            }
            basis = left;
        }
        self.pending.extend_from_slice(basis);
    }

    /// The basis ends here: appends the rest to `output`.
    pub fn finish(mut self, output: &mut Vec<u8>) {
        self.sums.append(&self.pending, &mut self.columns, output);
    }
}

/// Sums blocks, and writes them down as a signature has them.
#[derive(Debug)]
struct Sums {
    header: SignatureHeader,
    hasher: Arc<dyn StrongHasher>,
}

/// Sums of many blocks.
#[derive(Debug, Default)]
struct Columns {
    keys: Vec<u32>,
    strong: Vec<u8>,
}

impl Sums {
    fn new(header: SignatureHeader) -> Self {
        let hasher = header.kind.strong_hasher(header.strong_len).expect("the header was checked");
        Self { header, hasher }
    }

    /// Bytes to sum at a time: whole blocks.
    fn piece_len(&self) -> usize {
        let block_len = self.header.block_len as usize;
        let batch = block_len * BATCH;
        if batch > LARGE_PIECE { block_len * (LARGE_PIECE / block_len).max(1) } else { batch * (PIECE / batch).max(1) }
    }

    /// Appends the sums of the blocks in `data`, the last of which may be short.
    fn append(&self, data: &[u8], columns: &mut Columns, output: &mut Vec<u8>) {
        let (block_len, sum_len) = (self.header.block_len as usize, self.hasher.sum_len());
        let count = data.len().div_ceil(block_len);
        let Columns { keys, strong } = columns;
        keys.resize(count, 0);
        strong.resize(count * sum_len, 0);
        let rolling = self.header.kind.rolling();
        if count > 1 && data.len().is_multiple_of(block_len) && is_zeros(data) {
            // Sparse files are full of them.
            keys.fill(rolling.key(&data[..block_len]));
            let sum = self.hasher.sum(&data[..block_len]);
            strong.chunks_exact_mut(sum_len).for_each(|strong| strong.copy_from_slice(sum.as_bytes()));
        } else {
            rolling.sum_blocks(data, block_len, keys);
            self.hasher.sum_blocks(data, block_len, strong);
        }
        // Copying a length that is known takes a tenth of the time.
        match sum_len {
            16 => append_records::<16>(keys, strong, output),
            32 => append_records::<32>(keys, strong, output),
            _ => {
                output.reserve(count * (4 + sum_len));
                for (key, strong) in keys.iter().zip(strong.chunks_exact(sum_len)) {
                    output.extend_from_slice(&key.to_be_bytes());
                    output.extend_from_slice(strong);
                }
            }
        }
    }
}

fn append_records<const SUM_LEN: usize>(keys: &[u32], strong: &[u8], output: &mut Vec<u8>) {
    let start = output.len();
    output.resize(start + keys.len() * (4 + SUM_LEN), 0);
    let records = output[start..].chunks_exact_mut(4 + SUM_LEN);
    for ((key, strong), record) in keys.iter().zip(strong.as_chunks::<SUM_LEN>().0).zip(records) {
        let (weak, rest) = record.split_at_mut(4);
        weak.copy_from_slice(&key.to_be_bytes());
        rest[..SUM_LEN].copy_from_slice(strong);
    }
}

impl SignatureHeader {
    fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let numbers = [self.kind.magic(), self.block_len, self.strong_len];
        bytes.chunks_exact_mut(4).zip(numbers).for_each(|(place, number)| place.copy_from_slice(&number.to_be_bytes()));
        bytes
    }
}
