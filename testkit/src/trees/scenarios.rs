//! What happens to trees, from an old version to a new one.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{date, write};
use crate::corpus;

const WRITABLE: &str = "a tree that can be changed";

/// How a tree is changed into the next version.
pub type Edit = fn(&Path);

/// Makes a tree with something of everything.
///
/// # Panics
///
/// When it cannot be written, as all of this.
pub fn make(tree: &Path) {
    for (number, name) in ["a", "b", "dir/c", "dir/sub/d", "dir/sub/e", "other/f"].iter().enumerate() {
        write(&tree.join(name), &corpus::text(number as u64, 20_000 + 1000 * number), 1);
    }
    write(&tree.join("empty"), b"", 2);
    write(&tree.join("dir/large"), &corpus::random(9, 300_000), 3);
    fs::set_permissions(tree.join("b"), Permissions::from_mode(0o750)).expect(WRITABLE);
    symlink("a", tree.join("link")).expect(WRITABLE);
    symlink("../nowhere", tree.join("dir/dangling")).expect(WRITABLE);
    fs::hard_link(tree.join("a"), tree.join("dir/a-too")).expect(WRITABLE);
    for directory in ["dir/sub", "dir", "other", ""] {
        date(&tree.join(directory), 4);
    }
}

fn change(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut data = fs::read(path).expect(WRITABLE);
    edit(&mut data);
    // Not into the same file: another name of it may be elsewhere.
    fs::remove_file(path).expect(WRITABLE);
    write(path, &data, 50);
}

fn swap(one: &Path, other: &Path) {
    let aside = one.with_extension("aside");
    fs::rename(one, &aside).expect(WRITABLE);
    fs::rename(other, one).expect(WRITABLE);
    fs::rename(aside, other).expect(WRITABLE);
}

/// What may happen to a tree: what it is called, and how the new version is made.
pub const SCENARIOS: &[(&str, Edit)] = &[
    ("nothing", |_| {}),
    ("becomes empty", |tree| {
        for entry in fs::read_dir(tree).expect(WRITABLE) {
            let path = entry.expect(WRITABLE).path();
            if path.is_symlink() || path.is_file() { fs::remove_file(path) } else { fs::remove_dir_all(path) }
                .expect(WRITABLE);
        }
    }),
    ("change one", |tree| change(&tree.join("b"), |data| data[10_000] ^= 1)),
    ("one becomes short", |tree| change(&tree.join("dir/c"), |data| data.truncate(3))),
    ("one becomes empty", |tree| change(&tree.join("dir/c"), Vec::clear)),
    ("small change early", |tree| change(&tree.join("dir/large"), |data| data.splice(5..7, [1; 9]).for_each(drop))),
    ("change in the middle", |tree| change(&tree.join("dir/large"), |data| data[150_000..150_100].fill(7))),
    ("grows", |tree| change(&tree.join("dir/sub/d"), |data| data.extend(corpus::random(5, 40_000)))),
    ("add and remove", |tree| {
        fs::remove_file(tree.join("dir/sub/e")).expect(WRITABLE);
        write(&tree.join("dir/sub/new"), &corpus::random(7, 5000), 60);
    }),
    ("rename one", |tree| fs::rename(tree.join("dir/large"), tree.join("dir/larger")).expect(WRITABLE)),
    ("rename a directory", |tree| fs::rename(tree.join("dir"), tree.join("renamed")).expect(WRITABLE)),
    ("delete a folder", |tree| fs::remove_dir_all(tree.join("dir/sub")).expect(WRITABLE)),
    ("move four", |tree| {
        for name in ["a", "b", "dir/c", "dir/large"] {
            fs::rename(tree.join(name), tree.join("other").join(Path::new(name).file_name().expect(WRITABLE)))
                .expect(WRITABLE);
        }
    }),
    ("move into a subdirectory", |tree| {
        fs::create_dir(tree.join("new")).expect(WRITABLE);
        fs::rename(tree.join("dir"), tree.join("new/dir")).expect(WRITABLE);
    }),
    ("duplicated twice", |tree| {
        for name in ["one", "other/two"] {
            fs::copy(tree.join("dir/large"), tree.join(name)).expect(WRITABLE);
        }
    }),
    ("renamed and duplicated twice", |tree| {
        for name in ["one", "other/two"] {
            fs::copy(tree.join("dir/large"), tree.join(name)).expect(WRITABLE);
        }
        fs::rename(tree.join("dir/large"), tree.join("three")).expect(WRITABLE);
    }),
    ("four swapped", |tree| {
        swap(&tree.join("a"), &tree.join("b"));
        swap(&tree.join("dir/c"), &tree.join("dir/large"));
        swap(&tree.join("b"), &tree.join("dir/large"));
    }),
    ("directories swapped", |tree| swap(&tree.join("dir"), &tree.join("other"))),
    ("swap and duplicate", |tree| {
        fs::copy(tree.join("a"), tree.join("a2")).expect(WRITABLE);
        swap(&tree.join("a"), &tree.join("dir/sub/d"));
    }),
    ("links added, changed, removed", |tree| {
        symlink("dir/sub", tree.join("added")).expect(WRITABLE);
        fs::remove_file(tree.join("link")).expect(WRITABLE);
        symlink("dir/c", tree.join("link")).expect(WRITABLE);
        fs::remove_file(tree.join("dir/dangling")).expect(WRITABLE);
    }),
    ("a link becomes a file", |tree| {
        fs::remove_file(tree.join("link")).expect(WRITABLE);
        write(&tree.join("link"), b"a file", 5);
    }),
    ("a link becomes a directory", |tree| {
        fs::remove_file(tree.join("dir/dangling")).expect(WRITABLE);
        write(&tree.join("dir/dangling/x"), b"in it", 5);
    }),
    ("a directory becomes a link", |tree| {
        fs::rename(tree.join("dir/sub"), tree.join("real")).expect(WRITABLE);
        symlink("../real", tree.join("dir/sub")).expect(WRITABLE);
    }),
    ("a file becomes a directory", |tree| {
        let data = fs::read(tree.join("b")).expect(WRITABLE);
        fs::remove_file(tree.join("b")).expect(WRITABLE);
        write(&tree.join("b/deep/b"), &data, 6);
    }),
    ("a directory becomes a file", |tree| {
        fs::rename(tree.join("dir/sub/d"), tree.join("d")).expect(WRITABLE);
        fs::remove_dir_all(tree.join("dir")).expect(WRITABLE);
        fs::rename(tree.join("d"), tree.join("dir")).expect(WRITABLE);
    }),
    ("the case of names", |tree| {
        fs::rename(tree.join("a"), tree.join("A")).expect(WRITABLE);
        fs::rename(tree.join("dir"), tree.join("Dir")).expect(WRITABLE);
        change(&tree.join("Dir/c"), |data| data.push(1));
    }),
    ("names of all kinds", |tree| {
        for name in [&b"not\xff text"[..], b"a\nb", b" ", b"-", b"%2e?#", &[b'x'; 255]] {
            write(&tree.join("dir").join(OsStr::from_bytes(name)), name, 7);
        }
    }),
    ("hard links made", |tree| {
        fs::hard_link(tree.join("dir/large"), tree.join("large-too")).expect(WRITABLE);
        fs::remove_file(tree.join("b")).expect(WRITABLE);
        fs::hard_link(tree.join("dir/c"), tree.join("b")).expect(WRITABLE);
    }),
    ("hard links broken", |tree| {
        let data = fs::read(tree.join("a")).expect(WRITABLE);
        fs::remove_file(tree.join("dir/a-too")).expect(WRITABLE);
        write(&tree.join("dir/a-too"), &data, 1);
    }),
    ("one name of two is changed", |tree| change(&tree.join("dir/a-too"), |data| data.push(3))),
    ("one name of two goes, and the other is as of another day", |tree| {
        fs::remove_file(tree.join("dir/a-too")).expect(WRITABLE);
        date(&tree.join("a"), 77);
    }),
    ("one name of two becomes another file, and the other is as of another day", |tree| {
        change(&tree.join("dir/a-too"), |data| data.truncate(9));
        date(&tree.join("a"), 77);
    }),
    ("modes and times only", |tree| {
        fs::set_permissions(tree.join("a"), Permissions::from_mode(0o600)).expect(WRITABLE);
        fs::set_permissions(tree.join("dir/sub"), Permissions::from_mode(0o700)).expect(WRITABLE);
        date(&tree.join("other/f"), 99);
        date(&tree.join("other"), 98);
    }),
    ("a read-only directory", |tree| {
        write(&tree.join("other/new"), b"new", 8);
        fs::set_permissions(tree.join("other"), Permissions::from_mode(0o555)).expect(WRITABLE);
    }),
];
