//! Index files in any format.

use std::io::{self, Read, Write};

use gosync_layers::format::{Extent, FormatError, LayeredIndex, ReadOptions};
use gosync_update::{LayeredTarget, Target};

use crate::format::Format;
use crate::go_sync::GoSyncIndex;
use crate::info::IndexInfo;

/// The content of an index file; of our own format, what its header says, and a way to
/// the layers, which need not be here.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one of them, not a list")]
pub enum Index {
    /// In our own format.
    Layered(LayeredIndex),
    /// In go-sync's.
    GoSync(GoSyncIndex),
}

impl Index {
    /// The format of the index that begins with `start`, of which eight bytes will do; `None`
    /// where it is no index.
    ///
    /// # Errors
    ///
    /// When it is one that was damaged on its way.
    pub fn format_of(start: &[u8]) -> Result<Option<Format>, FormatError> {
        Ok(match start {
            _ if LayeredIndex::begins(start)? => Some(Format::Layered),
            _ if GoSyncIndex::begins(start) => Some(Format::GoSync),
            _ => None,
        })
    }

    /// How long an index is that begins with `start`, or how much of it tells that.
    ///
    /// # Errors
    ///
    /// When it is the beginning of no index that this reader takes.
    pub fn extent(start: &[u8], options: &ReadOptions) -> Result<Extent, FormatError> {
        match Self::format_of(start)? {
            Some(Format::Layered) => LayeredIndex::extent(start, options),
            Some(Format::GoSync) => GoSyncIndex::extent(start, options),
            None => Err(FormatError::NotAnIndex),
        }
    }

    /// Reads an index in any [`Format`], which its first bytes tell, to the end of the
    /// input.
    ///
    /// Memory follows the bytes that were read, not those that are declared, and comes
    /// to no more than the sums take. The reader is asked for large pieces and needs no
    /// buffer of its own.
    ///
    /// # Errors
    ///
    /// When reading fails, or the bytes are not one whole index: see [`FormatError`].
    pub fn read(mut reader: impl Read, options: &ReadOptions) -> Result<Self, FormatError> {
        let mut start = Vec::new();
        reader.by_ref().take(8).read_to_end(&mut start)?;
        let format = Self::format_of(&start)?;
        let reader = io::Cursor::new(start).chain(reader);
        match format {
            Some(Format::Layered) => LayeredIndex::read(reader, options).map(Self::Layered),
            Some(Format::GoSync) => GoSyncIndex::read(reader, options).map(Self::GoSync),
            None => Err(FormatError::NotAnIndex),
        }
    }

    /// Writes the index in its format. What was read comes out as it was, byte for byte.
    ///
    /// The writer is given large pieces and needs no buffer of its own. It is not
    /// flushed.
    ///
    /// # Errors
    ///
    /// When the writer fails, or parts that are not here cannot be read.
    pub fn write(&self, writer: impl Write) -> io::Result<()> {
        match self {
            Self::Layered(index) => index.write(writer),
            Self::GoSync(index) => index.write(writer),
        }
    }

    /// What the index says of itself and its target.
    pub fn info(&self) -> IndexInfo {
        match self {
            Self::Layered(index) => index.into(),
            Self::GoSync(index) => index.into(),
        }
    }

    /// What an update brings about.
    pub fn target(&self) -> Box<dyn Target + '_> {
        match self {
            Self::Layered(index) => Box::new(LayeredTarget::new(index)),
            Self::GoSync(index) => Box::new(index.target()),
        }
    }

    /// The index, where it is in our own format.
    pub fn layered(&self) -> Option<&LayeredIndex> {
        match self {
            Self::Layered(index) => Some(index),
            Self::GoSync(_) => None,
        }
    }
}
