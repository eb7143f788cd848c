//! Owners, attributes and links, which are on request.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use gosync_testkit::corpus;
use gosync_tree::{Listing, TreeBuild, TreeBuildOptions, TreeOptions, Unset};

use crate::trees::{Ground, described, write};

const ALL: TreeBuildOptions =
    TreeBuildOptions { excludes: String::new(), latest: None, owner: true, xattrs: true, trust_times: false };

/// What is set of owners and attributes.
const WANTED: TreeOptions = TreeOptions { delete: true, checksum: false, owner: true, xattrs: true, link: false };

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn owner(path: &Path) -> (u32, u32) {
    let found = fs::symlink_metadata(path).unwrap();
    (found.uid(), found.gid())
}

#[test]
fn nothing_is_recorded_unasked_and_what_is_has_names() {
    let ground = Ground::new();
    let tree = ground.at("tree");
    write(&tree.join("a"), b"x", 1);
    let plain = TreeBuild::scan(&tree, &TreeBuildOptions::default(), &()).unwrap();
    let listing = Listing::read(plain.listing()).unwrap();
    assert_eq!((listing.owner(0), listing.xattrs(0)), (None, None));
    let full = TreeBuild::scan(&tree, &ALL, &()).unwrap();
    let listing = Listing::read(full.listing()).unwrap();
    let found = listing.owner(1).unwrap();
    assert_eq!((found.user.id, found.group.id), owner(&tree.join("a")));
    assert_eq!(found.user.name == "root", found.user.id == 0);
    assert_eq!(listing.xattrs(1), Some(&[][..]));
    // What is said beside is behind the rest, which stays as it is.
    assert!(full.listing().starts_with(plain.listing()));
}

#[test]
fn owners_are_given_where_that_is_asked_for_and_may_be() {
    let ground = Ground::new();
    let (tree, new) = (ground.at("tree"), ground.at("new"));
    for place in [&tree, &new] {
        write(&place.join("same"), b"x", 1);
        write(&place.join("d/changed"), place.as_os_str().as_encoded_bytes(), 1);
        symlink("same", place.join("link")).unwrap();
    }
    let paths = ["same", "d", "d/changed", "link"];
    if is_root() {
        for path in paths {
            std::os::unix::fs::lchown(new.join(path), Some(12_345), Some(23_456)).unwrap();
        }
    }
    let published = ground.publish_with("new", true, &ALL);
    published.update(&[], TreeOptions::default(), &(), |update| update.to_directory(&tree)).unwrap();
    let own = owner(&tree);
    assert!(paths.iter().all(|path| owner(&tree.join(path)) == own), "nobody asked for it");
    let report = published.update(&[], WANTED, &(), |update| update.to_directory(&tree)).unwrap();
    assert_eq!(report.unset, Unset::default());
    for path in paths {
        assert_eq!(owner(&tree.join(path)), owner(&new.join(path)), "{path}");
    }
    let again = published.update(&[], WANTED, &(), |update| update.to_directory(&tree)).unwrap();
    assert_eq!((again.counts.changed, again.counts.unchanged), (0, 3));
    if is_root() {
        chown(tree.join("same"), Some(7), Some(7)).unwrap();
        let again = published.update(&[], WANTED, &(), |update| update.to_directory(&tree)).unwrap();
        assert_eq!((again.counts.changed, owner(&tree.join("same"))), (1, (12_345, 23_456)));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn attributes_are_recorded_set_and_removed() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let ground = Ground::on_disk();
    let (tree, new) = (ground.at("tree"), ground.at("new"));
    for place in [&tree, &new] {
        write(&place.join("same"), b"x", 1);
        write(&place.join("d/changed"), place.as_os_str().as_encoded_bytes(), 1);
    }
    let set = |path: &Path, name: &str, value: &str| setxattr(path, name, value.as_bytes(), XattrFlags::empty());
    if set(&new.join("same"), "user.kind", "fish").is_err() {
        eprintln!("SKIPPED: this file system has no extended attributes");
        return;
    }
    set(&new.join("d"), "user.of", "d").unwrap();
    set(&new.join("d/changed"), "user.a", "1").unwrap();
    set(&tree.join("same"), "user.gone", "it goes").unwrap();
    let value = |path: &str, name: &str| {
        let mut value = [0; 100];
        getxattr(tree.join(path), name, &mut value[..])
            .ok()
            .map(|len| String::from_utf8(value[..len].to_vec()).unwrap())
    };
    let published = ground.publish_with("new", true, &ALL);
    for _ in 0..2 {
        let report = published.update(&[], WANTED, &(), |update| update.to_directory(&tree)).unwrap();
        assert_eq!(report.unset, Unset::default());
        for (path, name, expected) in [
            ("same", "user.kind", Some("fish")),
            ("same", "user.gone", None),
            ("d", "user.of", Some("d")),
            ("d/changed", "user.a", Some("1")),
        ] {
            assert_eq!(value(path, name).as_deref(), expected, "{path} {name}");
        }
        assert_eq!(described(&tree), described(&new));
    }
    let again = published.update(&[], WANTED, &(), |update| update.to_directory(&tree)).unwrap();
    assert_eq!(again.counts.unchanged, 2);
}

#[test]
fn a_new_directory_can_share_its_files_with_the_old_one() {
    let ground = Ground::new();
    let (old, new, out) = (ground.at("old"), ground.at("new"), ground.at("out"));
    for place in [&old, &new] {
        write(&place.join("same"), &corpus::random(1, 50_000), 1);
        write(&place.join("other-mode"), &corpus::random(2, 5_000), 1);
        write(&place.join("changed"), place.as_os_str().as_encoded_bytes(), 1);
    }
    fs::set_permissions(new.join("other-mode"), Permissions::from_mode(0o600)).unwrap();
    let before = described(&old);
    let published = ground.publish("new", true);
    let options = TreeOptions { link: true, ..TreeOptions::default() };
    let seeds = [old.clone()];
    published.update(&seeds, options, &(), |update| update.to_directory(&out)).unwrap();
    assert_eq!(described(&out), described(&new));
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    for (name, is_shared) in [("same", true), ("other-mode", false), ("changed", false)] {
        assert_eq!(inode(&old.join(name)) == inode(&out.join(name)), is_shared, "{name}");
    }
    // The next version of it has another time for what both share, and the old one keeps its own.
    crate::trees::date(&new.join("same"), 77);
    ground.publish("new", true).patch(&out);
    assert_eq!((described(&out), described(&old)), (described(&new), before));
}
