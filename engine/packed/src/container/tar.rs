//! tar files: members that lie there as they are. Only those that are packed themselves are of
//! interest.

use std::io;

use super::signs::is_packed;
use super::view::{Member, View};

const BLOCK: u64 = 512;

/// The packed members of a tar file; `None` where there is none here.
pub(super) fn members(view: &View<'_>, most: usize) -> io::Result<Option<Vec<Member>>> {
    let (mut members, mut at, mut is_tar) = (Vec::new(), 0, false);
    while let Some(header) = view.bytes::<512>(at)? {
        if header[257..262] != *b"ustar" || members.len() == most {
            break;
        }
        is_tar = true;
        let Some(size) = size(&header[124..136]) else { break };
        let Some(range) = view.range(at + BLOCK, size) else { break };
        // A regular file.
        if matches!(header[156], 0 | b'0') && is_packed(view.data, range)? {
            members.push(Member { range, is_deflated: false });
        }
        let Some(next) = size.checked_next_multiple_of(BLOCK).and_then(|size| size.checked_add(at + BLOCK)) else {
            break;
        };
        at = next;
    }
    Ok(is_tar.then_some(members))
}

/// A number in octal digits, or in binary where the first bit is set.
fn size(field: &[u8]) -> Option<u64> {
    if field[0] == 0x80 {
        return field[4..].iter().try_fold(0u64, |number, byte| number.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let digits = field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| (b'0'..=b'7').contains(byte));
    digits
        .map(|digit| u64::from(digit - b'0'))
        .try_fold(0u64, |number, digit| number.checked_mul(8)?.checked_add(digit))
}
