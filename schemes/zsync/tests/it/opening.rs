//! Control files that are opened, and what that takes.

use std::fs;

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::Transfer;
use gosync_testkit::corpus;
use gosync_zsync::{Control, Error, ReadOptions, open_control};

use crate::oracle::control_bytes;

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

#[cfg(feature = "http")]
#[test]
fn behind_http_it_takes_one_get() {
    use gosync_testkit::hostile::{Say, Scripted};

    let server = Scripted::start(|asked| Say::proper(asked, &bytes()));
    let location: Location = server.url().parse().unwrap();
    let opened = open_control(&location, &ReadOptions::default(), &SourceOptions::default()).unwrap();
    assert!(is_ours(&opened.control) && opened.bytes == bytes());
    assert_eq!(opened.location, location);
    assert_eq!(opened.transfer, Transfer { bytes: bytes().len() as u64, requests: 1 });
    let asked = server.asked();
    let gets: Vec<_> = asked.iter().filter(|asked| asked.method == "GET").collect();
    assert_eq!(gets.len(), 1, "{asked:?}");
    assert!(gets[0].ranges.is_empty() && asked.len() <= 2, "{asked:?}");
}
