//! Trees made of a description, and how they are published and updated.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use gosync_blocksources::{FileSource, Location, SourceOptions};
use gosync_chunks::{Progress, TargetName};
use gosync_layers::format::LayeredIndex;
use gosync_publish::{BuildOptions, PayloadOut};
pub(crate) use gosync_testkit::trees::{date, described, write};
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

    /// Publishes the tree `name` with its packed files opened.
    pub(crate) fn publish_unpacked(&self, name: &str) -> Published {
        let mut build = TreeBuild::scan(&self.at(name), &TreeBuildOptions::default(), &()).unwrap();
        build.unpack(&()).unwrap();
        self.published(name, true, &build)
    }

    /// The same as [`publish`](Self::publish), with what is asked for.
    pub(crate) fn publish_with(&self, name: &str, is_compressed: bool, options: &TreeBuildOptions) -> Published {
        let build = TreeBuild::scan(&self.at(name), options, &()).unwrap();
        self.published(name, is_compressed, &build)
    }

    fn published(&self, name: &str, is_compressed: bool, build: &TreeBuild) -> Published {
        let tree = self.at(name);
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
            Some(source) => TreeSource::Payload { source, location: &payload, files: Some(&tree), options: &sources },
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
