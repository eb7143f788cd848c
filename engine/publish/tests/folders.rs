//! Every kind of folder does what a publication needs of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::File;
use std::io::{Read, Seek, Write};

use gosync_blocksources::{Location, SourceOptions};
use gosync_publish::{Caching, Error, Folder, open_folder};

/// What holds for every kind, in an empty folder.
fn conforms(folder: &dyn Folder) {
    let put = |name: &str, bytes: &[u8]| {
        folder.put(name, Caching::Immutable, &mut |out| {
            // In pieces, of which one is longer than what is sent at once.
            for piece in bytes.chunks(1_500_000) {
                out.write_all(piece).unwrap();
            }
            Ok(())
        })
    };
    let read = |name: &str| folder.read(name, 10 << 20).unwrap();
    assert_eq!(read("a"), None);
    folder.remove("a").unwrap();

    let long: Vec<u8> = (0..3_000_001u32).map(|at| (at * 7 / 5) as u8).collect();
    for bytes in [&b""[..], b"short", &long] {
        put("a b+c", bytes).unwrap();
        assert!(read("a b+c").unwrap().bytes == bytes);
    }
    assert!(folder.read("a b+c", 3_000_000).is_err(), "it is longer");

    // What is not finished is not there.
    let failed = folder.put("half", Caching::Immutable, &mut |out| {
        out.write_all(b"half of it").unwrap();
        Err(Error::Sections { why: "enough" })
    });
    assert!(matches!(failed, Err(Error::Sections { why: "enough" })));
    assert_eq!(read("half"), None);

    assert!(folder.replace("pointer", b"one", None).unwrap());
    let one = read("pointer").unwrap();
    assert!(!folder.replace("pointer", b"again", None).unwrap(), "it is there");
    assert!(folder.replace("pointer", b"two", Some(&one)).unwrap());
    assert!(!folder.replace("pointer", b"three", Some(&one)).unwrap(), "it is another one");
    let two = read("pointer").unwrap();
    assert_eq!((one.bytes, two.bytes.as_slice()), (b"one".to_vec(), &b"two"[..]));
    for name in ["pointer", "a b+c"] {
        folder.remove(name).unwrap();
        assert_eq!(read(name), None);
    }
    assert!(!folder.replace("pointer", b"three", Some(&two)).unwrap(), "it is gone");

    let mut scratch: File = folder.scratch().unwrap();
    scratch.write_all(b"draft").unwrap();
    scratch.rewind().unwrap();
    let mut text = String::new();
    scratch.read_to_string(&mut text).unwrap();
    assert_eq!(text, "draft");
}

#[test]
fn a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (location, options) = (Location::from(directory.path().join("new")), SourceOptions::default());
    let folder = open_folder(&location, "x", "me", &options).unwrap();
    conforms(&*folder);
    assert!(matches!(open_folder(&location, "x", "me", &options), Err(Error::Busy { .. })));
    assert!(open_folder(&location, "y", "me", &options).is_ok());
    drop(folder);
    assert!(open_folder(&location, "x", "me", &options).is_ok());
}

#[cfg(feature = "object-store")]
#[test]
fn an_object_store() {
    let Some(moto) = gosync_testkit::moto::Moto::start() else { return };
    let location: Location = "s3://bucket/a%20b".parse().unwrap();
    let object_store = moto.settings().into_iter().collect();
    let options = SourceOptions { object_store, ..SourceOptions::default() };
    conforms(&*open_folder(&location, "x", "me", &options).unwrap());
}

#[cfg(feature = "ssh")]
#[test]
fn a_directory_behind_ssh() {
    use gosync_blocksources::SshOptions;
    let scratch = tempfile::tempdir().unwrap();
    let Some(sshd) = gosync_testkit::sshd::Sshd::start(scratch.path()) else { return };
    let location: Location = sshd.url(&scratch.path().join("new")).parse().unwrap();
    let ssh = SshOptions { arguments: sshd.arguments(), ..SshOptions::default() };
    let options = SourceOptions { ssh, ..SourceOptions::default() };
    let folder = open_folder(&location, "x", "me", &options).unwrap();
    conforms(&*folder);
    let Err(busy) = open_folder(&location, "x", "you", &options) else { panic!("it is locked") };
    assert!(busy.to_string().contains("by me, for 0 minutes (its lock is ssh://"), "{busy}");
    drop(folder);
    let folder = open_folder(&location, "x", "you", &options).unwrap();
    // Whose lock was taken over is refused when it matters.
    std::fs::write(scratch.path().join("new/.x.gosync-lock"), "0\tsomebody else\n").unwrap();
    assert!(!folder.replace("pointer", b"one", None).unwrap());
    drop(folder);
    assert!(scratch.path().join("new/.x.gosync-lock").exists(), "it is not ours");
}
