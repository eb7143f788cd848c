//! What only Unix has: modes, owners, links and special files.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use gosync_chunks::ReadAt;
use gosync_files::{LocalFile, access, entry, identity};

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
    assert!(access::adopt(&file, &path, None).is_empty());
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
        assert!(access::adopt(&entry::create(&new).unwrap(), &old, Some(&fs::metadata(&old).unwrap())).is_empty());
        assert_eq!(mode(&new), kept, "{kept:o}");
        entry::remove(&new).unwrap();
    }
    if chown(&old, Some(1234), Some(4321)).is_err() {
        eprintln!("SKIPPED half of owner_and_mode_are_handed_on_together: only root may give files away");
        return;
    }
    fs::set_permissions(&old, Permissions::from_mode(0o6750)).unwrap();
    let file = entry::create(&new).unwrap();
    assert!(access::adopt(&file, &old, Some(&fs::metadata(&old).unwrap())).is_empty());
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

#[test]
fn a_pipe_is_refused_at_once_and_what_is_open_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for error in [entry::open_stream(&pipe).map(drop), LocalFile::open(&pipe).map(drop)].map(Result::unwrap_err) {
        assert_eq!(error.to_string(), "is a pipe, not a file");
    }
    assert_eq!(LocalFile::open(Path::new("/dev/null")).unwrap().size(), 0);
    assert_eq!(entry::open_stream(Path::new("/dev/zero")).unwrap_err().to_string(), "is a device, not a file");
    assert!(entry::is_sink(Path::new("/dev/null")) && entry::is_sink(Path::new("/dev/fd/2")));
    assert!(!entry::is_sink(&pipe) && !entry::is_sink(directory.path()));
    assert!(entry::is_standard_output(Path::new("/dev/stdout")) && !entry::is_standard_output(Path::new("/dev/fd/2")));
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    use std::process::Command;

    const LIST: &str = "system.posix_acl_access";

    /// A list of a named user, an owning group, a mask and all others.
    fn list([named, group, mask, other]: [u8; 4]) -> Vec<u8> {
        let entries =
            [(1, 6, u32::MAX), (2, named, 65534), (4, group, u32::MAX), (16, mask, u32::MAX), (32, other, u32::MAX)];
        let entries = entries
            .iter()
            .flat_map(|&(tag, may, id): &(u8, u8, u32)| [&[tag, 0, may, 0][..], &id.to_le_bytes()].concat());
        [2, 0, 0, 0].into_iter().chain(entries).collect()
    }

    fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
        let mut value = [0; 256];
        let len = getxattr(path, name, &mut value).ok()?;
        Some(value[..len].to_vec())
    }

    fn set(path: &Path, name: &str, value: &[u8]) -> bool {
        setxattr(path, name, value, XattrFlags::empty()).is_ok()
    }

    #[test]
    fn lists_and_attributes_are_handed_on() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        fs::write(&old, "").unwrap();
        if !set(&old, LIST, &list([6, 0, 6, 0])) {
            eprintln!("SKIPPED lists_and_attributes_are_handed_on: this file system has no access control lists");
            return;
        }
        let has_attributes = set(&old, "user.note", b"mine");
        let lost = access::adopt(&entry::create(&new).unwrap(), &old, Some(&fs::metadata(&old).unwrap()));
        assert_eq!(lost, [""; 0]);
        assert_eq!(attribute(&new, LIST), Some(list([6, 0, 6, 0])));
        assert_eq!(attribute(&new, "user.note"), has_attributes.then(|| b"mine".to_vec()));
        assert_eq!(mode(&new), mode(&old));
    }

    #[test]
    fn a_list_for_new_files_widens_no_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        fs::write(&old, "").unwrap();
        fs::set_permissions(&old, Permissions::from_mode(0o640)).unwrap();
        if !set(directory.path(), "system.posix_acl_default", &list([7, 7, 7, 5])) {
            eprintln!("SKIPPED a_list_for_new_files_widens_no_old_one: this file system has no access control lists");
            return;
        }
        let file = entry::create(&new).unwrap();
        assert!(attribute(&new, LIST).is_some(), "it was made with one");
        assert!(access::adopt(&file, &old, Some(&fs::metadata(&old).unwrap())).is_empty());
        assert_eq!((attribute(&new, LIST), mode(&new)), (None, 0o640));

        // A file that replaces none is like any other there.
        let usual = directory.path().join("usual");
        fs::write(&usual, "").unwrap();
        assert!(access::adopt(&file, &directory.path().join("another"), None).is_empty());
        assert_eq!((attribute(&new, LIST), mode(&new)), (attribute(&usual, LIST), mode(&usual)));
    }

    #[test]
    fn what_cannot_be_replaced_is_known_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "").unwrap();
        assert_eq!(entry::obstacle(&path), None);
        assert_eq!(entry::obstacle(&directory.path().join("none")), None);
        let succeeds = |program: &str, args: &[&str]| {
            Command::new(program).args(args).arg(&path).output().is_ok_and(|output| output.status.success())
        };
        for (program, on, off, why) in [
            ("chattr", &["+i"][..], &["-i"][..], "is immutable"),
            ("chattr", &["+a"], &["-a"], "may only be appended to"),
            ("mount", &["--bind", "/etc/hostname"], &[], "is mounted as a single file"),
        ] {
            if !succeeds(program, on) {
                eprintln!("SKIPPED a third of what_cannot_be_replaced_is_known_before: no {program} {on:?} here");
                continue;
            }
            let obstacle = entry::obstacle(&path);
            assert!(succeeds(if off.is_empty() { "umount" } else { program }, off));
            assert!(obstacle.is_some_and(|obstacle| obstacle.starts_with(why)), "{obstacle:?}");
        }
    }
}

#[test]
fn a_pipe_is_waited_for_while_somebody_may_write() {
    let directory = tempfile::tempdir().unwrap();
    let (pipe, file) = (directory.path().join("pipe"), directory.path().join("file"));
    fs::write(&file, "in a file").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let read = |path: &Path, patience| {
        let mut text = String::new();
        entry::open_waiting(path, Duration::from_millis(patience))?.read_to_string(&mut text)?;
        Ok::<_, io::Error>(text)
    };
    let error = read(&pipe, 30).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(error.to_string().contains("nobody opened to write"), "{error}");
    assert_eq!(read(&file, 0).unwrap(), "in a file");
    for text in ["", "through a pipe"] {
        let (writer, opened) = (pipe.clone(), Arc::new(Barrier::new(2)));
        let writing = thread::spawn({
            let opened = opened.clone();
            move || {
                let mut pipe = OpenOptions::new().write(true).open(writer).unwrap();
                opened.wait();
                // Longer than anybody would wait for nobody.
                thread::sleep(Duration::from_millis(60));
                pipe.write_all(text.as_bytes()).unwrap();
            }
        });
        let mut found = entry::open_waiting(&pipe, Duration::from_secs(10)).unwrap();
        opened.wait();
        let again = format!("/dev/fd/{}", found.as_raw_fd());
        if text.is_empty() {
            assert_eq!(read(Path::new(&again), 40).unwrap(), text);
        } else {
            let mut read = String::new();
            found.read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
        writing.join().unwrap();
    }
}
