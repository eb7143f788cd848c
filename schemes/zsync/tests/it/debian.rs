//! Against the real zsync, as Debian has it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::ErrorKind;
use gosync_testkit::corpus::{self, edit};
use gosync_testkit::nginx::Nginx;
use gosync_testkit::peers;
use gosync_update::{FileOptions, Seeds, Update};
use gosync_zsync::{Control, ControlTarget, MakeOptions, Places, ReadOptions, make, make_compressed, open_control};

use crate::support::patch_at;

fn zsyncmake(arguments: &[&str], directory: &Path) {
    let mut command = Command::new(peers::require("zsyncmake").unwrap());
    let output = command.args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Sizes around one and two blocks, and around where the formulas for the lengths of sums
/// step: there are such steps between the powers of two.
#[test]
fn the_same_bytes_as_zsyncmake() {
    if peers::require("zsyncmake").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let data = corpus::random(1, 3 << 20);
    let mut sizes: Vec<usize> = vec![1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 6143, 6145];
    sizes.extend((13..21).map(|bits| (1 << bits) - 1));
    sizes.extend((13..21).map(|bits| (1 << bits) + 7777));
    sizes.push(3 << 20);
    assert!(sizes.len() >= 30);
    for size in sizes {
        fs::write(at("file"), &data[..size]).unwrap();
        for block_size in [None, Some(512), Some(65_536)] {
            let text = block_size.unwrap_or(2048).to_string();
            zsyncmake(&["-b", &text, "-o", "theirs", "-u", "http://host/file", "file"], directory.path());
            let options = MakeOptions {
                block_size,
                as_0_6_2: true,
                urls: vec!["http://host/file".into()],
                ..MakeOptions::default()
            };
            let ours = make(&at("file"), &options, &()).unwrap().write().unwrap();
            assert!(ours == fs::read(at("theirs")).unwrap(), "{size} bytes in blocks of {block_size:?}");
        }
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Old and new versions that differ as releases of a program do. The new one is a number of
/// whole blocks, as a tar archive is.
fn versions() -> (Vec<u8>, Vec<u8>) {
    let old = [corpus::text(2, 1_500_000), corpus::random(3, 700_000)].concat();
    let mut new = edit::insert(&old, 4, 12, 300);
    // In place, so that many blocks are left alone.
    new[800_000..1_000_000].chunks_mut(4096).for_each(|part| part[100] ^= 1);
    new.truncate(new.len() - new.len() % 10_240);
    (old, new)
}

/// Payload bytes that nginx sent; the control file is none.
fn payload(nginx: &Nginx, since: usize) -> u64 {
    let lines = nginx.access_log();
    let lines = lines[since..].iter().filter(|line| !line.contains(".zsync "));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn settle(nginx: &Nginx) -> usize {
    let mut before = usize::MAX;
    while nginx.access_log().len() != before {
        before = nginx.access_log().len();
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    before
}

#[test]
fn zsync_takes_our_files_and_we_take_its() {
    let (Some(zsync), Some(_)) = (peers::require("zsync"), peers::require("zsyncmake")) else { return };
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    let directives = "location /single/ { rewrite ^/single(/.*) $1 break; max_ranges 1; } \
                      location /none/ { rewrite ^/none(/.*) $1 break; max_ranges 0; }";
    let Some(nginx) = Nginx::start(&root, directory.path(), directives) else { return };
    let (old, new) = versions();
    let old_path = directory.path().join("old");
    fs::write(&old_path, &old).unwrap();
    fs::write(root.join("new"), &new).unwrap();

    zsyncmake(&["-o", "theirs.zsync", "new"], &root);
    let ours = make(&root.join("new"), &MakeOptions::default(), &()).unwrap();
    fs::write(root.join("ours.zsync"), ours.write().unwrap()).unwrap();
    let mut packed = make(&root.join("new"), &MakeOptions::default(), &()).unwrap();
    make_compressed(&mut packed, &root.join("new"), &root.join("ours.gz"), &[], &()).unwrap();
    fs::write(root.join("packed.zsync"), packed.write().unwrap()).unwrap();
    // Its blocks are as long as gzip likes them, so that it has to be begun within them.
    fs::write(root.join("long.gz"), gzip(&new)).unwrap();
    zsyncmake(&["-C", "-o", "long.zsync", "long.gz"], &root);
    // Last, since it writes new.gz.
    zsyncmake(&["-z", "-o", "their-packed.zsync", "new"], &root);

    let names = ["theirs", "ours", "packed", "their-packed", "long"];
    let mut theirs = Vec::new();
    for name in names {
        let since = settle(&nginx);
        let out = directory.path().join(format!("out-{name}"));
        let mut command = Command::new(&zsync);
        command.arg("-q").arg("-i").arg(&old_path).arg("-o").arg(&out).arg(format!("{}/{name}.zsync", nginx.url()));
        let output = command.stdin(Stdio::null()).current_dir(directory.path()).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(fs::read(&out).unwrap() == new, "zsync with {name}");
        settle(&nginx);
        theirs.push(payload(&nginx, since));
    }
    for (name, theirs) in names.into_iter().zip(theirs) {
        for place in ["", "/single", "/none"] {
            let since = settle(&nginx);
            let location: Location = format!("{}{place}/{name}.zsync", nginx.url()).parse().unwrap();
            let options = SourceOptions::default();
            let opened = open_control(&location, &ReadOptions::default(), &options).unwrap();
            let places = Places::open(&opened, None, &options).unwrap();
            let target = ControlTarget::at(&opened.control, &places);
            let seeds = Seeds::open([&old_path], &target, &()).unwrap();
            let out = directory.path().join("out");
            let update = Update { target: &target, seeds: &seeds, source: places.plain(), progress: &() };
            let report = update.to_file(&out, &FileOptions::default()).unwrap();
            assert!(fs::read(&out).unwrap() == new, "{name}{place}");
            fs::remove_file(&out).unwrap();
            settle(&nginx);
            if place.is_empty() {
                let ours = payload(&nginx, since);
                // A range that is cut in two, for two connections, is announced twice.
                let most = theirs + 120 * (report.report.transfer.requests - 1);
                assert!(report.report.transfer.bytes <= ours && ours <= most, "{name}: {ours}, zsync {theirs}");
            }
        }
    }
}

/// What is missing or wrong on a server is made up for by what is there.
#[test]
fn files_that_are_not_what_they_were() {
    if peers::require("zsyncmake").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    let Some(nginx) = Nginx::start(&root, directory.path(), "") else { return };
    let (old, new) = versions();
    let (plain, packed) = (root.join("new"), root.join("new.gz"));
    fs::write(&plain, &new).unwrap();
    zsyncmake(&["-z", "-o", "new.zsync", "new"], &root);
    let good = fs::read(&packed).unwrap();
    let mut damaged = good.clone();
    damaged[100..].iter_mut().for_each(|byte| *byte ^= 0x55);
    for (name, has_plain, packed_bytes, is_made) in [
        ("only pieces", false, Some(&good), true),
        ("only plain", true, None, true),
        ("damaged", true, Some(&damaged), true),
        ("other", true, Some(&gzip(&old)), true),
        ("damaged, and nothing else", false, Some(&damaged), false),
        ("nothing", false, None, false),
    ] {
        let _ = (fs::remove_file(&plain), fs::remove_file(&packed));
        if has_plain {
            fs::write(&plain, &new).unwrap();
        }
        if let Some(bytes) = packed_bytes {
            fs::write(&packed, bytes).unwrap();
        }
        let options = SourceOptions::default();
        let location: Location = format!("{}/new.zsync", nginx.url()).parse().unwrap();
        let opened = open_control(&location, &ReadOptions::default(), &options).unwrap();
        let places = Places::open(&opened, None, &options).unwrap();
        let out = directory.path().join("out");
        let _ = fs::remove_file(&out);
        let done = patch_at(&opened.control, &places, &[&old], &out);
        assert_eq!(done.is_ok(), is_made, "{name}: {:?}", done.err());
        assert_eq!(fs::read(&out).ok().is_some_and(|made| made == new), is_made, "{name}");
        if let Err(error) = done {
            let kinds = [ErrorKind::Source, ErrorKind::NotFound, ErrorKind::Corrupt];
            assert!(kinds.contains(&error.kind()), "{name}: {error}");
            assert!(error.to_string().contains("new.gz"), "{name}: {error}");
        }
    }
}

/// What zsyncmake makes of a gzip file is read: a map, and one record too many.
#[test]
fn control_files_of_gzip_files() {
    if peers::require("zsyncmake").is_none() || peers::require("gzip").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let data = corpus::text(5, 300_000);
    fs::write(directory.path().join("file"), &data).unwrap();
    let gzip = Command::new("gzip").args(["-9", "-k", "file"]).current_dir(directory.path()).status().unwrap();
    assert!(gzip.success());
    zsyncmake(&["-o", "x.zsync", "file.gz"], directory.path());
    let bytes = fs::read(directory.path().join("x.zsync")).unwrap();
    let control = Control::read(&bytes).unwrap();
    assert_eq!(control.signature.layout().length(), data.len() as u64);
    assert!(control.block_map.is_some() && control.recompress.is_some());
    assert_eq!(control.z_urls, ["file.gz"]);
    let opened =
        open_control(&directory.path().join("x.zsync").into(), &ReadOptions::default(), &SourceOptions::default());
    let opened = opened.unwrap();
    fs::remove_file(directory.path().join("file")).unwrap();
    // Only the compressed file is there.
    let places = Places::open(&opened, None, &SourceOptions::default()).unwrap();
    let out = directory.path().join("out");
    let seed = edit::insert(&data, 6, 2, 50);
    patch_at(&opened.control, &places, &[&seed], &out).unwrap();
    assert!(fs::read(&out).unwrap() == data);
}
