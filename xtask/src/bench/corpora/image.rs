//! Images of a file system with the files of packages.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::packages;
use super::versions::Corpus;
use crate::command::{find, run};

const SIZE: &str = "64M";
/// What is random in an image, fixed.
const UUID: &str = "0b7c0bd4-5b1f-4c3f-9e0c-6f0e5f2d1a77";

/// An ext4 image of each of TypeScript's versions.
///
/// # Errors
///
/// Without `mkfs.ext4`, or the packages.
pub(super) fn ext4(name: &'static str, folder: &Path) -> anyhow::Result<Corpus> {
    let (old, new) = packages::find("typescript").context("TypeScript is a package")?;
    let make = |release: packages::Release| {
        let tar = release.provide(folder)?;
        let image = tar.with_extension("ext4");
        if image.is_file() {
            return Ok(image);
        }
        let program = find("mkfs.ext4").context("there is no mkfs.ext4 to make it with")?;
        let (files, part) = (folder.join("files"), folder.join("part.ext4"));
        if files.exists() {
            fs::remove_dir_all(&files).context("cannot remove what an earlier run left")?;
        }
        fs::create_dir_all(&files)?;
        run(Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(&files))?;
        let fixed = format!("hash_seed={UUID},lazy_itable_init=0,root_owner=0:0");
        run(Command::new(program)
            .args(["-q", "-F", "-b", "4096", "-U", UUID, "-E", &fixed, "-d"])
            .arg(&files)
            .arg(&part)
            .arg(SIZE)
            .envs([("E2FSPROGS_FAKE_TIME", "1700000000"), ("SOURCE_DATE_EPOCH", "1700000000")]))?;
        fs::rename(&part, &image)?;
        fs::remove_dir_all(&files)?;
        anyhow::Ok(image)
    };
    Ok(Corpus { name, seed: make(old)?, target: make(new)? })
}
