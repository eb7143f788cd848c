//! A tree that is in no file system: what a tar archive has is published as a directory, and nobody
//! unpacks it.
//!
//! ```console
//! $ cargo run -p gosync-examples --bin publish_tar
//! ```
//!
//! Each member is bytes that can be read at any place: here, a range of the archive. A database
//! or a zip file would give others. Clients update their directory as they would from a real one.

#![allow(clippy::print_stdout, reason = "a program that shows something")]

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::{fs, io};

use gosync::publish::{BuildOptions, PayloadOut, TargetName};
use gosync_blocksources::{Location, MemorySource, SourceOptions};
use gosync_chunks::ReadAt;
use gosync_files::LocalFile;
use gosync_tree::{Attributes, Members, Time, TreeBuild, TreeInfo, TreeOptions, TreeSource, TreeUpdate};

type Failure = Box<dyn Error>;

/// Bytes of a header, and what members are padded to.
const BLOCK: u64 = 512;

/// The bytes of one member.
struct Member {
    archive: Arc<LocalFile>,
    start: u64,
    length: u64,
}

impl ReadAt for Member {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset + buffer.len() as u64 > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.archive.read_exact_at(self.start + offset, buffer)
    }
}

fn main() -> Result<(), Failure> {
    let ground = tempfile::tempdir()?;
    let at = |path: &str| ground.path().join(path);
    make_archive(&at("site"), &at("site.tar"))?;

    // The publisher has the archive only.
    let build = TreeBuild::of(members(&at("site.tar"))?, "site.tar", &())?;
    let (mut payload, name) = (Vec::new(), TargetName::new("site.gosync-payload")?);
    let options = BuildOptions { compress: Some(3), ..BuildOptions::default() };
    let out = PayloadOut { name, out: &mut payload };
    let index = build.index(Some(TargetName::new("site")?), &options, Some(out), &())?;

    // The client has an old version, unpacked.
    fs::create_dir_all(at("mine/docs"))?;
    fs::write(at("mine/docs/fish.txt"), "One fish.\n".repeat(999))?;
    fs::write(at("mine/gone.txt"), "no longer there")?;
    let info = TreeInfo::of(&index)?.ok_or("it is the index of a tree")?;
    let (source, location) = (MemorySource::new(payload), Location::Path("site.gosync-payload".into()));
    let source =
        TreeSource::Payload { source: &source, location: &location, files: None, options: &SourceOptions::default() };
    let options = TreeOptions { delete: true, ..TreeOptions::default() };
    let update = TreeUpdate { index: &index, info: &info, source, seeds: &[], options, progress: &() };
    let report = update.to_directory(&at("mine"))?;
    assert!(fs::read(at("mine/docs/fish.txt"))? == fs::read(at("site/docs/fish.txt"))?);
    println!(
        "{} files of the archive; {} changed, {} came, {} went",
        build.info().files,
        report.counts.changed,
        report.counts.added,
        report.counts.removed
    );
    Ok(())
}

/// Packs a small tree, as the archive that somebody has.
fn make_archive(tree: &Path, archive: &Path) -> Result<(), Failure> {
    fs::create_dir_all(tree.join("docs"))?;
    fs::write(tree.join("docs/fish.txt"), "One fish.\n".repeat(1000))?;
    fs::write(tree.join("index.html"), "<a href=\"docs/fish.txt\">fish</a>")?;
    let status = Command::new("tar").args(["--format=ustar", "-cf"]).arg(archive).arg("-C").arg(tree).arg(".").status();
    if status?.success() { Ok(()) } else { Err("tar cannot make the archive".into()) }
}

/// What is in a tar archive whose names are short: files, directories and links.
fn members(path: &Path) -> Result<Members, Failure> {
    let archive = Arc::new(LocalFile::open(path)?);
    let root = Attributes { mode: 0o755, modified: Time::default() };
    let mut members = Members::new(root);
    let (mut at, mut header) = (0, [0; BLOCK as usize]);
    while at + BLOCK <= archive.size() {
        archive.read_exact_at(at, &mut header)?;
        if header[0] == 0 {
            break;
        }
        let (mode, length, seconds) = (octal(&header[100..108])?, octal(&header[124..136])?, octal(&header[136..148])?);
        let modified = Time { seconds: seconds.try_into()?, nanoseconds: 0 };
        let attributes = Attributes { mode: (mode & 0o777) as u32, modified };
        let name = [text(&header[345..500]), text(&header[..100])];
        let name = name.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(&b'/');
        let name = name.strip_prefix(b"./").unwrap_or(&name);
        let name = name.strip_suffix(b"/").unwrap_or(name);
        let start = at + BLOCK;
        match header[156] {
            // The tree itself is what `Members` began with.
            _ if name.is_empty() => {}
            b'0' | 0 => members.file(name, attributes, Arc::new(Member { archive: archive.clone(), start, length }))?,
            b'2' => members.link(name, modified, text(&header[157..257]))?,
            b'5' => members.directory(name, attributes)?,
            kind => return Err(format!("a member of kind {}", char::from(kind)).into()),
        }
        at = start + length.next_multiple_of(BLOCK);
    }
    Ok(members)
}

/// What comes before the first zero.
fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn octal(field: &[u8]) -> Result<u64, Failure> {
    let digits = std::str::from_utf8(text(field))?.trim();
    Ok(u64::from_str_radix(digits, 8)?)
}
