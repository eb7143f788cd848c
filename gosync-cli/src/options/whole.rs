//! What `pull` and `push` are told of a directory.

use std::path::{Path, PathBuf};

use gosync_remote::{SshPlace, Wish};
use gosync_tree::TreeBuild;

use crate::directory::build::patterns;
use crate::failure::Usage;
use crate::progress::Bars;

#[derive(Debug, clap::Args)]
pub(crate) struct Whole {
    /// Of a directory, remove what the new version does not have, but for what is left out
    #[arg(long)]
    pub(crate) delete: bool,
    /// Read every file on both sides, and do not go by length and time
    #[arg(short = 'c', long)]
    pub(crate) checksum: bool,
    /// Of a directory, leave out what this pattern matches, in the syntax of .gitignore; may be repeated.
    /// Files .gosyncignore in it and beneath have patterns too
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Of a directory, leave out what the patterns in this file match; may be repeated
    #[arg(long, value_name = "FILE")]
    exclude_from: Vec<PathBuf>,
    /// Of a directory, give files to the users and groups that they belong to in the new version, by name or
    /// else by number
    #[arg(long)]
    pub(crate) owner: bool,
    /// Of a directory, set the extended attributes, access control lists and capabilities too
    #[arg(long)]
    pub(crate) xattrs: bool,
}

impl Whole {
    /// What is wished of `place`, before it is told what of it is here.
    pub(crate) fn wish(&self, place: &SshPlace) -> anyhow::Result<Wish> {
        let Self { checksum, owner, xattrs, .. } = *self;
        let excludes = patterns(&self.exclude, &self.exclude_from)?;
        Ok(Wish { path: place.path().to_vec(), excludes, owner, xattrs, checksum, ..Wish::default() })
    }

    /// Refuses what is only for directories, where `called` is a file.
    pub(crate) fn check_file(&self, called: &str) -> Result<(), Usage> {
        let all = [
            (self.delete, "--delete"),
            (self.owner, "--owner"),
            (self.xattrs, "--xattrs"),
            (!self.exclude.is_empty(), "--exclude"),
            (!self.exclude_from.is_empty(), "--exclude-from"),
        ];
        match all.iter().find(|(is_given, _)| *is_given) {
            None => Ok(()),
            Some((_, option)) => Err(Usage {
                message: format!("{option} is for directories, and {called} is a file"),
                hint: "leave it out",
            }),
        }
    }
}

/// The hash of the listing of the directory at `local`, as `wish` says that both sides look at theirs.
pub(crate) fn listing(local: &Path, wish: &Wish, bars: &Bars<'_>) -> Result<[u8; 32], gosync::Error> {
    let tree = TreeBuild::scan(local, &wish.tree_options(), bars).map_err(gosync::Error::from)?;
    Ok(tree.info().listing_hash)
}
