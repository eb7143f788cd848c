//! The temporary file: created alone, locked, removed or put in place.

use std::fs;
use std::io::Write;
use std::path::Path;

use gosync_patcher::{StageError, StagedFile, TargetId};

use crate::case::{Case, names};

fn commit(target: &Path, content: &str) {
    let staged = StagedFile::create(target).unwrap();
    staged.file().write_all(content.as_bytes()).unwrap();
    staged.commit().unwrap();
}

fn refused(target: &Path) -> StageError {
    StagedFile::create(target).map(|_| ()).unwrap_err()
}

#[test]
fn replaces_or_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    commit(&target, "first");
    assert_eq!(fs::read_to_string(&target).unwrap(), "first");
    commit(&target, "second");
    assert_eq!(fs::read_to_string(&target).unwrap(), "second");

    let staged = StagedFile::create(&target).unwrap();
    staged.file().write_all(b"third").unwrap();
    assert_eq!(names(directory.path()), [".target.gosync-part", "target"]);
    assert_eq!(staged.path(), directory.path().join(".target.gosync-part"));
    drop(staged);
    assert_eq!(names(directory.path()), ["target"]);
    assert_eq!(fs::read_to_string(&target).unwrap(), "second");
}

#[test]
fn one_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    let first = StagedFile::create(&target).unwrap();
    let error = refused(&target);
    assert!(matches!(error, StageError::Busy { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(".target.gosync-part") && message.contains("another process"), "{message}");
    first.file().write_all(b"mine").unwrap();
    first.commit().unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    StagedFile::create(&target).unwrap();
}

#[test]
fn many_at_once_never_mix() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    let case = Case::fetched(vec![1; 1000], 10);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (target, case) = (&target, &case);
            scope.spawn(move || {
                for _ in 0..50 {
                    let id = TargetId::of(&case.sums, None);
                    let staged = match thread {
                        0..4 => StagedFile::create(target),
                        _ => StagedFile::resume(target, id),
                    };
                    match staged {
                        Ok(mut staged) => {
                            staged.file().write_all(&[b'0' + thread; 1000]).unwrap();
                            let leftover = staged.take_leftover();
                            match thread % 4 {
                                0 | 2 => _ = staged.commit().unwrap(),
                                1 => drop(staged),
                                _ => staged.keep(),
                            }
                            drop(leftover);
                        }
                        Err(StageError::Busy { .. }) => std::thread::yield_now(),
                        Err(other) => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    let content = fs::read(&target).unwrap();
    assert_eq!(content, [content[0]; 1000]);
    drop(StagedFile::create(&target).unwrap());
    assert_eq!(names(directory.path()), ["target"]);
}

#[test]
fn what_a_killed_run_left_is_a_seed() {
    use gosync_chunks::ReadAt;
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    fs::write(directory.path().join(".target.gosync-part"), "half of it").unwrap();
    let mut staged = StagedFile::create(&target).unwrap();
    let leftover = staged.take_leftover().unwrap();
    assert_eq!((leftover.size(), staged.file().metadata().unwrap().len()), (10, 0));
    let mut content = [0; 10];
    leftover.read_exact_at(0, &mut content).unwrap();
    assert_eq!(&content, b"half of it");
    assert!(staged.take_leftover().is_none());
    drop((staged, leftover));
    assert!(names(directory.path()).is_empty());

    let staged = StagedFile::create(&target).unwrap();
    staged.file().write_all(b"kept").unwrap();
    staged.keep();
    assert_eq!(names(directory.path()), [".target.gosync-part"]);
    assert_eq!(StagedFile::create(&target).unwrap().take_leftover().unwrap().size(), 4);

    fs::write(directory.path().join(".target.gosync-part"), "").unwrap();
    assert!(StagedFile::create(&target).unwrap().take_leftover().is_none(), "nothing was left");
}

#[test]
fn what_cannot_be_put_in_place_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    let case = Case::fetched(vec![1; 1000], 10);
    let id = TargetId::of(&case.sums, None);
    let staged = StagedFile::resume(&target, id).unwrap();
    staged.file().write_all(b"all of it").unwrap();
    // Nothing replaces a directory with something in it.
    fs::create_dir(&target).unwrap();
    fs::write(target.join("file"), "").unwrap();
    let part = directory.path().join(".target.gosync-part");
    let error = staged.commit().unwrap_err();
    assert!(matches!(&error, StageError::Commit { kept, .. } if *kept == part), "{error:?}");
    assert!(error.to_string().contains(".target.gosync-part"), "{error}");
    assert_eq!(names(directory.path()), [".target.gosync-journal", ".target.gosync-part", "target"]);

    fs::remove_dir_all(&target).unwrap();
    let staged = StagedFile::resume(&target, id).unwrap();
    assert!(staged.is_resumed(), "the next run goes on with it");
    staged.commit().unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "all of it");
    assert_eq!(names(directory.path()), ["target"]);
}

#[cfg(unix)]
#[test]
fn only_the_file_that_was_written_takes_the_name() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    fs::write(&target, "old").unwrap();
    for puts_another in [true, false] {
        let staged = StagedFile::create(&target).unwrap();
        staged.file().write_all(b"verified").unwrap();
        let part = staged.path().to_owned();
        fs::rename(&part, directory.path().join("elsewhere")).unwrap();
        if puts_another {
            fs::write(&part, "foreign").unwrap();
        }
        let error = staged.commit().unwrap_err();
        assert!(matches!(&error, StageError::Foreign { path } if *path == part), "{error:?}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        assert_eq!(part.exists(), puts_another, "nothing of others is removed");
        let _ = fs::remove_file(&part);
    }
}

#[test]
fn long_names() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["x".repeat(255), "ä".repeat(127), "y".repeat(243)] {
        let target = directory.path().join(&name);
        commit(&target, "long");
        assert_eq!(names(directory.path()), [name]);
        fs::remove_file(target).unwrap();
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("sub")).unwrap();
    for target in
        [path.join("sub"), path.join("sub/"), path.join("sub/.."), path.join("new/"), Path::new("/").to_owned()]
    {
        let error = refused(&target);
        assert!(matches!(error, StageError::NotAFile { .. }), "{error:?}");
        assert!(error.to_string().contains("a directory, not a file"), "{error}");
    }
    assert!(matches!(refused(Path::new("")), StageError::NotAFile { .. }));
    assert_eq!(names(path), ["sub"]);
}

#[test]
fn directories_that_cannot_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing/target");
    let error = refused(&missing);
    assert!(matches!(&error, StageError::Create { source, .. } if source.kind() == std::io::ErrorKind::NotFound));
    let part = directory.path().join("missing").join(".target.gosync-part");
    assert!(error.to_string().contains(part.to_str().unwrap()), "{error}");

    fs::write(directory.path().join("file"), "").unwrap();
    // Windows tells no difference between what is no directory and what is not there.
    let error = refused(&directory.path().join("file/target"));
    assert!(matches!(error, StageError::Target { .. }) || cfg!(windows), "{error:?}");
    assert_eq!(names(directory.path()), ["file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn read_only_directories() {
    use std::os::unix::fs::PermissionsExt;
    // Nobody may create files here, root included.
    let error = refused(Path::new("/proc/gosync-target"));
    assert!(matches!(error, StageError::Create { .. }), "{error:?}");

    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    fs::write(&target, "old").unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(directory.path().join("probe"), "").is_ok() {
        eprintln!("SKIPPED half of read_only_directories: permissions do not bind root");
        return;
    }
    let error = refused(&target);
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(
        matches!(&error, StageError::Create { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied)
    );
    assert_eq!(fs::read_to_string(&target).unwrap(), "old");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn only_the_owner_sees_it_grow() {
        let directory = tempfile::tempdir().unwrap();
        let staged = StagedFile::create(&directory.path().join("target")).unwrap();
        assert_eq!(mode(staged.path()), 0o600);
    }

    #[test]
    fn permissions_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        fs::write(&target, "old").unwrap();
        for kept in [0o640, 0o755, 0o400, 0o666, 0o4755, 0o2750] {
            fs::set_permissions(&target, fs::Permissions::from_mode(kept)).unwrap();
            commit(&target, "new");
            assert_eq!(mode(&target), kept, "{kept:o}");
        }
    }

    #[test]
    fn owners_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        fs::write(&target, "old").unwrap();
        if std::os::unix::fs::chown(&target, Some(1234), Some(4321)).is_err() {
            eprintln!("SKIPPED owners_are_kept: only root may give files away");
            return;
        }
        fs::set_permissions(&target, fs::Permissions::from_mode(0o6750)).unwrap();
        commit(&target, "new");
        let metadata = fs::metadata(&target).unwrap();
        assert_eq!((metadata.uid(), metadata.gid(), mode(&target)), (1234, 4321, 0o6750));
    }

    #[test]
    fn a_new_file_is_like_any_other() {
        let directory = tempfile::tempdir().unwrap();
        let (usual, target) = (directory.path().join("usual"), directory.path().join("target"));
        fs::write(&usual, "").unwrap();
        commit(&target, "new");
        assert_eq!(mode(&target), mode(&usual));
    }

    #[test]
    fn the_file_behind_a_link_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let (link, other_link) = (directory.path().join("link"), directory.path().join("other"));
        let real = directory.path().join("sub/real");
        fs::create_dir(directory.path().join("sub")).unwrap();
        fs::write(&real, "old").unwrap();
        symlink("other", &link).unwrap();
        symlink("sub/real", &other_link).unwrap();
        let staged = StagedFile::create(&link).unwrap();
        assert!(staged.path().ends_with("sub/.real.gosync-part"), "beside the file: {:?}", staged.path());
        assert!(staged.target().ends_with("sub/real"));
        drop(staged);
        commit(&link, "new");
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::symlink_metadata(&other_link).unwrap().is_symlink());
        assert_eq!(names(&directory.path().join("sub")), ["real"]);
    }

    #[test]
    fn links_to_what_is_no_file_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        for (to, kind) in [("missing", "nothing"), (".", "a directory"), ("/dev/null", "a device")] {
            let link = directory.path().join("link");
            symlink(to, &link).unwrap();
            let error = refused(&link);
            assert!(matches!(error, StageError::NotAFile { .. }), "{error:?}");
            assert!(error.to_string().contains(kind), "{error}");
            fs::remove_file(&link).unwrap();
        }
        symlink("loop", directory.path().join("loop")).unwrap();
        assert!(matches!(refused(&directory.path().join("loop")), StageError::Target { .. }));
    }

    #[test]
    fn devices_pipes_and_sockets_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(refused(Path::new("/dev/null")).to_string().contains("a device"));
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(refused(&pipe).to_string().contains("a pipe"));
        let socket = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(refused(&socket).to_string().contains("a socket"));
    }

    #[test]
    fn what_is_in_the_way_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        let part = directory.path().join(".target.gosync-part");
        let precious = directory.path().join("precious");
        fs::write(&precious, "precious").unwrap();

        symlink(&precious, &part).unwrap();
        let error = refused(&target);
        assert!(matches!(&error, StageError::NotAFile { path, .. } if *path == part), "{error:?}");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        fs::remove_file(&part).unwrap();

        fs::create_dir(&part).unwrap();
        assert!(matches!(refused(&target), StageError::NotAFile { .. }));
        assert!(part.is_dir(), "nothing of others is removed");
    }
}
