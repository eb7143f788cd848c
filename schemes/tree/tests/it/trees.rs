//! Trees made of a description, and how they are published and updated.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gosync_blocksources::{FileSource, Location, SourceOptions};
use gosync_chunks::{Progress, TargetName};
use gosync_layers::format::LayeredIndex;
use gosync_publish::{BuildOptions, PayloadOut};
use gosync_tree::{TreeBuild, TreeBuildOptions, TreeInfo, TreeOptions, TreeReport, TreeSource, TreeUpdate};

/// A directory that trees are made in.
pub(crate) struct Ground {
    directory: tempfile::TempDir,
}

/// What was published of a tree.
#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) index: LayeredIndex,
    pub(crate) info: TreeInfo,
    tree: PathBuf,
    payload: Option<PathBuf>,
    listing: PathBuf,
}

impl Ground {
    pub(crate) fn new() -> Self {
        // In memory where that can be: nothing waits there for being synced.
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { directory: directory.unwrap() }
    }

    /// On a file system that has all that trees can have.
    pub(crate) fn on_disk() -> Self {
        Self { directory: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap() }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Publishes the tree `name`, with a compressed payload or as it is.
    pub(crate) fn publish(&self, name: &str, is_compressed: bool) -> Published {
        self.publish_with(name, is_compressed, &TreeBuildOptions::default())
    }

    /// The same, with what is asked for.
    pub(crate) fn publish_with(&self, name: &str, is_compressed: bool, options: &TreeBuildOptions) -> Published {
        let tree = self.at(name);
        let build = TreeBuild::scan(&tree, options, &()).unwrap();
        let payload = self.at(&format!("{name}.gosync-payload"));
        let mut out = File::create(&payload).unwrap();
        let out = PayloadOut { name: TargetName::new("payload").unwrap(), out: &mut out };
        let options = BuildOptions { compress: is_compressed.then_some(3), ..BuildOptions::default() };
        let index = build.index(None, &options, is_compressed.then_some(out), &()).unwrap();
        let listing = self.at(&format!("{name}.gosync-listing"));
        fs::write(&listing, build.listing()).unwrap();
        Published { info: build.info().clone(), index, tree, payload: is_compressed.then_some(payload), listing }
    }
}

impl Published {
    pub(crate) fn update<T>(
        &self,
        seeds: &[PathBuf],
        options: TreeOptions,
        progress: &dyn Progress,
        with: impl FnOnce(&TreeUpdate<'_>) -> T,
    ) -> T {
        let sources = SourceOptions::default();
        let [tree, listing, payload] = [Some(&self.tree), Some(&self.listing), self.payload.as_ref()]
            .map(|path| Location::Path(path.cloned().unwrap_or_default()));
        let file = self.payload.as_ref().map(|payload| FileSource::open(payload).unwrap());
        let source = match &file {
            Some(source) => TreeSource::Payload { source, location: &payload, options: &sources },
            None => TreeSource::Files { listing: &listing, tree: &tree, options: &sources },
        };
        with(&TreeUpdate { index: &self.index, info: &self.info, source, seeds, options, progress })
    }

    /// Brings `directory` up to date, and removes what is not in the new version.
    pub(crate) fn patch(&self, directory: &Path) -> TreeReport {
        let options = TreeOptions { delete: true, ..TreeOptions::default() };
        self.update(&[], options, &(), |update| update.to_directory(directory)).unwrap()
    }
}

/// Writes a file, and dates it.
pub(crate) fn write(path: &Path, data: &[u8], seconds: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, data).unwrap();
    date(path, seconds);
}

pub(crate) fn date(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000 + seconds, 123_456_789);
    File::open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// All that is in a tree: paths, and what there is to say of each. What this program keeps for
/// itself is not.
pub(crate) fn described(tree: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut inodes = Vec::new();
    describe(tree, tree, &mut all, &mut inodes);
    all.sort();
    all
}

fn describe(tree: &Path, at: &Path, all: &mut Vec<String>, inodes: &mut Vec<(u64, PathBuf)>) {
    let path = at.strip_prefix(tree).unwrap();
    if path == Path::new(".gosync") {
        return;
    }
    let metadata = fs::symlink_metadata(at).unwrap();
    let modified = metadata.modified().unwrap();
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    #[cfg(not(unix))]
    let mode = 0;
    if metadata.is_symlink() {
        all.push(format!("{path:?} {modified:?} -> {:?}", fs::read_link(at).unwrap()));
    } else if metadata.is_dir() {
        all.push(format!("{path:?} {mode:o} {modified:?}"));
        let mut names: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names.iter().for_each(|path| describe(tree, path, all, inodes));
    } else {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let first = inodes.iter().find(|(of, _)| *of == inode && inode > 0).map(|(_, first)| first.clone());
        let hash = blake3::hash(&fs::read(at).unwrap());
        all.push(format!("{path:?} {mode:o} {modified:?} {hash} {first:?}"));
        inodes.push((inode, path.to_owned()));
    }
}
