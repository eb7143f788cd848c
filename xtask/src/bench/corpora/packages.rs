//! Real data: releases of other projects, fetched with the package clients that people
//! fetch them with, and unpacked, since compressed data has nothing in common with its
//! next version.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::command::{find as find_program, run};

/// A release of a package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release {
    package: &'static str,
    version: &'static str,
    client: Client,
}

#[derive(Clone, Copy, Debug)]
enum Client {
    Npm,
    Pip,
}

/// The old and the new release that make up the corpus `name`, if packages do.
pub(crate) fn find(name: &str) -> Option<(Release, Release)> {
    let pair = |package, client, old, new| {
        let release = |version| Release { package, version, client };
        Some((release(old), release(new)))
    };
    match name {
        "typescript" => pair("typescript", Client::Npm, "5.3.3", "5.4.5"),
        "scipy" => pair("scipy", Client::Pip, "1.13.0", "1.13.1"),
        "pyarrow" => pair("pyarrow", Client::Pip, "16.0.0", "16.1.0"),
        "unrelated" => Some((find("typescript")?.1, find("scipy")?.1)),
        _ => None,
    }
}

impl Release {
    /// The release as a tar file in `folder`, fetched unless it is there.
    ///
    /// # Errors
    ///
    /// Without the package client, or its registry.
    pub(crate) fn provide(self, folder: &Path) -> anyhow::Result<PathBuf> {
        let tar = folder.join(format!("{}-{}.tar", self.package, self.version));
        if tar.is_file() {
            return Ok(tar);
        }
        // Fetched into a folder of its own, so that whatever name the file has, it is the one.
        let fetched = folder.join(format!("{}-{}", self.package, self.version));
        if fetched.exists() {
            fs::remove_dir_all(&fetched).context("cannot remove what an earlier run left")?;
        }
        fs::create_dir_all(&fetched).with_context(|| format!("cannot make {}", fetched.display()))?;
        let part = folder.join("part.tar");
        match self.client {
            Client::Npm => self.npm(&fetched, &part)?,
            Client::Pip => self.pip(&fetched, &part)?,
        }
        fs::rename(&part, &tar)?;
        fs::remove_dir_all(&fetched)?;
        Ok(tar)
    }

    fn npm(self, folder: &Path, tar: &Path) -> anyhow::Result<()> {
        let npm = find_program("npm").context("there is no npm to fetch it with")?;
        let package = format!("{}@{}", self.package, self.version);
        run(Command::new(npm).args(["pack", "--silent", "--pack-destination", "."]).arg(package).current_dir(folder))?;
        let archive = only_file(folder)?;
        run(Command::new("gzip").args(["-d", "-c"]).arg(archive).stdout(File::create(tar)?))
    }

    fn pip(self, folder: &Path, tar: &Path) -> anyhow::Result<()> {
        let python = find_program("python3").context("there is no Python to fetch it with")?;
        let package = format!("{}=={}", self.package, self.version);
        // The same wheel on every machine, whatever this one's Python is.
        let wheel = ["--no-deps", "--only-binary=:all:", "--python-version=3.11", "--platform=manylinux2014_x86_64"];
        run(Command::new(&python)
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
            .args(wheel)
            .arg(package)
            .current_dir(folder))?;
        let wheel = only_file(folder)?;
        let unpacked = folder.join("unpacked");
        run(Command::new(&python).args(["-m", "zipfile", "-e"]).arg(wheel).arg(&unpacked))?;
        // What depends on this machine is left out of the headers.
        let plain = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"];
        run(Command::new("tar").args(plain).arg("-cf").arg(tar).arg("-C").arg(unpacked).arg("."))
    }
}

fn only_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    match &files[..] {
        [file] => Ok(file.clone()),
        _ => bail!("{} files were fetched instead of one", files.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_two_releases() {
        let (old, new) = find("scipy").unwrap();
        assert_eq!((old.package, old.version, new.version), ("scipy", "1.13.0", "1.13.1"));
        assert!(find("typescript").is_some() && find("zeros").is_none());
    }

    #[test]
    fn only_a_single_file_is_the_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(only_file(folder.path()).is_err());
        fs::write(folder.path().join("one"), "").unwrap();
        assert_eq!(only_file(folder.path()).unwrap(), folder.path().join("one"));
        fs::write(folder.path().join("two"), "").unwrap();
        assert_eq!(only_file(folder.path()).unwrap_err().to_string(), "2 files were fetched instead of one");
    }

    #[test]
    fn what_is_there_is_not_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let tar = folder.path().join("typescript-5.3.3.tar");
        fs::write(&tar, "").unwrap();
        assert_eq!(find("typescript").unwrap().0.provide(folder.path()).unwrap(), tar);
    }
}
