//! What is pushed is there afterwards, and nothing is anywhere else.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use gosync_remote::{Access, Offer, State, Wish};
use gosync_testkit::corpus;
use gosync_tree::{TreeBuild, TreeBuildOptions};

use crate::support::{answer, push_to, wish, write_all};

/// How a directory is pushed to `path`.
fn offer(path: &str, local: &Path) -> Offer {
    let tree = TreeBuild::scan(local, &TreeBuildOptions::default(), &()).unwrap();
    let listing = Some(tree.info().listing_hash);
    Offer { wish: Wish { listing, ..wish(path) }, delete: true, dry_run: false }
}

fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn files() {
    let directory = tempfile::tempdir().unwrap();
    let (root, local) = (directory.path().join("there"), directory.path().join("here"));
    let new = corpus::random(1, 300_000);
    let mut old = new.clone();
    old.splice(100_000..100_000, *b"something");
    write_all(directory.path(), &[("here", &new), ("there/old", &old), ("there/dir/x", b"")]);
    let state = State { length: 300_000, modified: fs::metadata(&local).unwrap().modified().unwrap() };
    let offer = |path: &str, dry_run: bool| Offer {
        wish: Wish { file: Some(state), ..wish(path) },
        dry_run,
        ..Offer::default()
    };
    let (told, _) = push_to(&root, &local, &offer("old", true)).unwrap();
    assert!(told.unwrap().changed && fs::read(root.join("old")).unwrap() == old);
    let (pushed, traffic) = push_to(&root, &local, &offer("old", false)).unwrap();
    let pushed = pushed.unwrap();
    assert!(pushed.changed && pushed.output_bytes == 300_000 && pushed.matched_bytes > 299_000, "{pushed:?}");
    assert!(traffic.sent < 4000 && traffic.received < 200, "{traffic:?}");
    assert!(fs::read(root.join("old")).unwrap() == new);
    let (pushed, traffic) = push_to(&root, &local, &offer("/old", false)).unwrap();
    assert!(pushed.is_none() && traffic.sent + traffic.received < 100 && traffic.round_trips == 1, "{traffic:?}");
    push_to(&root, &local, &offer("dir/new", false)).unwrap();
    assert!(fs::read(root.join("dir/new")).unwrap() == new);
    assert_eq!(
        (names(&root), names(&root.join("dir"))),
        (vec!["dir".into(), "old".into()], vec!["new".into(), "x".into()])
    );
    for path in ["dir", "", "none/x"] {
        assert!(push_to(&root, &local, &offer(path, false)).is_err(), "{path}");
    }
}

#[test]
fn directories() {
    let directory = tempfile::tempdir().unwrap();
    let (root, local) = (directory.path().join("there"), directory.path().join("here"));
    let large = corpus::random(2, 200_000);
    write_all(&local, &[("a/large", &large), ("b", b"b"), ("c/d/e", b"e")]);
    fs::create_dir(&root).unwrap();
    let dry = Offer { dry_run: true, ..offer("site", &local) };
    assert_eq!(push_to(&root, &local, &dry).unwrap().0.unwrap().files, [0, 0, 3, 0, 0]);
    assert!(names(&root).is_empty());
    let (pushed, _) = push_to(&root, &local, &offer("site", &local)).unwrap();
    assert_eq!(pushed.unwrap().files, [0, 0, 3, 0, 0]);
    assert!(fs::read(root.join("site/a/large")).unwrap() == large);
    let (pushed, traffic) = push_to(&root, &local, &offer("site", &local)).unwrap();
    assert!(pushed.is_none() && traffic.round_trips == 1 && traffic.sent + traffic.received < 200, "{traffic:?}");
    fs::rename(local.join("c"), local.join("moved")).unwrap();
    fs::write(root.join("site/more"), "more").unwrap();
    write_all(&local, &[("b", b"another")]);
    let (pushed, _) = push_to(&root, &local, &offer("site/", &local)).unwrap();
    assert_eq!(pushed.unwrap().files, [1, 1, 0, 1, 1]);
    assert_eq!(
        (fs::read(root.join("site/moved/d/e")).unwrap(), fs::read(root.join("site/b")).unwrap()),
        (b"e".to_vec(), b"another".to_vec())
    );
    assert_eq!(names(&root), ["site"]);
    // The root itself.
    let (pushed, _) = push_to(&root, &local, &offer("", &local)).unwrap();
    assert!(pushed.unwrap().changed && names(&root).contains(&"moved".to_owned()));
}

#[test]
fn nothing_is_written_outside_the_root() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    write_all(
        directory.path(),
        &[("root/x", b"x"), ("outside/kept", b"kept"), ("file", b"evil"), ("tree/kept", b"evil")],
    );
    let outside = at("outside");
    for (target, link) in [
        (outside.as_path(), "root/out"),
        (&outside.join("kept"), "root/kept"),
        (Path::new("../outside"), "root/up"),
        (&outside.join("part"), "root/.new.gosync-part"),
        (&outside, "root/.site.gosync-part"),
    ] {
        symlink(target, at(link)).unwrap();
    }
    let outside_path = outside.to_str().unwrap();
    for path in ["out/new", "up/new", "../outside/new", "out", "up", "../outside", outside_path, "x/new", "kept", "new"]
    {
        let _ = push_to(&at("root"), &at("file"), &Offer { wish: wish(path), ..Offer::default() });
        let _ = push_to(&at("root"), &at("tree"), &offer(path, &at("tree")));
    }
    push_to(&at("root"), &at("tree"), &offer("site", &at("tree"))).unwrap();
    assert_eq!(names(&outside), ["kept"]);
    assert_eq!(fs::read(outside.join("kept")).unwrap(), b"kept");
    assert_eq!(names(directory.path()), ["file", "outside", "root", "tree"]);
    assert_eq!(fs::read(at("root/site/kept")).unwrap(), b"evil");
}

#[test]
fn who_may_only_do_one_does_not_do_the_other() {
    let directory = tempfile::tempdir().unwrap();
    write_all(directory.path(), &[("x", b"hello")]);
    let hello = b"\x89GSP\r\n\x1a\n\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let open = |role: u8| [&hello[..], &[1, 5, 0, 0, role, 0, 1, b'x', 0]].concat();
    for (role, access) in [(0, Access { read: false, write: true }), (1, Access { read: true, write: false })] {
        let (out, served) = answer(&open(role), directory.path(), access);
        assert!(served.unwrap_err().to_string().contains("this place"));
        assert!(out[24] == 0x14 && !out.windows(5).any(|window| window == b"hello"));
    }
}
