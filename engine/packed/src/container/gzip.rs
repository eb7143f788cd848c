//! gzip files (RFC 1952).

use std::io;

use gosync_chunks::{ByteRange, ReadAt};

use super::view::{View, number};

/// The longest header that is looked into. Names are short, and bioinformatics' extra fields too.
const LONGEST: usize = 1 << 16;

/// Whether a gzip file begins here.
pub(super) fn is_one(view: &View<'_>) -> io::Result<bool> {
    // Magic, deflate, and no flag that means nothing.
    Ok(view.bytes::<10>(0)?.is_some_and(|first| first[..3] == [0x1f, 0x8b, 8] && first[3] & 0xe0 == 0))
}

/// Where the stream of the member begins that is at the beginning of `range`; `None` where
/// there is no member.
pub(crate) fn body(data: &dyn ReadAt, range: ByteRange) -> io::Result<Option<u64>> {
    let view = View { data, range };
    if !is_one(&view)? {
        return Ok(None);
    }
    let mut header = vec![0; view.len().min(LONGEST as u64) as usize];
    view.read(0, &mut header)?;
    Ok(header_len(&header).map(|len| range.start + len as u64))
}

fn header_len(header: &[u8]) -> Option<usize> {
    let flags = header[3];
    let mut len = 10;
    if flags & 4 != 0 {
        header.get(len..len + 2)?;
        len += 2 + number::<2>(header, len) as usize;
    }
    // The name, and a comment.
    for flag in [8, 16] {
        if flags & flag != 0 {
            len += header.get(len..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    if flags & 2 != 0 {
        len += 2;
    }
    (len <= header.len()).then_some(len)
}
