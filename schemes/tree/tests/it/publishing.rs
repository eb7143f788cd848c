//! What is published of a tree.

use std::fs;

use gosync_publish::{BuildOptions, Error as PublishError};
use gosync_tree::{Kind, Listing, Time, TreeBuild, TreeInfo};

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
    let build = TreeBuild::scan(&tree, "*.log\n!keep.log\n/target/\n", None, &()).unwrap();
    assert_eq!(paths(&build), ["", "keep.log", "src", "src/target", "src/target/y", "src/z"]);
    assert_eq!(build.info().excludes, "*.log\n!keep.log\n/target/\n");
    assert!(TreeBuild::scan(&tree, "a[", None, &()).is_err());
}

#[test]
fn times_are_clamped() {
    let ground = Ground::new();
    let tree = ground.at("tree");
    write(&tree.join("early"), b"x", 1);
    write(&tree.join("late"), b"x", 100);
    let latest = Time { seconds: 1_600_000_050, nanoseconds: 0 };
    let build = TreeBuild::scan(&tree, "", Some(latest), &()).unwrap();
    let times: Vec<Time> = Listing::read(build.listing())
        .unwrap()
        .entries()
        .iter()
        .filter_map(|entry| match entry.kind {
            Kind::File(attributes, _) | Kind::Directory(attributes) => Some(attributes.modified),
            _ => None,
        })
        .collect();
    assert_eq!(times, [latest, Time { seconds: 1_600_000_001, nanoseconds: 123_456_789 }, latest]);
}

#[test]
fn a_file_that_changes_meanwhile_is_noticed() {
    let ground = Ground::new();
    let tree = ground.at("tree");
    write(&tree.join("a"), b"as it was", 1);
    let build = TreeBuild::scan(&tree, "", None, &()).unwrap();
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
    let build = TreeBuild::scan(&tree, "", None, &()).unwrap();
    assert_eq!((paths(&build), build.left_out()), (vec![String::new(), "a".into()], &[tree.join("socket")][..]));
}
