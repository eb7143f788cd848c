//! What holds for any two trees: one is published, and the other becomes it.

use std::collections::BTreeSet;
use std::fs::{self, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gosync_blocksources::{Location, MemorySource, SourceOptions};
use gosync_chunks::TargetName;
use gosync_publish::{BuildOptions, PayloadOut};
use gosync_testkit::trees::open_to_date;
use gosync_tree::{TreeBuild, TreeBuildOptions, TreeInfo, TreeOptions, TreeSource, TreeUpdate};

/// Bytes that make one thing of a tree.
const THING: usize = 4;

/// Things of a tree, at most.
const MOST: usize = 64;

/// The first two bytes say how many things both trees have, and how many only the old one; the rest
/// are things, four bytes each.
pub(crate) fn trees(data: &[u8]) {
    let [common, old, data @ ..] = data else { return };
    let things: Vec<&[u8]> = data.chunks_exact(THING).take(MOST).collect();
    let common = usize::from(*common).min(things.len());
    let old_end = (common + usize::from(*old)).min(things.len());
    let ground = ground();
    let (one, other) = (ground.path().join("one"), ground.path().join("other"));
    make(&one, things[..old_end].iter());
    make(&other, things[..common].iter().chain(&things[old_end..]));
    let before = listing(&one);
    let made = publish(&other, common % 2 == 0);
    let back = publish(&one, true);
    made.bring_about(&one);
    assert_eq!(listing(&one), listing(&other));
    // By length and time, of what the update noted down.
    back.bring_about(&one);
    assert_eq!(listing(&one), before);
    // And where there is nothing.
    let fresh = ground.path().join("fresh");
    made.bring_about(&fresh);
    assert_eq!(listing(&fresh), listing(&other));
    let left: BTreeSet<_> = fs::read_dir(one.join(".gosync")).expect("it is there").map(named).collect();
    assert!(left.iter().all(|name| ["listing", "section", "lock"].contains(&name.as_str())), "{left:?}");
}

fn named(entry: std::io::Result<fs::DirEntry>) -> String {
    entry.expect("a directory that can be read").file_name().to_string_lossy().into_owned()
}

fn ground() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a directory to work in")
}

/// A path of one to three names, of few.
fn path(choice: u8) -> PathBuf {
    let names = ["a", "b", "c", "dd"];
    let name = |shift: u8| names[usize::from(choice >> shift & 3)];
    match choice >> 6 {
        0 => name(0).into(),
        1 => [name(0), name(2)].iter().collect(),
        _ => [name(0), name(2), name(4)].iter().collect(),
    }
}

/// Makes a tree of its things. What cannot be there is left out.
fn make<'a>(tree: &Path, things: impl Iterator<Item = &'a &'a [u8]>) {
    fs::create_dir(tree).expect("it is new");
    let mut dated = BTreeSet::from([tree.to_owned()]);
    for thing in things {
        let &[kind, at, what, length] = *thing else { continue };
        let at = tree.join(path(at));
        let _ = at.parent().map(fs::create_dir_all);
        let _ = match kind % 8 {
            0..=3 => {
                let unit = if kind & 8 == 0 { 7 } else { 700 };
                let data = (0..usize::from(length) * unit).map(|n| what.wrapping_mul((n % 251) as u8 ^ (n >> 9) as u8));
                // A file anew: another one may be a name of what is there.
                let _ = fs::remove_file(&at);
                fs::write(&at, data.collect::<Vec<u8>>())
            }
            4 => fs::create_dir(&at),
            5 => link(&path(what), &at),
            6 => fs::hard_link(tree.join(path(what)), &at),
            _ => mode(&at, if length & 1 == 0 { 0o700 } else { 0o755 }),
        };
        dated.extend(at.ancestors().take_while(|path| path.starts_with(tree)).map(Path::to_owned));
    }
    // The deepest first.
    for path in dated.iter().rev() {
        if fs::symlink_metadata(path).is_ok_and(|found| !found.is_symlink()) {
            let seconds = path.as_os_str().len() as u64 % 3;
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
            let dated = open_to_date(path).and_then(|file| file.set_times(FileTimes::new().set_modified(time)));
            dated.expect("it was just made");
        }
    }
}

#[cfg(unix)]
fn link(target: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn mode(at: &Path, mode: u32) -> std::io::Result<()> {
    let is_link = fs::symlink_metadata(at)?.is_symlink();
    if is_link { Ok(()) } else { fs::set_permissions(at, std::os::unix::fs::PermissionsExt::from_mode(mode)) }
}

#[cfg(not(unix))]
fn mode(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

/// All that there is to say of a tree.
fn listing(tree: &Path) -> Vec<u8> {
    TreeBuild::scan(tree, &TreeBuildOptions::default(), &()).expect("a tree that can be read").listing().to_vec()
}

/// An index, and what is beside it.
struct Published {
    index: gosync_layers::format::LayeredIndex,
    payload: MemorySource,
}

fn publish(tree: &Path, is_coarse: bool) -> Published {
    let build = TreeBuild::scan(tree, &TreeBuildOptions::default(), &()).expect("a tree that can be read");
    let mut payload = Vec::new();
    let block_sizes = if is_coarse { Vec::new() } else { vec![4096, 256, 64] };
    let options = BuildOptions { compress: Some(3), block_sizes };
    let out = PayloadOut { name: TargetName::new("payload").expect("a plain name"), out: &mut payload };
    let index = build.index(None, &options, Some(out), &()).expect("nobody changes it");
    Published { index, payload: MemorySource::new(payload) }
}

impl Published {
    fn bring_about(&self, tree: &Path) {
        let info = TreeInfo::of(&self.index).expect("its section is right").expect("it is that of a tree");
        let (location, sources) = (Location::Path("payload".into()), SourceOptions::default());
        let source = TreeSource::Payload { source: &self.payload, location: &location, files: None, options: &sources };
        let options = TreeOptions { delete: true, ..TreeOptions::default() };
        let update = TreeUpdate { index: &self.index, info: &info, source, seeds: &[], options, progress: &() };
        let report = update.to_directory(tree).expect("nothing is in the way");
        assert!(report.kept.is_empty(), "{:?}", report.kept);
    }
}
