//! Holes that can be seeked to.

use std::fs::File;
use std::io;

use gosync_chunks::ByteRange;
use rustix::fs::{Advice, SeekFrom, fadvise, seek};
use rustix::io::Errno;

pub(crate) fn read_ahead(file: &File) {
    let _ = fadvise(file, 0, None, Advice::Sequential);
}

pub(crate) fn next_data(file: &File, offset: u64, size: u64) -> io::Result<Option<ByteRange>> {
    if offset >= size {
        return Ok(None);
    }
    let start = match seek(file, SeekFrom::Data(offset)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        // File systems and devices that know no holes.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Some(ByteRange { start: offset, end: size })),
        Err(error) => return Err(error.into()),
    };
    let end = seek(file, SeekFrom::Hole(start))?;
    Ok((start < size).then(|| ByteRange { start, end: end.min(size) }))
}
