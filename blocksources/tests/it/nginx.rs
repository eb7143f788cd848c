//! The real nginx at the other end.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gosync_blocksources::{HttpOptions, HttpSource};
use gosync_chunks::{ByteRange, Source, SourceError};
use gosync_testkit::conformance::source_conformance;
use gosync_testkit::nginx::Nginx;
use gosync_testkit::source::MemorySink;
use gosync_testkit::{corpus, peers};
use tempfile::TempDir;

use crate::conformance::Kept;

/// A scratch directory with `data` in `root/file`.
fn directory_with(data: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("root")).unwrap();
    fs::write(directory.path().join("root/file"), data).unwrap();
    directory
}

#[test]
fn conforms_with_nginx() {
    if peers::require("nginx").is_none() {
        return;
    }
    source_conformance(|data| {
        let directory = directory_with(&data);
        let nginx = Nginx::start(&directory.path().join("root"), directory.path(), "").expect("nginx was found");
        let source = HttpSource::new(&format!("{}/file", nginx.url()), HttpOptions::default()).unwrap();
        Box::new(Kept { source, _beside: (nginx, directory) })
    });
}

#[test]
fn nginx_counts_the_same_requests() {
    let data = corpus::random(1, 1_000_000);
    let directory = directory_with(&data);
    let Some(nginx) = Nginx::start(&directory.path().join("root"), directory.path(), "") else { return };
    let options = HttpOptions { request_size: 50_000, ..HttpOptions::default() };
    let source = HttpSource::new(&format!("{}/file", nginx.url()), options).unwrap();
    let ranges: Vec<_> = (0..40).map(|at| ByteRange::at(20 + at * 25_000, 7000)).collect();
    let sink = MemorySink::new(&ranges);
    let transfer = source.fetch(&ranges, &sink).unwrap();
    assert_eq!((transfer.bytes, transfer.requests), (280_000, 40));
    assert_eq!(sink.missing(), 0);
    assert_eq!(source.size().unwrap(), Some(1_000_000));

    let start = Instant::now();
    while nginx.access_log().len() < 40 && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let log = nginx.access_log();
    assert_eq!(log.len(), 40, "{log:#?}");
    assert!(log.iter().all(|line| line.ends_with(" 206 7000")), "{log:#?}");
}

#[test]
fn nginx_without_ranges() {
    let data = corpus::random(2, 300_000);
    let directory = directory_with(&data);
    let root = directory.path().join("root");
    let Some(nginx) = Nginx::start(&root, directory.path(), "max_ranges 0;") else { return };
    let source = HttpSource::new(&format!("{}/file", nginx.url()), HttpOptions::default()).unwrap();
    let ranges = [ByteRange::at(10_000, 10)];
    match source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap_err() {
        SourceError::Refused { reason, .. } => assert!(reason.contains("ignores ranges"), "{reason}"),
        other => panic!("{other:?}"),
    }
    // All of it can be had all the same.
    let ranges = [ByteRange::at(0, 100), ByteRange::at(200, 299_800)];
    let sink = MemorySink::new(&ranges);
    source.fetch(&ranges, &sink).unwrap();
    assert!(sink.finish() == [&data[..100], &data[200..]]);
}

#[test]
fn certificates_that_nobody_vouches_for() {
    let Some(openssl) = peers::require("openssl") else { return };
    let directory = directory_with(b"secret");
    let (key, certificate) = (directory.path().join("key.pem"), directory.path().join("certificate.pem"));
    let made = Command::new(openssl)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    let root = directory.path().join("root");
    let Some(nginx) = Nginx::start_tls(&root, directory.path(), &certificate, &key) else { return };
    let source = HttpSource::new(&format!("{}/file", nginx.url()), HttpOptions::default()).unwrap();
    match source.read_all(100).unwrap_err() {
        SourceError::Refused { reason, .. } => assert!(reason.contains("certificate"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(source.requests(), 1, "a second look would not make it trustworthy");
}
