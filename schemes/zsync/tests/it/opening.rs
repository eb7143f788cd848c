//! Control files that are opened, and what that takes.

use std::fs;
use std::io::{self, Cursor, Read};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::Transfer;
use gosync_testkit::corpus;
use gosync_testkit::hostile::{Say, Scripted};
use gosync_update::Beginning;
use gosync_zsync::{
    Control, ControlError, Error, MakeOptions, OpenedControl, Places, ReadOptions, make, make_compressed, open_control,
};

use crate::oracle::control_bytes;
use crate::support::patch_at;

/// The bytes of a control file of 10 kB.
fn bytes() -> Vec<u8> {
    let bytes = control_bytes(&corpus::text(1, 500 << 10), 1024, (1, 4, 16), "Filename: x\nURL: x\n");
    assert!((10_000..10_200).contains(&bytes.len()), "{}", bytes.len());
    bytes
}

fn is_ours(control: &Control) -> bool {
    control.signature == Control::read(&bytes()).unwrap().signature
}

#[test]
fn of_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.zsync");
    fs::write(&path, bytes()).unwrap();
    let location = Location::from(path.clone());
    let opened = open_control(&location, &ReadOptions::default(), &SourceOptions::default()).unwrap();
    assert!(is_ours(&opened.control) && opened.bytes == bytes());
    assert_eq!(opened.location, location);
    assert_eq!(opened.transfer, Transfer { bytes: bytes().len() as u64, requests: 0 });
    assert_eq!(opened.modified, Some(fs::metadata(&path).unwrap().modified().unwrap()));
    fs::write(&path, b"no control file").unwrap();
    let error = open_control(&location, &ReadOptions::default(), &SourceOptions::default()).unwrap_err();
    assert!(matches!(&error, Error::Control { location, .. } if *location == path.display().to_string()), "{error:?}");
}

#[test]
fn from_a_reader_that_never_ends() {
    let location: Location = "http://host/x.zsync".parse().unwrap();
    for target in [100 << 10, 3 << 20] {
        let bytes = control_bytes(&corpus::text(2, target), 1024, (1, 4, 16), "Filename: x\nURL: x\n");
        let endless = Cursor::new(bytes.clone()).chain(io::repeat(b'\n'));
        let beginning = Beginning::of(endless, &location, None, 1 << 30).unwrap();
        let read = Control::read(&bytes).unwrap();
        match OpenedControl::read(beginning) {
            Ok(opened) => assert!(opened.control.signature == read.signature),
            Err(error) => {
                let Error::Control { source: ControlError::Trailing { len }, .. } = error else { panic!("{error:?}") };
                assert!(len < 20_000, "{len}");
            }
        }
    }
    let zeros = Beginning::of(io::repeat(0), &location, None, 1 << 30).unwrap();
    assert!(matches!(OpenedControl::read(zeros), Err(Error::Control { .. })));
    let lines = Beginning::of(io::repeat(b'a'), &location, None, 1 << 30).unwrap();
    assert!(matches!(OpenedControl::read(lines), Err(Error::Control { .. })));
}

#[cfg(feature = "http")]
mod http {
    use super::*;
    use gosync_testkit::hostile::{Say, Scripted};
    use gosync_update::{FileOptions, Seeds, Update};
    use gosync_zsync::{ControlTarget, Places, source_locations};

    #[test]
    fn it_takes_one_get() {
        let server = Scripted::start(|asked| Say::proper(asked, &bytes()));
        let location: Location = server.url().parse().unwrap();
        let opened = open_control(&location, &ReadOptions::default(), &SourceOptions::default()).unwrap();
        assert!(is_ours(&opened.control) && opened.bytes == bytes());
        assert_eq!((&opened.location, &opened.found_at), (&location, &location));
        assert_eq!(opened.transfer, Transfer { bytes: bytes().len() as u64, requests: 1 });
        let asked = server.asked();
        assert_eq!(asked.iter().map(|asked| asked.method.as_str()).collect::<Vec<_>>(), ["GET"]);
    }

    /// GitHub's releases lead to another host under other names; GitLab's to another folder.
    #[test]
    fn the_target_is_beside_the_url_or_beside_where_it_led() {
        let target = corpus::random(3, 100_000);
        let control = control_bytes(&target, 1024, (1, 4, 16), "Filename: x\nURL: x\n");
        for beside_the_url in [true, false] {
            let files = [("/cdn/asset-1", control.clone()), ("/cdn/asset-2", target.clone())];
            let led = if beside_the_url { "/cdn/asset-2" } else { "/cdn/x" };
            let server = Scripted::start(move |asked| match asked.path.split('?').next().unwrap() {
                "/latest/x.zsync" => Say::plain("302 Found", "Location: /cdn/asset-1?signature=1\r\n", b""),
                "/latest/x" if beside_the_url => {
                    Say::plain("302 Found", &format!("Location: {led}?signature=2\r\n"), b"")
                }
                "/cdn/x" if !beside_the_url => Say::proper(asked, &files[1].1),
                path => match files.iter().find(|(name, _)| *name == path) {
                    Some((_, data)) => Say::proper(asked, data),
                    None => Say::plain("404 Not Found", "", b"no"),
                },
            });
            let location: Location = server.url().replace("/file", "/latest/x.zsync").parse().unwrap();
            let options = SourceOptions::default();
            let opened = open_control(&location, &ReadOptions::default(), &options).unwrap();
            let places = source_locations(&opened, None).unwrap();
            let expected = ["/latest/x", "/cdn/x"].map(|path| server.url().replace("/file", path));
            assert_eq!(places.iter().map(Location::to_string).collect::<Vec<_>>(), expected);
            let places = Places::open(&opened, None, &options).unwrap();
            let control_target = ControlTarget::at(&opened.control, &places);
            let directory = tempfile::tempdir().unwrap();
            let output = directory.path().join("x");
            let seeds = Seeds::open([&output], &control_target, &()).unwrap();
            let update = Update { target: &control_target, seeds: &seeds, source: places.plain(), progress: &() };
            update.to_file(&output, &FileOptions::default()).unwrap();
            assert!(fs::read(&output).unwrap() == target);
        }
    }

    /// A server may not know HEAD, or lie about it.
    #[test]
    fn no_length_is_needed_where_the_target_is_checked() {
        let target = corpus::random(4, 50_000);
        let control = control_bytes(&target, 1024, (1, 4, 16), "Filename: x\nURL: x\n");
        let server = Scripted::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("HEAD", _) => Say::plain("405 Method Not Allowed", "", b""),
            (_, "/x.zsync") => Say::proper(asked, &control),
            _ if asked.range == Some((0, 0)) => Say::plain("500 Internal Server Error", "", b""),
            _ => Say::proper(asked, &target),
        });
        let location: Location = server.url().replace("/file", "/x.zsync").parse().unwrap();
        let options = SourceOptions::default();
        let opened = open_control(&location, &ReadOptions::default(), &options).unwrap();
        let places = Places::open(&opened, None, &options).unwrap();
        let target = ControlTarget::at(&opened.control, &places);
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("x");
        let seeds = Seeds::open([&output], &target, &()).unwrap();
        let update = Update { target: &target, seeds: &seeds, source: places.plain(), progress: &() };
        update.to_file(&output, &FileOptions::default()).unwrap();
        assert!(server.asked().iter().all(|asked| asked.method == "GET"), "{:?}", server.asked());
    }
}

/// Brings the target of a control file about that names a place where nobody answers before the one
/// that has it.
fn patch_past_a_dead_place(is_packed: bool) {
    let directory = tempfile::tempdir().unwrap();
    let [path, packed, out] = ["x", "x.gz", "out"].map(|name| directory.path().join(name));
    let new = corpus::text(3, 200_000);
    fs::write(&path, &new).unwrap();
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut control = make(&path, &MakeOptions::default(), &()).unwrap();
    let has = if is_packed {
        make_compressed(&mut control, &path, &packed, &[], &()).unwrap();
        fs::read(&packed).unwrap()
    } else {
        new.clone()
    };
    let server = Scripted::start(move |asked| Say::proper(asked, &has));
    let urls = vec![format!("http://{}/x", dead.local_addr().unwrap()), server.url().to_string()];
    (control.urls, control.z_urls) = if is_packed { (Vec::new(), urls) } else { (urls, Vec::new()) };
    let location: Location = "http://host/x.zsync".parse().unwrap();
    let opened = OpenedControl {
        bytes: Vec::new(),
        found_at: location.clone(),
        modified: None,
        transfer: Transfer::default(),
        location,
        control,
    };
    let start = Instant::now();
    let places = Places::open(&opened, None, &SourceOptions::default()).unwrap();
    patch_at(&opened.control, &places, &[&new[50_000..]], &out).unwrap();
    assert!(fs::read(&out).unwrap() == new);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn a_place_where_nobody_answers_is_left() {
    patch_past_a_dead_place(false);
}

#[test]
fn a_gzip_file_that_nobody_gives_is_left() {
    patch_past_a_dead_place(true);
}
