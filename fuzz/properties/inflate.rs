//! What holds for any bits that are taken for deflate, and for any place in it. The fuzz
//! target and the test that replays its corpus both come here.

use gosync_payloads::gzip::{BlockHeader, InflateError, Inflater};

/// However the bits are cut, the same comes out of them; and from behind the header of a
/// block the same as from before it. The first bytes tell how the bits are cut, where they
/// begin, and how much stands before them.
pub(crate) fn inflate(data: &[u8]) {
    let Some((&[cut, bit, before], stream)) = data.split_first_chunk() else { return };
    let before: Vec<u8> = (0..usize::from(before) * 130).map(|at| (at % 251) as u8).collect();
    let (start, end) = (usize::from(bit % 64), stream.len() * 8);
    if start > end {
        return;
    }
    let whole = decode(&before, None, stream, start, end);
    assert_eq!(decode(&before, None, stream, start, usize::from(cut) + 1), whole);
    match BlockHeader::read(stream, start) {
        Ok(header) => {
            let behind = start + header.bit_len();
            assert!(behind <= end && header.bit_len() as u64 <= BlockHeader::LONGEST * 8);
            assert_eq!(decode(&before, Some(&header), stream, behind, end), whole);
            // In the middle of what is stored.
            let bytes = usize::from(cut % 8);
            if let (Some(whole), Ok(rest)) = (whole, header.clone().behind(bytes as u64))
                && rest != header
                && behind + bytes * 8 <= end
            {
                let there = [&before[..], &stream[behind / 8..][..bytes]].concat();
                let rest = decode(&there, Some(&rest), stream, behind + bytes * 8, end);
                assert_eq!(rest.as_deref(), Some(&whole[bytes..]));
            }
        }
        // What fills up the last byte may complete it.
        Err(InflateError::CutOff) => {}
        Err(_) => assert!(whole.is_none_or(|out| out.is_empty())),
    }
}

/// All that comes out of the bits from `start` on, which are given `cut` at a time, if they
/// are deflate.
fn decode(before: &[u8], header: Option<&BlockHeader>, data: &[u8], start: usize, cut: usize) -> Option<Vec<u8>> {
    let mut inflater = Inflater::new(before, header, start % 8, u64::MAX);
    let mut out = Vec::new();
    let mut take = |piece: &[u8]| {
        assert!(!piece.is_empty() && piece.len() <= 1 << 17);
        out.extend_from_slice(piece);
        Ok(())
    };
    let mut at = start;
    while at < data.len() * 8 {
        let end = (at + cut).min(data.len() * 8);
        inflater.push(data, at..end, &mut take).ok()?;
        at = end;
    }
    match inflater.finish(&mut take) {
        Err(InflateError::CutOff) => Some(out),
        _ => None,
    }
}
