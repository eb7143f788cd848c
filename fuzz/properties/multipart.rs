//! What holds for any bytes that are read as an answer with several ranges. The fuzz
//! target and the test that replays its corpus both come here.

use gosync_blocksources::multipart::{Event, Parser};

/// A part: where it begins, how long it says it is, what came of it.
type Part = (u64, u64, Vec<u8>);

/// However the bytes are cut, the same is read, and no part brings more than it says.
/// The first byte tells how they are cut.
pub(crate) fn multipart(data: &[u8]) {
    let Some((&size, body)) = data.split_first() else { return };
    let (whole, whole_failed) = read([body]);
    let (cut, cut_failed) = read(body.chunks(usize::from(size).max(1)));
    assert_eq!(whole_failed, cut_failed);
    assert_eq!(whole, cut);
    assert!(whole.iter().all(|(_, length, came)| came.len() as u64 <= *length));
    assert!(whole.iter().map(|(_, _, came)| came.len()).sum::<usize>() <= body.len());
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Part>, bool) {
    let mut parser = Parser::new("b");
    let mut parts: Vec<Part> = Vec::new();
    for mut piece in pieces {
        loop {
            match parser.next(&mut piece) {
                Ok(Some(Event::Part { range, .. })) => parts.push((range.start, range.len(), Vec::new())),
                Ok(Some(Event::Body(body))) => {
                    assert!(!body.is_empty() && !parser.is_over());
                    parts.last_mut().expect("bodies follow heads").2.extend_from_slice(body);
                }
                Ok(Some(Event::End)) => assert!(parser.is_over()),
                Ok(None) => break,
                Err(_) => return (parts, true),
            }
        }
        assert!(piece.is_empty(), "all is used up");
    }
    (parts, false)
}
