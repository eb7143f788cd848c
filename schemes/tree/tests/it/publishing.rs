//! What is published of a tree.

use std::fs;
use std::sync::Arc;

use gosync_publish::{BuildOptions, Error as PublishError};
use gosync_testkit::corpus;
use gosync_tree::{Attributes, Kind, Listing, Members, Time, TreeBuild, TreeBuildOptions, TreeInfo};

use crate::trees::{Ground, date, write};

fn paths(build: &TreeBuild) -> Vec<String> {
    let listing = Listing::read(build.listing()).unwrap();
    listing.entries().iter().map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect()
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let ground = Ground::new();
    let mut made = Vec::new();
    for (name, order) in [("one", ["z", "a/b", "a-"]), ("other", ["a-", "a/b", "z"])] {
        for path in order {
            write(&ground.at(name).join(path), path.as_bytes(), 5);
        }
        date(&ground.at(name).join("a"), 6);
        date(&ground.at(name), 7);
        let published = ground.publish(name, true);
        let mut bytes = Vec::new();
        published.index.write(&mut bytes).unwrap();
        made.push((bytes, fs::read(ground.at(&format!("{name}.gosync-payload"))).unwrap()));
        assert_eq!((published.info.entries, published.info.files, published.info.bytes), (5, 3, 6));
        assert_eq!(TreeInfo::of(&published.index).unwrap(), Some(published.info));
    }
    assert!(made[0] == made[1]);
}

#[test]
fn what_is_left_out_is_recorded_and_not_listed() {
    let ground = Ground::new();
    let tree = ground.at("tree");
    for path in ["a.log", "keep.log", "target/x", "src/target/y", "src/z", ".gosync/listing"] {
        write(&tree.join(path), b"x", 1);
    }
    let scan = |excludes: &str| {
        let options = TreeBuildOptions { excludes: excludes.into(), ..TreeBuildOptions::default() };
        TreeBuild::scan(&tree, &options, &())
    };
    let build = scan("*.log\n!keep.log\n/target/\n").unwrap();
    assert_eq!(paths(&build), ["", "keep.log", "src", "src/target", "src/target/y", "src/z"]);
    assert_eq!(build.info().excludes, "*.log\n!keep.log\n/target/\n");
    assert!(scan("a[").is_err());
}

#[test]
fn times_are_clamped() {
    let ground = Ground::new();
    let tree = ground.at("tree");
    write(&tree.join("early"), b"x", 1);
    write(&tree.join("late"), b"x", 100);
    let latest = Time { seconds: 1_600_000_050, nanoseconds: 0 };
    let build =
        TreeBuild::scan(&tree, &TreeBuildOptions { latest: Some(latest), ..TreeBuildOptions::default() }, &()).unwrap();
    let times: Vec<Time> = Listing::read(build.listing())
        .unwrap()
        .entries()
        .iter()
        .filter_map(|entry| match entry.kind {
            Kind::File(attributes, _) | Kind::Directory(attributes) => Some(attributes.modified),
            _ => None,
        })
        .collect();
    assert_eq!(times, [latest, Time { seconds: 1_600_000_001, nanoseconds: 123_456_700 }, latest]);
}

#[test]
fn a_file_that_changes_meanwhile_is_noticed() {
    let ground = Ground::new();
    let tree = ground.at("tree");
    write(&tree.join("a"), b"as it was", 1);
    let build = TreeBuild::scan(&tree, &TreeBuildOptions::default(), &()).unwrap();
    write(&tree.join("a"), b"as it is.", 2);
    let made = build.index(None, &BuildOptions::default(), None, &());
    assert!(matches!(made, Err(PublishError::Changed { path }) if path.ends_with("a")));
}

#[cfg(unix)]
#[test]
fn sockets_are_left_out_and_told() {
    let ground = Ground::new();
    let tree = ground.at("tree");
    write(&tree.join("a"), b"x", 1);
    let _socket = std::os::unix::net::UnixListener::bind(tree.join("socket")).unwrap();
    let build = TreeBuild::scan(&tree, &TreeBuildOptions::default(), &()).unwrap();
    assert_eq!((paths(&build), build.left_out()), (vec![String::new(), "a".into()], &[tree.join("socket")][..]));
}

#[test]
fn each_directory_may_say_what_of_it_is_left_out() {
    let ground = Ground::new();
    let tree = ground.at("tree");
    for path in ["a.log", "d/b.log", "d/keep.log", "d/e/c.tmp", "d/e/keep", "e/c.tmp", "e/x", "z.tmp"] {
        write(&tree.join(path), b"x", 1);
    }
    for (path, patterns) in [
        (".gosyncignore", "*.log\n"),
        ("d/.gosyncignore", "!keep.log\n*.tmp\n/e/.gosyncignore\n"),
        ("e/.gosyncignore", "x\n"),
    ] {
        write(&tree.join(path), patterns.as_bytes(), 1);
    }
    let options = TreeBuildOptions { excludes: "z.*\n.gosyncignore\n".into(), ..TreeBuildOptions::default() };
    let build = TreeBuild::scan(&tree, &options, &()).unwrap();
    assert_eq!(paths(&build), ["", "d", "d/e", "d/e/keep", "d/keep.log", "e", "e/c.tmp"]);
    // A client that has such files of its own leaves them alone.
    let published = ground.publish_with("tree", true, &options);
    let out = ground.at("out");
    published.patch(&out);
    for path in ["mine.log", "d/e/mine.tmp"] {
        write(&out.join(path), b"mine", 1);
    }
    published.patch(&out);
    assert!(out.join("mine.log").exists() && out.join("d/e/mine.tmp").exists());
}

#[test]
fn a_tree_of_ones_own_gives_the_same_bytes_as_a_directory() {
    let ground = Ground::new();
    let tree = ground.at("tree");
    write(&tree.join("d/a"), b"a file", 1);
    write(&tree.join("b"), &corpus::random(1, 100_000), 2);
    date(&tree.join("d"), 3);
    date(&tree, 3);
    let at = |seconds: i64| Time { seconds: 1_600_000_000 + seconds, nanoseconds: 123_456_700 };
    let listing = Listing::read(TreeBuild::scan(&tree, &TreeBuildOptions::default(), &()).unwrap().listing()).unwrap();
    let mode = |path: &[u8]| match listing.entries()[listing.find(path).unwrap()].kind {
        Kind::Directory(attributes) | Kind::File(attributes, _) => attributes.mode,
        _ => unreachable!("there are no others"),
    };
    let attributes = |path: &[u8], seconds| Attributes { mode: mode(path), modified: at(seconds) };
    let mut members = Members::new(attributes(b"", 3));
    members.file("d/a", attributes(b"d/a", 1), Arc::new(b"a file".to_vec())).unwrap();
    members.directory("d", attributes(b"d", 3)).unwrap();
    members.file("b", attributes(b"b", 2), Arc::new(corpus::random(1, 100_000))).unwrap();
    for path in ["", "../x", "b/x", "d/a", "/x", ".gosync/x"] {
        assert!(members.link(path, at(1), "x").is_err(), "{path}");
    }
    let build = TreeBuild::of(members, "memory", &()).unwrap();
    let published = ground.publish("tree", false);
    let index = build.index(None, &BuildOptions::default(), None, &()).unwrap();
    assert!(index == published.index);
}
