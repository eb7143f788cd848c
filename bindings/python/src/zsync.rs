//! The matching of the four-step API `gosync.zsync`.
//!
//! The sums are rsync's without an offset, modulo 2^16, and MD5. They come and go as two
//! columns: 4 bytes little-endian and 16 bytes for each block.

use std::io::{self, Read};
use std::sync::Arc;

use gosync_chunks::{BlockLayout, ReadAt, Signature, Step, StrongHasher};
use gosync_comparer::{CompareError, CompareOptions, RollingSum, compare};
use gosync_index::BlockIndex;
use gosync_sums::Md5;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use rayon::prelude::*;

use crate::error::{cancelled, value_error};
use crate::job::{self, Job, Manner};
use crate::stream::{Extent, Input};

/// Bytes that are read before their blocks are summed on all threads.
const PIECE: usize = 8 << 20;

/// Bytes that a thread sums at a time.
const SHARE: usize = 256 << 10;

/// The two columns of the blocks of `stream`.
#[pyfunction]
pub(crate) fn block_checksums<'py>(
    py: Python<'py>,
    stream: &Bound<'py, PyAny>,
    block_size: u32,
    manner: Manner,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    check_block_size(block_size)?;
    let input = Input::new(stream, &Extent::Rest)?;
    let (weak, strong) = job::run(py, &manner, move |job| Ok(sum_blocks(input.reader(job), block_size as usize)?))?;
    Ok((PyBytes::new(py, &weak), PyBytes::new(py, &strong)))
}

/// For each block where in `stream` it begins, or `None`.
#[pyfunction]
pub(crate) fn find_blocks(
    py: Python<'_>,
    stream: &Bound<'_, PyAny>,
    weak: PyBackedBytes,
    strong: PyBackedBytes,
    block_size: u32,
    manner: Manner,
) -> PyResult<Vec<Option<u64>>> {
    check_block_size(block_size)?;
    let input = Input::new(stream, &Extent::Whole)?;
    job::run(py, &manner, move |job| {
        let keys = weak.chunks_exact(4).map(|key| u32::from_le_bytes([key[0], key[1], key[2], key[3]]));
        find(&*input.at(job)?, keys.collect(), &strong, block_size, job)
    })
}

fn check_block_size(block_size: u32) -> PyResult<()> {
    BlockLayout::new(0, block_size).map(drop).map_err(|error| value_error(&error))
}

fn sum_blocks(mut stream: impl Read, block_size: usize) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut weak, mut strong) = (Vec::new(), Vec::new());
    let share = SHARE.next_multiple_of(block_size);
    let mut piece = Vec::new();
    let mut keys = Vec::new();
    loop {
        piece.clear();
        let len = stream.by_ref().take(PIECE.next_multiple_of(share) as u64).read_to_end(&mut piece)?;
        if len == 0 {
            return Ok((weak, strong));
        }
        let blocks = len.div_ceil(block_size);
        keys.clear();
        keys.resize(blocks, 0);
        let summed = strong.len();
        strong.resize(summed + blocks * Md5::FULL_LEN, 0);
        let sums = strong[summed..].par_chunks_mut(share / block_size * Md5::FULL_LEN);
        let shares = piece.par_chunks(share).zip(keys.par_chunks_mut(share / block_size)).zip(sums);
        shares.for_each(|((data, keys), sums)| {
            RollingSum::Rsync.sum_blocks(data, block_size, keys);
            Md5::full().sum_blocks(data, block_size, sums);
        });
        weak.extend(keys.iter().flat_map(|key| key.to_le_bytes()));
    }
}

fn find(seed: &dyn ReadAt, keys: Vec<u32>, strong: &[u8], block_size: u32, job: &Job) -> PyResult<Vec<Option<u64>>> {
    let count = keys.len();
    let mut found = vec![None; count];
    let last = keys.last().copied();
    // How long the last block is the hashes do not say: it is first taken for a whole one.
    let layout = BlockLayout::new(count as u64 * u64::from(block_size), block_size);
    let layout = layout.map_err(|error| value_error(&error))?;
    let signature = Signature::new(layout, keys, strong.to_vec(), Arc::new(Md5::full()));
    let signature = signature.map_err(|error| value_error(&error))?;
    let index = BlockIndex::build(&signature);
    let comparison = match compare(&signature, &index, &[seed], &CompareOptions::new(RollingSum::Rsync), job) {
        Ok(comparison) => comparison,
        Err(CompareError::Cancelled(_)) => return Err(cancelled()),
        Err(error) => return Err(value_error(&error)),
    };
    if let Some(unreadable) = comparison.unreadable.into_iter().next() {
        return Err(unreadable.error.into());
    }
    for step in comparison.plan.steps() {
        if let Step::Copy { target, offset, .. } = *step {
            let blocks = (target.start / u64::from(block_size)) as usize..;
            let offsets = (offset..offset + target.len()).step_by(block_size as usize);
            blocks.zip(offsets).for_each(|(block, offset)| found[block] = Some(offset));
        }
    }
    if let (Some(key), Some(None)) = (last, found.last()) {
        let expected = &strong[strong.len() - Md5::FULL_LEN..];
        found[count - 1] = find_tail(seed, key, expected, block_size)?;
    }
    Ok(found)
}

/// Where a tail of `seed` begins that is shorter than a block and has these sums.
fn find_tail(seed: &dyn ReadAt, key: u32, strong: &[u8], block_size: u32) -> io::Result<Option<u64>> {
    let len = seed.size().min(u64::from(block_size) - 1);
    let mut tail = vec![0; len as usize];
    seed.read_exact_at(seed.size() - len, &mut tail)?;
    // The sums of ever longer tails: a byte in front counts once for each byte from it on.
    let (mut a, mut b) = (0u16, 0u16);
    for (start, &byte) in tail.iter().enumerate().rev() {
        a = a.wrapping_add(byte.into());
        b = b.wrapping_add(((tail.len() - start) as u16).wrapping_mul(byte.into()));
        let is_hit = u32::from(b) << 16 | u32::from(a) == key;
        if is_hit && Md5::full().sum(&tail[start..]).as_bytes() == strong {
            return Ok(Some(seed.size() - (tail.len() - start) as u64));
        }
    }
    Ok(None)
}
