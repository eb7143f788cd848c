//! Applying deltas.

use std::io::{Read, Seek, SeekFrom, Write};

use crate::basis::BasisCheck;
use crate::command::{Command, CommandReader};
use crate::error::{Error, Stream};
use crate::gather::Gather;
use crate::stream::Buffer;

/// Bytes of the delta read at a time: what stays in the first caches meanwhile.
const CHUNK: usize = 1 << 16;

/// How to apply a delta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchOptions {
    /// The most bytes that the new file may have.
    pub limit: Option<u64>,
    /// What the basis has to be; it is read once more to find out.
    pub expected_basis: Option<BasisCheck>,
}

/// What a delta was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchReport {
    /// Commands that had literals.
    pub literals: u64,
    /// Bytes of those literals.
    pub literal_bytes: u64,
    /// Commands that copied.
    pub copies: u64,
    /// Bytes that they copied.
    pub copied_bytes: u64,
    /// Bytes of the delta.
    pub delta_bytes: u64,
}

impl PatchReport {
    /// Bytes of the new file.
    pub fn new_bytes(&self) -> u64 {
        self.literal_bytes + self.copied_bytes
    }
}

/// Makes the new file of `basis` and `delta`, and writes it to `output` as it comes: only
/// once this returns is it known to be complete.
///
/// # Errors
///
/// When something cannot be read or written, the delta is not a delta, or it does not fit the basis.
pub fn patch(
    mut basis: impl Read + Seek,
    mut delta: impl Read,
    output: impl Write,
    options: &PatchOptions,
) -> Result<PatchReport, Error> {
    if let Some(expected) = options.expected_basis {
        basis.seek(SeekFrom::Start(0)).map_err(Error::read(Stream::Basis))?;
        let found = BasisCheck::of(&mut basis).map_err(Error::read(Stream::Basis))?;
        if found != expected {
            return Err(Error::WrongBasis { expected, found });
        }
    }
    let limit = options.limit.unwrap_or(u64::MAX);
    let write = Error::write(Stream::New);
    let mut output = Gather::new(output);
    // Where reading the basis goes on, if that is known.
    let mut next = None;
    let mut report = PatchReport::default();
    let mut reader = CommandReader::default();
    let mut chunk = Buffer::default();
    while !reader.is_over() {
        chunk.begin(report.delta_bytes, CHUNK, &[]);
        chunk.fill(&mut delta).map_err(Error::read(Stream::Delta))?;
        let mut input = chunk.bytes();
        if input.is_empty() {
            break;
        }
        report.delta_bytes += input.len() as u64;
        while let Some(command) = reader.next(&mut input)? {
            match command {
                Command::Literal { len } => {
                    (report.literals, report.literal_bytes) = (report.literals + 1, report.literal_bytes + len);
                }
                Command::Bytes(bytes) => output.write(bytes).map_err(&write)?,
                Command::Copy { len, .. } => {
                    (report.copies, report.copied_bytes) = (report.copies + 1, report.copied_bytes.saturating_add(len));
                }
                Command::End => {}
            }
            if report.literal_bytes.saturating_add(report.copied_bytes) > limit {
                return Err(Error::TooLong { limit });
            }
            if let Command::Copy { position, len } = command {
                if next != Some(position) {
                    basis.seek(SeekFrom::Start(position)).map_err(Error::read(Stream::Basis))?;
                }
                output.copy(&mut basis, position, len)?;
                next = Some(position + len);
            }
        }
        report.delta_bytes -= input.len() as u64;
    }
    if !reader.is_over() {
        return Err(Error::Truncated { stream: Stream::Delta });
    }
    output.finish().map_err(write)?;
    Ok(report)
}

/// As [`patch`], for a delta that nobody vouches for: an error where the new file would have
/// more than `limit` bytes.
///
/// # Errors
///
/// As [`patch`].
pub fn apply_limited(
    basis: impl Read + Seek,
    delta: impl Read,
    output: impl Write,
    limit: u64,
) -> Result<PatchReport, Error> {
    patch(basis, delta, output, &PatchOptions { limit: Some(limit), ..PatchOptions::default() })
}
