//! Following a pointer to the index of the newest version.

use std::path::Path;

use gosync::pointer::{Latest, Seen};
use gosync::sources::SourceOptions;
use gosync::update::Beginning;
use gosync::{LayeredIndex, OpenedIndex, ReadOptions};
use gosync_tree::{FIRST_BYTES, keep_seen, read_seen};

use crate::console::Console;
use crate::options::trust::Trust;
use crate::remedy;

/// A pointer that was followed.
pub(crate) struct Followed {
    pub(crate) latest: Latest,
    /// Whether it leads to what one of the paths was made to be already.
    is_known: bool,
}

impl Followed {
    /// Follows the pointer that was begun, unless one that was followed for any of `paths` before
    /// was newer.
    pub(super) fn open(
        beginning: Beginning,
        paths: &[&Path],
        trust: &Trust,
        limits: &ReadOptions,
        options: &SourceOptions,
        console: &Console,
    ) -> anyhow::Result<(OpenedIndex, Self)> {
        let latest = trust.follow(beginning, console)?;
        let mut known = None;
        for path in paths {
            if let Some(seen) = seen(path)? {
                latest.check_seen(&seen)?;
                known = known.or(Some(seen).filter(|seen| latest.is_as(seen)));
            }
        }
        let first = paths.first().filter(|path| path.is_dir()).map(|_| FIRST_BYTES);
        let opened = latest.open(known.as_ref(), first, limits, options);
        let opened = opened.map_err(|error| remedy::of_version(error.into(), &latest.pointer))?;
        Ok((opened, Self { latest, is_known: known.is_some() }))
    }

    /// Whether what is to be made was made before, so that it is worth a look whether it is there.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// Remembers that `output` was made what it leads to.
    pub(super) fn remember(&self, index: &LayeredIndex, output: &Path, console: &Console) {
        let bytes = Seen::bytes(&self.latest.pointer, index);
        let kept = match output.is_dir() {
            true => keep_seen(output, &bytes).map_err(anyhow::Error::from),
            false => Seen::keep_beside(output, &bytes).map(|notes| console.notes(&notes)).map_err(Into::into),
        };
        if let Err(error) = kept {
            console.message(format_args!(
                "warning: {}: it cannot be written down that this is version {} ({error:#}), so an older one would be \
                 taken the next time",
                output.display(),
                self.latest.pointer.serial
            ));
        }
    }
}

/// By which pointer the file or directory at `path` was made last.
fn seen(path: &Path) -> anyhow::Result<Option<Seen>> {
    if !path.is_dir() {
        return Ok(Seen::beside(path)?);
    }
    let (bytes, kept_in) = read_seen(path)
        .map_err(|error| anyhow::Error::from(error).context(format!("cannot read {}", path.display())))?;
    Ok(bytes.map(|bytes| Seen::read(&bytes, &kept_in)).transpose()?)
}
