//! How much is opened.

use std::path::PathBuf;

use crate::encoder::settings::Encoder;
use crate::recipe::MOST_NESTED;

/// How much of a file is opened, and where that is put.
///
/// What is more than this is left as it is: it costs more to transfer, and is never wrong.
#[derive(Clone, Debug)]
pub struct Options {
    /// How deep streams may be in streams, 2 at most: 2 for a wheel in a `.tar.gz`.
    pub nested: u32,
    /// The most streams of a file.
    pub streams: usize,
    /// A stream may not open to more than this many times its length, unless it opens to a
    /// mebibyte or less.
    pub ratio: u64,
    /// The most bytes of all that is opened.
    pub opened: u64,
    /// The encoders that are tried, in this order.
    pub encoders: Vec<Encoder>,
    /// Where what is opened is put until it is read, in a file without a name; the system's
    /// place for temporary files where this is `None`.
    pub directory: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nested: MOST_NESTED,
            streams: 1 << 20,
            ratio: 200,
            opened: 1 << 40,
            // Most files are packed by default, or as small as can be, or in a hurry.
            encoders: [6, 9, 1, 5, 8, 7, 4, 3, 2]
                .into_iter()
                .flat_map(|level| [Encoder::zlib(level), Encoder::gzip(level), Encoder::chromium(level)])
                .collect(),
            directory: None,
        }
    }
}
