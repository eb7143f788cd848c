//! Finding out what was published: its first bytes tell, and are read once.

use std::path::Path;

use gosync::pointer::{Latest, Pointer};
use gosync::signing::Signed;
use gosync::sources::{Location, SourceOptions, Transfer};
use gosync::update::{Beginning, Target};
use gosync::{Index, OpenedIndex, ReadOptions};
use gosync_tree::{FIRST_BYTES, SECTION as TREE, TreeInfo};
use gosync_unpack::{PackedInfo, PackedTarget, SECTION as PACKED};
use gosync_zsync::{Control, ControlTarget, OpenedControl};
use serde_json::Value;

use super::beside::Beside;
use super::latest::Followed;
use super::{control, index};
use crate::console::Console;
use crate::failure::Usage;
use crate::options::trust::Trust;
use crate::remedy;
use crate::table::Facts;

/// Something that describes a target, opened. A new format is one more of these.
pub(crate) enum Published {
    /// An index of gosync's own format or go-sync's, its signature, if there was to be one, the
    /// pointer that led to it, if one did, and what it says of a packed file, if it is of one.
    Index(OpenedIndex, Option<Signed>, Option<Box<Followed>>, Option<Box<PackedInfo>>),
    /// A control file of zsync.
    Control(OpenedControl),
}

impl Published {
    /// Opens what is at `location`, and refuses it where it has to be signed and is not. Of what
    /// is perhaps compared with the first of `paths`, an old version, no more is read at first than
    /// that needs. A pointer is followed, unless one that was followed for any of them was newer.
    pub(crate) fn open(
        location: &Location,
        paths: &[&Path],
        trust: &Trust,
        options: &SourceOptions,
        console: &Console,
    ) -> anyhow::Result<Self> {
        Self::read(location, paths, trust, options, console)
            .map_err(|error| remedy::of_opening(error, location, options))
    }

    fn read(
        location: &Location,
        paths: &[&Path],
        trust: &Trust,
        options: &SourceOptions,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let limits = ReadOptions { sections: &[TREE, PACKED], ..ReadOptions::default() };
        let beginning = match paths.first().is_some_and(|path| path.is_dir()) {
            true => Beginning::read_first(location, FIRST_BYTES, limits.max_bytes, options),
            false => Beginning::read(location, limits.max_bytes, options),
        };
        let beginning = beginning.map_err(gosync::Error::from)?;
        if Pointer::begins(beginning.start()) {
            let (opened, followed) = Followed::open(beginning, paths, trust, &limits, options, console)?;
            return Self::index(opened, followed.latest.signed.clone(), Some(Box::new(followed)));
        }
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
        Self::index(opened, signed, None)
    }

    fn index(mut opened: OpenedIndex, signed: Option<Signed>, followed: Option<Box<Followed>>) -> anyhow::Result<Self> {
        let packed = opened.index.layered().map(PackedInfo::of).transpose().map_err(gosync::Error::from)?.flatten();
        let packed = packed.map(|(info, transfer)| {
            opened.transfer += transfer;
            Box::new(info)
        });
        Ok(Self::Index(opened, signed, followed, packed))
    }

    /// What an update brings about, also from what is beside its source.
    pub(crate) fn target<'a>(&'a self, beside: &'a Beside) -> Box<dyn Target + 'a> {
        match self {
            Self::Index(opened, .., packed) => match (opened.index.layered(), packed) {
                (Some(index), Some(info)) => {
                    Box::new(PackedTarget::new(index, info).with_published(beside.packed.as_deref()))
                }
                _ => opened.index.target(),
            },
            Self::Control(opened) => Box::new(match &beside.places {
                None => ControlTarget::new(&opened.control),
                Some(places) => ControlTarget::at(&opened.control, places),
            }),
        }
    }

    /// What it says of a packed file, if it is of one.
    pub(crate) fn packed(&self) -> Option<&PackedInfo> {
        match self {
            Self::Index(.., packed) => packed.as_deref(),
            Self::Control(_) => None,
        }
    }

    /// Where it is.
    pub(crate) fn location(&self) -> &Location {
        match self {
            Self::Index(opened, ..) => &opened.location,
            Self::Control(opened) => &opened.location,
        }
    }

    /// Whether what clients fetch is not the target itself.
    pub(crate) fn is_compressed(&self) -> bool {
        matches!(self, Self::Index(opened, ..) if opened.index.info().payload.is_some())
    }

    /// What opening it took.
    pub(crate) fn transfer(&self) -> Transfer {
        match self {
            Self::Index(opened, ..) => opened.transfer,
            Self::Control(opened) => opened.transfer,
        }
    }

    /// What it calls its target, or else where it is.
    pub(crate) fn target_name(&self) -> String {
        let name = match self {
            Self::Index(opened, ..) => opened.index.info().target_name,
            Self::Control(opened) => opened.control.file_name.clone(),
        };
        name.map_or_else(|| self.location().to_string(), |name| name.as_str().to_owned())
    }

    /// What is in it, for people and for programs.
    pub(crate) fn description(&self) -> Result<(Facts, Value), gosync::Error> {
        Ok(match self {
            Self::Index(opened, signed, followed, packed) => {
                let tree = opened.index.layered().map(TreeInfo::of).transpose()?.flatten();
                let pointer = followed.as_ref().map(|followed| &followed.latest.pointer);
                let contents = index::Contents { tree: tree.as_ref(), packed: packed.as_deref() };
                index::describe(&opened.index.info(), &contents, signed.as_ref(), pointer)
            }
            Self::Control(opened) => control::describe(&opened.control, opened.bytes.len()),
        })
    }

    /// Whether it is what was made the last time, so that it is worth a look whether it is there.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self, Self::Index(_, _, Some(followed), _) if followed.is_known())
    }

    /// Remembers that `output` was brought to it, where a pointer led here: an older version is then
    /// refused.
    pub(crate) fn remember(&self, output: &Path, console: &Console) {
        if let Self::Index(opened, _, Some(followed), _) = self
            && let Some(index) = opened.index.layered()
        {
            followed.remember(index, output, console);
        }
    }

    /// The pointer that led here.
    pub(crate) fn pointer(&self) -> Option<&Latest> {
        match self {
            Self::Index(_, _, Some(followed), _) => Some(&followed.latest),
            _ => None,
        }
    }

    /// The bytes that a signature of it is made of.
    pub(crate) fn signed_part(&self) -> Result<&[u8], Usage> {
        let (message, index) = match self {
            Self::Index(opened, ..) => {
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
