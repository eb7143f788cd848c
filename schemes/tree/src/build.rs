//! Publishing a directory: its listing, and the index of its flat target.

use std::fs::{self, File, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gosync_chunks::{FileHash, Progress, ReadAt, TargetName};
use gosync_files::identity::is_same;
use gosync_layers::choose;
use gosync_layers::format::LayeredIndex;
use gosync_publish::{Build, BuildOptions, Error as PublishError, PayloadOut};

use crate::contents::Contents;
use crate::error::Error;
use crate::excludes::Excludes;
use crate::flat::{Flat, Opens};
use crate::listing::Listing;
use crate::listing::entry::{Kind, Time};
use crate::listing::path::shown;
use crate::members::Members;
use crate::packed::open::{OpenedFiles, WithOpened, candidates, open_files};
use crate::packed::recipes::Recipes;
use crate::root::Root;
use crate::scan::{Scan, ScanOptions};
use crate::section::{PackedFiles, TreeInfo};
use crate::work::cached;

/// What the listing of a tree that is published file by file is called: the directory's name, and
/// this.
pub const LISTING_SUFFIX: &str = ".gosync-listing";

/// Directories with more files than this are best published with a compressed payload: each file
/// would be a request.
pub const MANY_FILES: u64 = 200;

/// Records of the coarsest layer, at most. All before a block that is wanted are read where the
/// payload is compressed, and of a tree mostly one file is wanted.
const COARSE_BLOCKS: u64 = 1 << 10;

/// Blocks are not larger than this, in bytes.
const LARGEST_BLOCK: u32 = 16 << 20;

/// What of a directory to publish.
#[derive(Clone, Debug, Default)]
pub struct TreeBuildOptions {
    /// What to leave out: lines in the syntax of gitignore, which count for more than those in
    /// [`IGNORE_FILE`](crate::IGNORE_FILE)s.
    pub excludes: String,
    /// What is newer is said to be as old as this.
    pub latest: Option<Time>,
    /// Records users and groups.
    pub owner: bool,
    /// Records extended attributes, access control lists and capabilities among them.
    pub xattrs: bool,
    /// Believes that a file which has the length and time that the last update of the directory gave
    /// it has the same contents still, as an update does.
    pub trust_times: bool,
}

/// A directory that was looked at, to be published.
pub struct TreeBuild {
    files: Arc<dyn Opens>,
    /// The directory; none where the tree is the caller's own.
    scan: Option<Arc<Scan>>,
    called: String,
    tree: Listing,
    listing: Arc<[u8]>,
    recipes: Recipes,
    info: TreeInfo,
}

impl TreeBuild {
    /// Looks at the directory at `path`, and hashes all files, on all threads of the current rayon
    /// pool.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or a pattern cannot be understood.
    pub fn scan(
        path: &Path,
        options: &TreeBuildOptions,
        progress: &dyn Progress,
    ) -> Result<Self, gosync_update::Error> {
        Self::of_root(Root::open(path).map_err(Error::read(path))?, options, progress)
    }

    /// The same of a directory that is open, and called `path` in messages: nothing is looked up by
    /// that.
    ///
    /// # Errors
    ///
    /// As [`scan`](Self::scan).
    pub fn scan_opened(
        directory: File,
        path: &Path,
        options: &TreeBuildOptions,
        progress: &dyn Progress,
    ) -> Result<Self, gosync_update::Error> {
        Self::of_root(Root::of(path, directory), options, progress)
    }

    fn of_root(root: Root, options: &TreeBuildOptions, progress: &dyn Progress) -> Result<Self, gosync_update::Error> {
        let called = root.path().display().to_string();
        let excludes = Excludes::with_files(&options.excludes)?;
        let TreeBuildOptions { owner, xattrs, latest, trust_times, .. } = *options;
        let known = if trust_times { cached(&root) } else { None };
        let known = known.as_ref().map(|(listing, _)| listing);
        let scan = Scan::of(root, &ScanOptions { excludes: &excludes, known, owner, xattrs, progress })?;
        let mut tree = scan.listing.clone();
        if let Some(latest) = latest {
            clamp(&mut tree, latest);
        }
        let scan = Arc::new(scan);
        Ok(Self::new(tree, scan.clone(), Some(scan), called, excludes.patterns()))
    }

    /// Looks at a tree that is in no file system, and is called `called` in messages.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or cannot be listed.
    pub fn of(members: Members, called: &str, progress: &dyn Progress) -> Result<Self, gosync_update::Error> {
        let (tree, contained) = members.listed(called, progress)?;
        Ok(Self::new(tree, Arc::new(contained), None, called.to_owned(), String::new()))
    }

    fn new(tree: Listing, files: Arc<dyn Opens>, scan: Option<Arc<Scan>>, called: String, excludes: String) -> Self {
        let listing: Arc<[u8]> = tree.encode().into();
        let lengths = (0..tree.entries.len()).filter_map(|at| Some(tree.content(at)?.length));
        let (count, bytes) = lengths.fold((0, 0), |(count, bytes), length| (count + 1, bytes + length));
        let info = TreeInfo {
            listing_length: listing.len() as u64,
            listing_hash: *blake3::hash(&listing).as_bytes(),
            entries: tree.entries.len() as u64,
            files: count,
            bytes,
            excludes,
            packed: None,
        };
        Self { files, scan, called, tree, listing, recipes: Recipes::default(), info }
    }

    /// Whether most bytes are in files that begin like packed ones, so that it is worth trying to
    /// [open](Self::unpack) these.
    ///
    /// # Errors
    ///
    /// When something cannot be read.
    pub fn is_mostly_packed(&self) -> Result<bool, gosync_update::Error> {
        let contents = self.contents(1, &Recipes::default());
        let Some(contents) = contents else { return Ok(false) };
        let candidates = candidates(&contents, &*self.files).map_err(Error::read(self.called.as_ref()))?;
        let bytes: u64 = candidates.iter().map(|(_, place)| place.content.length).sum();
        Ok(bytes > self.info.bytes / 2)
    }

    /// Opens packed files (zip, jar, wheel, gz, tar.gz) where that pays, on all threads of the current
    /// rayon pool: the index will be of what is in them, and a payload is needed. Tells of how many
    /// files. What is in them is in a temporary file as long as this is there.
    ///
    /// # Errors
    ///
    /// When something cannot be read, there is no room for what is in them, or `progress` cancels.
    pub fn unpack(&mut self, progress: &dyn Progress) -> Result<usize, gosync_update::Error> {
        if self.info.packed.is_some() {
            return Ok(self.recipes.packed().len());
        }
        let Some(contents) = self.contents(1, &Recipes::default()) else { return Ok(0) };
        let called = |entry: usize| match &self.scan {
            Some(scan) => scan.root.at(&self.tree.entries[entry].path).display().to_string(),
            None => format!("{}: {}", self.called, shown(&self.tree.entries[entry].path)),
        };
        let OpenedFiles { recipes, opened, packed_bytes } = open_files(&contents, &*self.files, &called, progress)?;
        if recipes.is_empty() {
            return Ok(0);
        }
        self.recipes = Recipes::new(&recipes);
        self.files = Arc::new(WithOpened { tree: self.files.clone(), opened });
        self.info.packed = Some(PackedFiles {
            recipes_length: self.recipes.bytes().len() as u64,
            recipes_hash: *blake3::hash(self.recipes.bytes()).as_bytes(),
            files: recipes.len() as u64,
            bytes: packed_bytes,
            opened_bytes: recipes.iter().map(|(.., recipe)| recipe.flat_len()).sum(),
        });
        Ok(recipes.len())
    }

    /// Where everything is in the flat target.
    fn contents(&self, unit: u64, recipes: &Recipes) -> Option<Contents> {
        Contents::of(&self.tree, self.info.front_length(), unit, recipes)
    }

    /// The flat target, in blocks of `unit`; `None` where it would be too long.
    fn flat(&self, unit: u32) -> Option<Flat> {
        let contents = self.contents(unit.into(), &self.recipes)?;
        Some(Flat::of(&self.files, [&self.listing, self.recipes.bytes()].concat().into(), &contents))
    }

    /// What the index will say of it.
    pub fn info(&self) -> &TreeInfo {
        &self.info
    }

    /// The listing: to be published beside the index where the files are published as they are.
    pub fn listing(&self) -> &[u8] {
        &self.listing
    }

    /// What is left out because no listing can have it: devices, sockets, pipes, names that are no
    /// names elsewhere.
    pub fn left_out(&self) -> &[PathBuf] {
        self.scan.as_ref().map_or(&[], |scan| &scan.left_out)
    }

    /// The file of this directory that `path` leads to as well, if one does.
    pub fn file_at(&self, path: &Path) -> Option<PathBuf> {
        let root = &self.scan.as_ref()?.root;
        let length = fs::metadata(path).ok().filter(Metadata::is_file)?.len();
        let entries = self.tree.entries.iter().enumerate();
        let as_long = entries.filter(|(at, _)| self.tree.content(*at).is_some_and(|content| content.length == length));
        as_long.map(|(_, entry)| root.at(&entry.path)).find(|file| is_same(file, path))
    }

    /// Makes the index of the directory, which is called `name`; with a `payload`, writes that too.
    ///
    /// # Errors
    ///
    /// As [`Build::index`], and when a file changed since it was looked at.
    pub fn index(
        &self,
        name: Option<TargetName>,
        options: &BuildOptions,
        payload: Option<PayloadOut<'_>>,
        progress: &dyn Progress,
    ) -> Result<LayeredIndex, PublishError> {
        let is_compressed = payload.is_some();
        self.built(name, options, is_compressed, progress, |build| build.index(payload))
    }

    /// The same without a payload, and the flat target, to be served as long as the directory stays as it
    /// is.
    ///
    /// # Errors
    ///
    /// As [`index`](Self::index).
    pub fn index_and_target(
        &self,
        options: &BuildOptions,
        progress: &dyn Progress,
    ) -> Result<(LayeredIndex, Box<dyn ReadAt>), PublishError> {
        let index = self.index(None, options, None, progress)?;
        let unit = index.layers().last().map_or(1, |layer| layer.layout.block_size());
        let flat = self.flat(unit).ok_or_else(|| PublishError::Layers { sizes: options.block_sizes.clone() })?;
        Ok((index, Box::new(flat)))
    }

    /// The same with a payload, which `call` gives its name by its hash.
    ///
    /// # Errors
    ///
    /// As [`index`](Self::index).
    pub fn index_by_content(
        &self,
        name: Option<TargetName>,
        options: &BuildOptions,
        payload: &mut (dyn Write + Send),
        call: &dyn Fn(FileHash) -> TargetName,
        progress: &dyn Progress,
    ) -> Result<LayeredIndex, PublishError> {
        self.built(name, options, true, progress, |build| build.index_by_content(Some(payload), call))
    }

    fn built(
        &self,
        name: Option<TargetName>,
        options: &BuildOptions,
        is_compressed: bool,
        progress: &dyn Progress,
        make: impl FnOnce(&Build<'_>) -> Result<LayeredIndex, PublishError>,
    ) -> Result<LayeredIndex, PublishError> {
        let approximate = self.info.front_length().saturating_add(self.info.opened_bytes());
        let block_sizes = match &options.block_sizes[..] {
            [] => block_sizes(approximate, is_compressed),
            sizes => sizes.to_vec(),
        };
        let unit = block_sizes.last().copied().unwrap_or(1).max(1);
        let flat = self.flat(unit).ok_or_else(|| PublishError::Layers { sizes: block_sizes.clone() })?;
        let options = BuildOptions { block_sizes, ..options.clone() };
        let sections = vec![self.info.section()];
        let build = Build { target: &flat, called: &self.called, name, sections, options: &options, progress };
        let index = make(&build)?;
        match self.scan.as_ref().and_then(|scan| scan.changed()) {
            Some(path) => Err(PublishError::Changed { path }),
            None => Ok(index),
        }
    }
}

/// The layers of a flat target of about so many bytes.
fn block_sizes(length: u64, is_compressed: bool) -> Vec<u32> {
    let mut sizes = choose::block_sizes(length, is_compressed);
    while let Some(&coarsest) = sizes.first()
        && coarsest < LARGEST_BLOCK
        && length.div_ceil(coarsest.into()) > COARSE_BLOCKS
    {
        sizes.insert(0, LARGEST_BLOCK.min(coarsest * 8));
    }
    sizes
}

fn clamp(listing: &mut Listing, latest: Time) {
    for entry in &mut listing.entries {
        match &mut entry.kind {
            Kind::Directory(attributes) | Kind::File(attributes, _) => {
                attributes.modified = attributes.modified.min(latest);
            }
            Kind::Link { modified, .. } => *modified = (*modified).min(latest),
            Kind::HardLink { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_layers::format::check_sizes;

    #[test]
    fn the_coarsest_layer_is_short() {
        for length in [0, 1, 57 << 20, 500 << 20, 3 << 30, 300 << 30, 1 << 40] {
            for is_compressed in [false, true] {
                let sizes = block_sizes(length, is_compressed);
                assert!(check_sizes(&sizes).is_ok(), "{sizes:?}");
                assert!(length.div_ceil(sizes[0].into()) <= COARSE_BLOCKS || sizes[0] == LARGEST_BLOCK);
            }
        }
        assert_eq!(block_sizes(500 << 20, true), [512 << 10, 64 << 10, 4096, 512]);
    }
}
