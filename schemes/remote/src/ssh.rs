//! Far sides that ssh logs in to.

use std::io;

use gosync_blocksources::{SshChannel, SshOptions, SshPlace, run_over_ssh};
use gosync_chunks::SourceError;

use crate::session::{Carrier, Line};

impl Line {
    /// Runs `command` at `place`, mostly `gosync server --stdio`.
    ///
    /// # Errors
    ///
    /// When ssh cannot be run.
    pub fn over_ssh(place: &SshPlace, command: &str, options: &SshOptions) -> Result<Self, SourceError> {
        let (reader, writer, channel) = run_over_ssh(place, command, options)?;
        Ok(Self {
            reader: Box::new(reader),
            writer: Box::new(writer),
            location: place.shown().to_owned(),
            carrier: Box::new(channel),
        })
    }
}

impl Carrier for SshChannel {
    fn has_begun(&self) {
        Self::has_begun(self);
    }

    fn broken(self: Box<Self>, error: io::Error, is_start: bool) -> Option<SourceError> {
        Some(Self::broken(*self, error, is_start))
    }
}
