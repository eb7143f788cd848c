//! Finding out what was published.

use gosync::{Error, FormatError, Location, ReadOptions, SourceOptions, open_index};
use gosync_zsync::{ControlError, open_control};

use super::control::PublishedControl;
use super::index::PublishedIndex;
use super::update::Published;
use crate::console::Console;
use crate::failure::Usage;
use crate::options::trust::Trust;

/// Opens what is at `location`, and refuses it where it has to be signed and is not.
pub(crate) fn open_published(
    location: &Location,
    trust: &Trust,
    options: &SourceOptions,
    console: &Console,
) -> anyhow::Result<Box<dyn Published>> {
    let not_an_index = match open_index(location, &ReadOptions::default(), options) {
        Ok(mut opened) => {
            let signed = trust.check(&mut opened, options, console)?;
            return Ok(Box::new(PublishedIndex { opened, signed }));
        }
        Err(error @ Error::Index { source: FormatError::NotAnIndex, .. }) => error,
        Err(error) => return Err(error.into()),
    };
    match open_control(location, &gosync_zsync::ReadOptions::default(), options) {
        Err(gosync_zsync::Error::Control { source: ControlError::NotAControlFile, .. }) => Err(not_an_index.into()),
        Ok(_) if trust.wants_signature() => Err(Usage {
            message: format!("{location} is a control file of zsync, which cannot be signed"),
            hint: "leave out --public-key, or get an index of gosync's own format",
        }
        .into()),
        opened => Ok(Box::new(PublishedControl { opened: opened? })),
    }
}
