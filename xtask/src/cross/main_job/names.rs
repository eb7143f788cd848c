//! Names of files, as long and as odd as systems allow.

use std::fs;

use anyhow::ensure;

use super::ground::{Check, Ground};

pub(super) const CHECKS: &[Check] = &[
    ("a path of more than 260 characters", long_path),
    ("names with spaces, and beyond ASCII", odd_names),
    ("a directory where a file is meant", directory),
];

pub(super) const ON_WINDOWS: &[Check] = &[
    ("paths with both kinds of slashes, and with a drive", slashes),
    ("an output whose name has a colon", colon),
    ("outputs whose names are devices", devices),
];

fn long_path(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    let folder = ["a folder with a name of forty characters"; 7].join("/");
    fs::create_dir_all(ground.path(&folder))?;
    let [target, index, out] = ["new", "index", "out"].map(|name| format!("{folder}/{name}"));
    ground.write(&target, &new)?;
    ground.succeed(ground.guest(), &["build", &target, "-o", &index])?;
    ground.succeed(ground.guest(), &["patch", "old", &index, &target, "-o", &out])?;
    ground.holds(&out, &new)?;
    ground.succeed(ground.guest(), &["patch", &out, &index, &target])?;
    ground.holds(&out, &new)
}

fn odd_names(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    for name in ["with spaces", "größe", "数据", "a&b;c=d+%20"] {
        ground.write(name, &new)?;
        ground.succeed(ground.guest(), &["build", name, "-o", "index"])?;
        let serving = ground.serve(ground.guest())?;
        let out = format!("{name} out");
        ground.succeed(ground.guest(), &["patch", "old", &format!("{}/index", serving.url), "-o", &out])?;
        ground.holds(&out, &new)?;
    }
    Ok(())
}

fn directory(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.published()?;
    fs::create_dir(ground.path("folder"))?;
    ground.fail(ground.guest(), &["rdiff", "signature", "folder", "sums"], 100, "folder is a directory")?;
    ground.fail(ground.guest(), &["patch", "folder", "new.gosync"], 2, "is a directory, but")?;
    ground.fail(ground.guest(), &["patch", "old", "new.gosync", "-o", "folder"], 1, "folder is a directory")
}

fn slashes(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    fs::create_dir(ground.path("folder"))?;
    let drive = format!("Z:{}", ground.path("folder").display().to_string().replace('/', "\\"));
    ground.succeed(ground.guest(), &["build", "new", "-o", "folder\\new.gosync"])?;
    for out in ["folder/one".to_owned(), "folder\\two".to_owned(), format!("{drive}\\three")] {
        let index = format!("{drive}\\new.gosync");
        ground.succeed(ground.guest(), &["patch", "old", &index, "new", "-o", &out])?;
    }
    ["folder/one", "folder/two", "folder/three"].into_iter().try_for_each(|name| ground.holds(name, &new))
}

/// On NTFS that would be a stream of the file before the colon.
fn colon(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.published()?;
    let before = ground.names()?;
    ground.fail(ground.guest(), &["patch", "old", "new.gosync", "-o", "ab:c"], 1, "ab:c")?;
    ground.fail(ground.guest(), &["build", "new", "-o", "ab:c"], 1, "ab:c")?;
    ensure!(ground.names()? == before, "there is {:?}", ground.names()?);
    Ok(())
}

fn devices(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.published()?;
    let before = ground.names()?;
    for name in ["CON", "nul", "com1.txt"] {
        ground.fail(ground.guest(), &["patch", "old", "new.gosync", "-o", name], 1, name)?;
    }
    ensure!(ground.names()? == before, "there is {:?}", ground.names()?);
    Ok(())
}
