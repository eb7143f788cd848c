//! What only Unix has: modes, owners, links and special files.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use gosync_files::{access, entry, identity};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_new_file_is_its_owners_alone_until_it_is_like_any_other() {
    let directory = tempfile::tempdir().unwrap();
    let (path, usual) = (directory.path().join("file"), directory.path().join("usual"));
    fs::write(&usual, "").unwrap();
    let file = entry::create(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    access::adopt(&file, None).unwrap();
    assert_eq!(mode(&path), mode(&usual));
    access::restrict(&file).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn owner_and_mode_are_handed_on_together() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (directory.path().join("old"), directory.path().join("new"));
    fs::write(&old, "").unwrap();
    for kept in [0o640, 0o400, 0o4755, 0o2750] {
        fs::set_permissions(&old, Permissions::from_mode(kept)).unwrap();
        access::adopt(&entry::create(&new).unwrap(), Some(&fs::metadata(&old).unwrap())).unwrap();
        assert_eq!(mode(&new), kept, "{kept:o}");
        entry::remove(&new).unwrap();
    }
    if chown(&old, Some(1234), Some(4321)).is_err() {
        eprintln!("SKIPPED half of owner_and_mode_are_handed_on_together: only root may give files away");
        return;
    }
    fs::set_permissions(&old, Permissions::from_mode(0o6750)).unwrap();
    let file = entry::create(&new).unwrap();
    access::adopt(&file, Some(&fs::metadata(&old).unwrap())).unwrap();
    let metadata = file.metadata().unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), mode(&new)), (1234, 4321, 0o6750));
    assert!(access::is_ours(&file, &old) && !access::is_ours(&file, &directory.path().join("none")));
}

#[test]
fn a_file_with_another_name_is_not_ours() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let file = entry::create(&path).unwrap();
    assert!(access::is_ours(&file, &path));
    fs::hard_link(&path, directory.path().join("other")).unwrap();
    assert!(!access::is_ours(&file, &path));
}

#[test]
fn links_are_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("file"), directory.path().join("link"));
    let created = entry::create(&file).unwrap();
    symlink("file", &link).unwrap();
    assert!(entry::open(&link, OpenOptions::new().read(true)).is_err());
    assert!(!entry::is_at(&created, &link));
    assert_eq!(entry::kind_of(&fs::symlink_metadata(&link).unwrap()), Some("a symbolic link"));
    fs::remove_file(&file).unwrap();
    assert_eq!(entry::create(&link).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert!(!file.exists());
}

#[test]
fn pipes_are_opened_without_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let opened = entry::open(&pipe, OpenOptions::new().read(true)).unwrap();
    assert_eq!(entry::kind_of(&opened.metadata().unwrap()), Some("a pipe"));
    assert_eq!(entry::kind_of(&fs::metadata("/dev/null").unwrap()), Some("a device"));
}

#[test]
fn links_lead_to_one_file_and_pipes_to_none() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("file"), "").unwrap();
    symlink("file", at("link")).unwrap();
    symlink(directory.path(), at("here")).unwrap();
    for name in ["link", "here/file", "here/link"] {
        assert!(identity::is_same(&at(name), &at("file")), "{name}");
    }
    assert!(identity::is_same(&at("here/new"), &at("new")));
    assert!(!identity::is_same(Path::new("/dev/null"), Path::new("/dev/null")));
}
