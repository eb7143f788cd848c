//! Packed files, published and brought up to date.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod hostile;
mod interrupted;
mod replayed;
mod unknown;
mod versions;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use gosync_chunks::{Progress, Source};
use gosync_layers::format::LayeredIndex;
use gosync_packed::Encoder;
use gosync_publish::BuildOptions;
use gosync_testkit::source::MemorySource;
use gosync_testkit::{corpus, packed};
use gosync_unpack::{PackedInfo, PackedTarget, Unpack, build_file};
use gosync_update::{Error, FileOptions, Seeds, Target, Update, UpdateReport};
use tempfile::TempDir;

/// As zlib compresses at level 6.
fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    Encoder::zlib(6).deflate(plain).read_to_end(&mut packed).unwrap();
    packed
}

/// Ten members of `length` bytes of text, of which that with the number `changed` has been edited.
fn members(length: usize, changed: Option<usize>) -> Vec<(String, Vec<u8>)> {
    let member = |at: usize| {
        let text = corpus::text(at as u64, length);
        let text = if changed == Some(at) { corpus::edit::insert(&text, 7, 2, 300) } else { text };
        (format!("member {at}"), text)
    };
    (0..10).map(member).collect()
}

fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
    packed::zip(&members, deflate)
}

/// A packed file that was published, and a place for clients.
struct Published {
    directory: TempDir,
    file: Vec<u8>,
    index: LayeredIndex,
    info: PackedInfo,
    payload: Vec<u8>,
}

impl Published {
    fn new(file: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (path, payload) = (directory.path().join("new"), directory.path().join("new.gosync-payload"));
        fs::write(&path, file).unwrap();
        let made = build(&path, Unpack::IfItCan).expect("it can be opened");
        let (info, _) = PackedInfo::of(&made).unwrap().unwrap();
        let payload = fs::read(payload).unwrap();
        Self { directory, file: file.to_vec(), index: made, info, payload }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn source(&self) -> MemorySource {
        MemorySource::new(self.payload.clone())
    }

    fn target(&self) -> PackedTarget<'_> {
        PackedTarget::new(&self.index, &self.info)
    }

    /// Brings the file at `output` about, from `seeds`.
    fn update(
        &self,
        target: &dyn Target,
        seeds: &[PathBuf],
        source: &dyn Source,
        output: &Path,
        progress: &dyn Progress,
    ) -> Result<UpdateReport, Error> {
        let seeds = &Seeds::open(seeds, target, &()).unwrap();
        Update { target, seeds, source, progress }.to_file(output, &FileOptions::default())
    }

    /// The names of what clients left behind.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.directory.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with("new")).collect();
        names.sort();
        names
    }
}

fn build(path: &Path, unpack: Unpack) -> Option<LayeredIndex> {
    let payload = PathBuf::from(format!("{}.gosync-payload", path.display())).into();
    let made = build_file(path, &payload, unpack, &BuildOptions::default(), &Default::default(), &());
    made.unwrap().map(|made| made.index)
}
