//! Directories, published and brought up to date.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::ensure;
use gosync_testkit::corpus;

use super::ground::{Check, Ground};

pub(super) const CHECKS: &[Check] = &[
    ("a directory, brought up to date", update),
    ("a directory, made anew", anew),
    ("a directory that was published here, brought up to date there", published_here),
    ("names that another system does not have", hostile_names),
];

/// Where what is kept beside the files of a directory is.
const STATE: &str = ".gosync";

/// The content of each file beneath a folder, and of each directory nothing.
type Tree = BTreeMap<String, Option<Vec<u8>>>;

fn update(ground: &Ground<'_>) -> anyhow::Result<()> {
    versions(ground)?;
    ground.succeed(ground.host(), &["build", "new"])?;
    let done = ground.json(ground.guest(), &["patch", "old", "new.gosync", "--delete"])?;
    ensure!(done["changed"] == true && done["fetched_bytes"].as_u64() < Some(50_000), "{done}");
    same(ground, "old", "new")?;
    ground.succeed(ground.guest(), &["verify", "old", "new.gosync"])?;
    let again = ground.json(ground.guest(), &["patch", "old", "new.gosync", "--delete"])?;
    ensure!(again["changed"] == false && again["fetched_bytes"] == 0, "{again}");
    same(ground, "old", "new")
}

fn anew(ground: &Ground<'_>) -> anyhow::Result<()> {
    versions(ground)?;
    ground.succeed(ground.host(), &["build", "new", "--compress"])?;
    ground.succeed(ground.guest(), &["patch", "old", "new.gosync", "-o", "made"])?;
    same(ground, "made", "new")?;
    ensure!(read(&ground.path("old"))?.contains_key("gone"), "the old directory was changed");
    ground.succeed(ground.guest(), &["patch", "absent", "new.gosync", "-o", "alone"])?;
    same(ground, "alone", "new")
}

fn published_here(ground: &Ground<'_>) -> anyhow::Result<()> {
    versions(ground)?;
    ground.succeed(ground.guest(), &["build", "new", "--compress"])?;
    ground.succeed(ground.host(), &["patch", "old", "new.gosync", "--delete"])?;
    same(ground, "old", "new")
}

/// Devices, and names that differ by case, are plain names here and none on Windows. Nothing
/// may be written there.
fn hostile_names(ground: &Ground<'_>) -> anyhow::Result<()> {
    for names in [&["sub/nul"][..], &["Name", "name"], &["a:b"], &["end."]] {
        names.iter().try_for_each(|name| ground.write(&format!("names/{name}"), b"content"))?;
        ground.succeed(ground.host(), &["build", "names"])?;
        let run = ground.run(ground.guest(), &["patch", "absent", "names.gosync", "-o", "made"])?;
        match ground.is_on_windows() {
            false => same(ground, "made", "names")?,
            true => {
                ensure!(matches!(run.code, Some(1 | 2)), "{names:?} ended with {:?}: {}", run.code, run.stderr);
                ensure!(!ground.path("made").exists(), "something was written for {names:?}");
            }
        }
        fs::remove_dir_all(ground.path("names"))?;
        let _ = fs::remove_dir_all(ground.path("made"));
    }
    Ok(())
}

/// Writes the directories `old` and `new`: a file has changed, one has moved, one is new, one is
/// gone, and so is a directory.
fn versions(ground: &Ground<'_>) -> anyhow::Result<()> {
    let (changed, moved) = (corpus::text(5, 60_000), corpus::random(6, 200_000));
    ground.write("old/changed", &changed)?;
    ground.write("old/sub/deep/moved", &moved)?;
    ground.write("old/gone", b"gone")?;
    ground.write("old/sub/empty", b"")?;
    ground.write("new/changed", &[&changed, &b"more"[..]].concat())?;
    ground.write("new/elsewhere/moved", &moved)?;
    ground.write("new/sub/empty", b"")?;
    ground.write("new/a name with spaces \u{e9}", &corpus::text(7, 9_000))?;
    Ok(fs::create_dir(ground.path("new/nothing"))?)
}

fn same(ground: &Ground<'_>, one: &str, other: &str) -> anyhow::Result<()> {
    let trees = [one, other].map(|name| read(&ground.path(name)));
    let [one_tree, other_tree] = trees.map(|tree| tree.map_err(|error| error.context(format!("{one} or {other}"))));
    let (one_tree, other_tree) = (one_tree?, other_tree?);
    let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
    ensure!(one_tree == other_tree, "{one} has {:?}, {other} {:?}", names(&one_tree), names(&other_tree));
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<Tree> {
    let mut tree = Tree::new();
    let mut folders = vec![String::new()];
    while let Some(name) = folders.pop() {
        for entry in fs::read_dir(folder.join(&name))? {
            let entry = entry?;
            let inner = format!("{name}{}", entry.file_name().to_string_lossy());
            if inner == STATE {
                continue;
            }
            let is_folder = entry.file_type()?.is_dir();
            tree.insert(inner.clone(), if is_folder { None } else { Some(fs::read(entry.path())?) });
            folders.extend(is_folder.then(|| format!("{inner}/")));
        }
    }
    Ok(tree)
}
