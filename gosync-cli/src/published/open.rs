//! Finding out what was published: its first bytes tell, and are read once.

use std::path::Path;

use gosync::signing::Signed;
use gosync::sources::{Location, SourceOptions, Transfer};
use gosync::update::{Beginning, Target};
use gosync::{Index, OpenedIndex, ReadOptions};
use gosync_tree::{FIRST_BYTES, SECTION, TreeInfo};
use gosync_zsync::{Control, ControlTarget, OpenedControl, Places};
use serde_json::Value;

use super::{control, index};
use crate::console::Console;
use crate::failure::Usage;
use crate::options::trust::Trust;
use crate::remedy;
use crate::table::Facts;

/// Something that describes a target, opened. A new format is one more of these.
pub(crate) enum Published {
    /// An index of gosync's own format or go-sync's, and its signature, if there was to be one.
    Index(OpenedIndex, Option<Signed>),
    /// A control file of zsync.
    Control(OpenedControl),
}

impl Published {
    /// Opens what is at `location`, and refuses it where it has to be signed and is not. Of what
    /// is perhaps compared with `old`, an old version, no more is read at first than that needs.
    pub(crate) fn open(
        location: &Location,
        old: Option<&Path>,
        trust: &Trust,
        options: &SourceOptions,
        console: &Console,
    ) -> anyhow::Result<Self> {
        Self::read(location, old, trust, options, console).map_err(|error| remedy::of_opening(error, location, options))
    }

    fn read(
        location: &Location,
        old: Option<&Path>,
        trust: &Trust,
        options: &SourceOptions,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let limits = ReadOptions { sections: &[SECTION], ..ReadOptions::default() };
        let beginning = match old.is_some_and(Path::is_dir) {
            true => Beginning::read_first(location, FIRST_BYTES, limits.max_bytes, options),
            false => Beginning::read(location, limits.max_bytes, options),
        };
        let beginning = beginning.map_err(gosync::Error::from)?;
        let is_index = Index::format_of(beginning.start());
        if matches!(is_index, Ok(None)) && Control::is_one(beginning.start()) {
            if trust.wants_signature() {
                return Err(Usage {
                    message: format!("{location} is a control file of zsync, which cannot be signed"),
                    hint: "leave out --public-key, or get an index of gosync's own format",
                }
                .into());
            }
            let opened = OpenedControl::read(beginning)?;
            control::warn_of_ignored(&opened, console);
            return Ok(Self::Control(opened));
        }
        let mut opened = OpenedIndex::read(beginning, &limits)?;
        let signed = trust.check(&mut opened, options, console)?;
        Ok(Self::Index(opened, signed))
    }

    /// What an update brings about; of a control file also from `places`.
    pub(crate) fn target<'a>(&'a self, places: Option<&'a Places>) -> Box<dyn Target + 'a> {
        match (self, places) {
            (Self::Index(opened, _), _) => opened.index.target(),
            (Self::Control(opened), None) => Box::new(ControlTarget::new(&opened.control)),
            (Self::Control(opened), Some(places)) => Box::new(ControlTarget::at(&opened.control, places)),
        }
    }

    /// Where it is.
    pub(crate) fn location(&self) -> &Location {
        match self {
            Self::Index(opened, _) => &opened.location,
            Self::Control(opened) => &opened.location,
        }
    }

    /// Whether what clients fetch is not the target itself.
    pub(crate) fn is_compressed(&self) -> bool {
        matches!(self, Self::Index(opened, _) if opened.index.info().payload.is_some())
    }

    /// What opening it took.
    pub(crate) fn transfer(&self) -> Transfer {
        match self {
            Self::Index(opened, _) => opened.transfer,
            Self::Control(opened) => opened.transfer,
        }
    }

    /// What it calls its target, or else where it is.
    pub(crate) fn target_name(&self) -> String {
        let name = match self {
            Self::Index(opened, _) => opened.index.info().target_name,
            Self::Control(opened) => opened.control.file_name.clone(),
        };
        name.map_or_else(|| self.location().to_string(), |name| name.as_str().to_owned())
    }

    /// What is in it, for people and for programs.
    pub(crate) fn description(&self) -> Result<(Facts, Value), gosync::Error> {
        Ok(match self {
            Self::Index(opened, signed) => {
                let tree = opened.index.layered().map(TreeInfo::of).transpose()?.flatten();
                index::describe(&opened.index.info(), tree.as_ref(), signed.as_ref())
            }
            Self::Control(opened) => control::describe(&opened.control, opened.bytes.len()),
        })
    }

    /// The bytes that a signature of it is made of.
    pub(crate) fn signed_part(&self) -> Result<&[u8], Usage> {
        let (message, index) = match self {
            Self::Index(opened, _) => {
                let message = format!("the {} format has no header to sign", opened.index.info().format);
                (message, opened.index.layered())
            }
            Self::Control(opened) => {
                (format!("{} is a control file of zsync, which has no header to sign", opened.location), None)
            }
        };
        index.map(|index| index.head()).ok_or(Usage { message, hint: "leave out --signed-part" })
    }
}
