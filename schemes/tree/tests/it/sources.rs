//! Where a tree is fetched from, and what is wrong there.

use std::fs;
use std::sync::Arc;

use gosync_blocksources::MemorySource;
use gosync_chunks::ErrorKind;
use gosync_layers::format::{LayeredIndex, ReadOptions};
use gosync_testkit::corpus;
use gosync_tree::{FIRST_BYTES, SECTION, TreeInfo, TreeOptions};

use crate::trees::{Ground, date, described, write};

#[test]
fn a_little_change_costs_little() {
    for is_compressed in [true, false] {
        let ground = Ground::new();
        for name in ["tree", "new"] {
            for number in 0..300 {
                let path = ground.at(name).join(format!("dir-{}/file-{number}.txt", number % 17));
                write(&path, &corpus::text(number, 3000 + number as usize * 13), number);
            }
        }
        write(&ground.at("new/dir-3/file-20.txt"), &[&corpus::text(20, 3260)[..], b"one more line"].concat(), 1000);
        let published = ground.publish("new", is_compressed);
        let report = published.patch(&ground.at("tree"));
        assert_eq!((report.counts.changed, report.counts.unchanged), (1, 299));
        let fetched = report.work.transfer.bytes + report.index.bytes;
        assert!(fetched < 20_000, "{fetched} bytes, compressed: {is_compressed}");
        assert_eq!(described(&ground.at("tree")), described(&ground.at("new")));
    }
}

/// The head of an index tells that nothing has changed, and with a section that is here already, it
/// alone does.
#[test]
fn what_has_not_changed_costs_no_more_than_the_head() {
    for is_compressed in [true, false] {
        let ground = Ground::new();
        for name in ["tree", "new"] {
            for number in 0..300 {
                write(&ground.at(name).join(format!("{number}")), &corpus::random(number, 2000), number);
            }
            date(&ground.at(name), 5);
        }
        let published = ground.publish("new", is_compressed);
        let mut bytes = Vec::new();
        published.index.write(&mut bytes).unwrap();
        let tree = ground.at("tree");
        for (is_known, most) in [(false, 100), (true, 0)] {
            let start = bytes[..FIRST_BYTES as usize].to_vec();
            let limits = ReadOptions { sections: &[SECTION], ..ReadOptions::default() };
            let source = Arc::new(MemorySource::new(bytes.clone()));
            let index = LayeredIndex::open(source, "it", start, &limits).unwrap();
            let (info, transfer) = TreeInfo::open(&index, &tree).unwrap().unwrap();
            assert_eq!(info, published.info);
            assert!(transfer.bytes <= most && (transfer.bytes == 0) == is_known, "{transfer:?}");
            let mut published = published.clone();
            published.index = index;
            let report = published.patch(&tree);
            assert_eq!((report.index.bytes, report.work.transfer.bytes), (0, 0), "{is_known} {is_compressed}");
            assert_eq!((report.counts.unchanged, described(&tree)), (300, described(&ground.at("new"))));
        }
    }
}

#[test]
fn what_is_not_what_was_published_is_refused_and_named() {
    let ground = Ground::new();
    write(&ground.at("new/a"), &corpus::random(1, 50_000), 1);
    write(&ground.at("new/b"), &corpus::random(2, 50_000), 1);
    write(&ground.at("tree/c"), b"old", 1);
    let before = described(&ground.at("tree"))[1..].to_vec();
    let update = |published: &crate::trees::Published| {
        let tree = ground.at("tree");
        published.update(&[], TreeOptions::default(), &(), |update| update.to_directory(&tree)).unwrap_err()
    };
    let published = ground.publish("new", false);
    let listing = ground.at("new.gosync-listing");
    let good = fs::read(&listing).unwrap();
    fs::write(&listing, vec![0; good.len()]).unwrap();
    assert_eq!(update(&published).kind(), ErrorKind::Corrupt);

    fs::write(&listing, good).unwrap();
    write(&ground.at("new/b"), &corpus::random(3, 50_000), 1);
    assert_eq!(update(&published).kind(), ErrorKind::Corrupt);
    fs::remove_file(ground.at("new/b")).unwrap();
    let error = update(&published);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().replace('\\', "/").contains("new/b"), "{error}");
    assert_eq!(described(&ground.at("tree"))[1..], before);
}

#[test]
fn an_interrupted_update_goes_on() {
    let ground = Ground::new();
    for name in ["a", "b", "c"] {
        write(
            &ground.at("new").join(name),
            &corpus::random(name.len() as u64 + u64::from(name.as_bytes()[0]), 200_000),
            1,
        );
    }
    fs::create_dir(ground.at("tree")).unwrap();
    let published = ground.publish("new", false);
    let last = fs::read(ground.at("new/c")).unwrap();
    fs::remove_file(ground.at("new/c")).unwrap();
    let tree = ground.at("tree");
    published.update(&[], TreeOptions::default(), &(), |update| update.to_directory(&tree)).unwrap_err();
    write(&ground.at("new/c"), &last, 1);
    let report = published.patch(&tree);
    assert!(report.work.kept > 0, "{:?}", report.work);
    for name in ["a", "b", "c"] {
        assert_eq!(fs::read(tree.join(name)).unwrap(), fs::read(ground.at("new").join(name)).unwrap());
    }
}

#[test]
fn other_directories_and_files_are_seeds() {
    let ground = Ground::new();
    write(&ground.at("new/a"), &corpus::random(1, 100_000), 1);
    write(&ground.at("new/b"), &corpus::random(2, 100_000), 1);
    write(&ground.at("other/x"), &corpus::random(1, 100_000), 9);
    let packed = [&corpus::random(7, 1234)[..], &corpus::random(2, 100_000)].concat();
    write(&ground.at("packed"), &packed, 9);
    let published = ground.publish("new", true);
    let seeds = [ground.at("other"), ground.at("packed")];
    let out = ground.at("out");
    let report = published.update(&seeds, TreeOptions::default(), &(), |update| update.to_directory(&out)).unwrap();
    assert!(report.matched_bytes > 195_000, "{report:?}");
    assert_eq!(described(&out), described(&ground.at("new")));
}
