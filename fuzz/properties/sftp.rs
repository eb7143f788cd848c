//! What holds for any bytes that come from an SFTP server.

use std::sync::Mutex;

use gosync_blocksources::sftp::Session;
use gosync_chunks::{ByteRange, Sink, SinkError};

/// What is asked for, with up to three requests under way.
const RANGES: [ByteRange; 4] = [
    ByteRange { start: 0, end: 2 },
    ByteRange { start: 4, end: 5 },
    ByteRange { start: 5, end: 6 },
    ByteRange { start: 9, end: 12 },
];

/// Tells which bytes came.
struct Seen(Mutex<[bool; 12]>);

impl Sink for Seen {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        let delivered = ByteRange::at(offset, data.len() as u64);
        for at in delivered.start..delivered.end {
            assert!(RANGES.iter().any(|range| range.contains(ByteRange::at(at, 1))), "{at} was not asked for");
            let mut seen = self.0.lock().expect("nothing panics while holding it");
            assert!(!std::mem::replace(&mut seen[at as usize], true), "{at} came twice");
        }
        Ok(())
    }
}

/// A session with a server that says `data`, whatever it is asked, either ends or
/// delivers what was asked for, once.
pub(crate) fn session(data: &[u8]) {
    let Ok(mut session) = Session::start(data, std::io::sink()) else { return };
    let Ok(file) = session.open(b"/file") else { return };
    let seen = Seen(Mutex::default());
    if let Ok(transfer) = session.read(&file, &RANGES, 3, &seen) {
        let seen = seen.0.lock().expect("nothing panics while holding it");
        assert_eq!((seen.iter().filter(|seen| **seen).count() as u64, transfer.bytes), (7, 7));
    }
}
