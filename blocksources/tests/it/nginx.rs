//! The real nginx at the other end.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gosync_blocksources::cost::RangeSupport;
use gosync_blocksources::{HttpOptions, HttpSource, RootCertificates};
use gosync_chunks::{ByteRange, Source, SourceError, Transfer};
use gosync_testkit::conformance::source_conformance;
use gosync_testkit::delay::Delay;
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

/// What is at the other end of nginx, with `directives`, and what it wrote down.
fn fetch_from_nginx(directives: &str, options: HttpOptions) -> Option<(Transfer, RangeSupport, Vec<String>)> {
    let data = corpus::random(1, 2_000_000);
    let directory = directory_with(&data);
    let nginx = Nginx::start(&directory.path().join("root"), directory.path(), directives)?;
    let source = HttpSource::new(&format!("{}/file", nginx.url()), options).unwrap();
    let ranges: Vec<_> = (0..70).map(|at| ByteRange::at(20 + at * 25_000, 7000)).collect();
    let sink = MemorySink::new(&ranges);
    let transfer = source.fetch(&ranges, &sink).unwrap();
    for (range, fetched) in ranges.iter().zip(sink.finish()) {
        assert!(fetched == data[range.start as usize..range.end as usize], "{range}");
    }
    let start = Instant::now();
    while (nginx.access_log().len() as u64) < transfer.requests && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    Some((transfer, source.terms().support, nginx.access_log()))
}

#[test]
fn conforms_with_nginx() {
    if peers::require("nginx").is_none() {
        return;
    }
    for directives in ["", "max_ranges 1;", "max_ranges 0;", "gzip on; gzip_types *; gzip_min_length 1;"] {
        source_conformance(|data| {
            let directory = directory_with(&data);
            let root = directory.path().join("root");
            let nginx = Nginx::start(&root, directory.path(), directives).expect("nginx was found");
            let source = HttpSource::new(&format!("{}/file", nginx.url()), HttpOptions::default()).unwrap();
            Box::new(Kept { source, _beside: (nginx, directory) })
        });
    }
}

#[test]
fn conforms_with_nginx_over_https() {
    let certificates = tempfile::tempdir().unwrap();
    let Some(certified) = Certified::make(certificates.path()) else { return };
    if peers::require("nginx").is_none() {
        return;
    }
    let authority = fs::read_to_string(&certified.authority).unwrap();
    for directives in ["", "max_ranges 1;", "max_ranges 0;"] {
        source_conformance(|data| {
            let directory = directory_with(&data);
            let (root, files) = (directory.path().join("root"), (&*certified.certificate, &*certified.key));
            let nginx = Nginx::start_tls(&root, directory.path(), files, directives).expect("nginx was found");
            let options = HttpOptions { extra_certificates: vec![authority.clone()], ..HttpOptions::default() };
            let source = HttpSource::new(&format!("{}/file", nginx.url()), options).unwrap();
            Box::new(Kept { source, _beside: (nginx, directory) })
        });
    }
}

#[test]
fn nginx_sends_many_ranges_at_once() {
    let options = HttpOptions { connections: 2, ..HttpOptions::default() };
    let Some((transfer, support, log)) = fetch_from_nginx("", options) else { return };
    assert_eq!((transfer, support), (Transfer { bytes: 490_000, requests: 2 }, RangeSupport::Several));
    assert_eq!(log.len(), 2, "{log:#?}");
    for line in log {
        assert!(line.contains(" 206 ") && line.matches(',').count() == 34, "{line}");
    }
}

#[test]
fn nginx_that_sends_one_range_at_a_time() {
    // Were it quicker to take the whole file, that would be done.
    let options = HttpOptions { connections: 2, bridged_gap: Some(0), ..HttpOptions::default() };
    let Some((transfer, support, log)) = fetch_from_nginx("max_ranges 1;", options) else { return };
    let answers = |kind: &str| log.iter().filter(|line| line.contains(kind)).count();
    // Either it was found out that ranges can be had one by one, or an answer with the
    // whole file was the cheapest way to go on.
    assert!(support == RangeSupport::One && transfer.bytes <= 2_000_000, "{transfer:?} {log:#?}");
    assert!((1..=6).contains(&answers(" 200 ")), "{log:#?}");
}

#[test]
fn nginx_without_ranges() {
    let Some((transfer, _, log)) = fetch_from_nginx("max_ranges 0;", HttpOptions::default()) else { return };
    // Until the first answer all connections ask; its body is used, and no other.
    assert!(transfer.bytes <= 2_000_000 && log.iter().all(|line| line.contains(" 200 ")), "{transfer:?} {log:#?}");
    assert!(transfer.requests <= 7, "{log:#?}");
}

/// PEM files for a server on this machine, and of the authority that vouches for it.
struct Certified {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Certified {
    /// Where there is no openssl: `None`, as with [`peers::require`].
    fn make(directory: &Path) -> Option<Self> {
        let openssl = peers::require("openssl")?;
        let path = |name: &str| directory.join(name);
        let (authority, certificate, key) = (path("authority.pem"), path("certificate.pem"), path("key.pem"));
        let make = |subject: &str, key: &Path, certificate: &Path, more: &[&OsStr]| {
            let mut command = Command::new(&openssl);
            command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject]);
            command.arg("-keyout").arg(key).arg("-out").arg(certificate).args(more);
            assert!(command.stderr(Stdio::null()).status().unwrap().success());
        };
        let authority_key = path("authority-key.pem");
        make("/CN=authority", &authority_key, &authority, &[]);
        let signed = ["-CA".as_ref(), authority.as_os_str(), "-CAkey".as_ref(), authority_key.as_os_str()];
        let named = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"];
        make("/CN=127.0.0.1", &key, &certificate, &[&signed[..], &named.map(OsStr::new)].concat());
        Some(Self { authority, certificate, key })
    }
}

#[test]
fn certificates() {
    let data = corpus::random(2, 100_000);
    let directory = directory_with(&data);
    let Some(Certified { authority, certificate, key }) = Certified::make(directory.path()) else { return };
    let root = directory.path().join("root");
    let redirect = "location /away { return 302 http://127.0.0.1:9/file; }";
    let Some(nginx) = Nginx::start_tls(&root, directory.path(), (&certificate, &key), redirect) else { return };
    let url = format!("{}/file", nginx.url());
    let source = HttpSource::new(&url, HttpOptions::default()).unwrap();
    match source.read_all(1 << 20).unwrap_err() {
        SourceError::Unreachable { is_transient: false, source, .. } => {
            assert!(source.to_string().contains("certificate"), "{source}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(source.requests(), 1, "a second look would not make it trustworthy");

    let trusting = |pem: &str| HttpOptions { extra_certificates: vec![pem.into()], ..HttpOptions::default() };
    let pem = fs::read_to_string(&authority).unwrap();
    let source = HttpSource::new(&url, trusting(&pem)).unwrap();
    assert!(source.read_all(1 << 20).unwrap() == data);
    let ranges = [ByteRange::at(5, 10), ByteRange::at(50_000, 10)];
    let sink = MemorySink::new(&ranges);
    source.fetch(&ranges, &sink).unwrap();
    assert_eq!(sink.finish(), [&data[5..15], &data[50_000..50_010]]);
    let away = HttpSource::new(&format!("{}/away", nginx.url()), trusting(&pem)).unwrap();
    let error = away.fetch(&ranges, &MemorySink::new(&ranges)).unwrap_err();
    assert!(error.to_string().contains("redirects from https to http"), "{error}");
    assert_eq!(away.requests(), 1, "{error}");
    let refused = |options: HttpOptions| match HttpSource::new(&url, options).unwrap().read_all(1 << 20).unwrap_err() {
        SourceError::Unreachable { is_transient: false, source, .. } => source.to_string(),
        other => panic!("{other:?}"),
    };
    for nonsense in ["", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"] {
        assert!(refused(trusting(nonsense)).contains("has none in PEM form"));
    }

    // In files and in directories, which are read when they are needed.
    let files = |path: &Path| HttpOptions {
        root_certificates: RootCertificates::Files(vec![path.to_owned()]),
        ..HttpOptions::default()
    };
    for path in [&*authority, directory.path()] {
        assert!(HttpSource::new(&url, files(path)).unwrap().read_all(1 << 20).unwrap() == data, "{path:?}");
    }
    for (path, expected) in
        [("none", "cannot read "), ("key.pem", "has no certificates"), ("root", "no certificate of an")]
    {
        let told = refused(files(&directory.path().join(path)));
        assert!(told.contains(expected), "{told}");
    }
    let mut alone =
        HttpOptions { extra_certificates: vec![fs::read_to_string(&certificate).unwrap()], ..files(&authority) };
    alone.root_certificates = RootCertificates::Files(Vec::new());
    assert!(HttpSource::new(&url, alone).unwrap().read_all(1 << 20).unwrap() == data, "it is trusted for what it is");
}

#[test]
fn a_certificate_that_is_its_own_authority() {
    let data = corpus::random(2, 1000);
    let directory = directory_with(&data);
    let Some(openssl) = peers::require("openssl") else { return };
    let path = |name: &str| directory.path().join(name);
    let make = |name: &str, more: &[&str]| {
        let mut command = Command::new(&openssl);
        command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]).args(more);
        command.arg("-keyout").arg(path(&format!("{name}.key"))).arg("-out").arg(path(&format!("{name}.pem")));
        assert!(command.stderr(Stdio::null()).status().unwrap().success());
        fs::read_to_string(path(&format!("{name}.pem"))).unwrap()
    };
    let address = ["-addext", "subjectAltName=IP:127.0.0.1"];
    let own = make("own", &[&["-days", "2"], &address[..]].concat());
    let other = make("other", &[&["-days", "2"], &address[..]].concat());
    let elsewhere = make("elsewhere", &["-days", "2", "-addext", "subjectAltName=IP:127.0.0.2"]);
    for (name, given, expected) in [
        ("own", &own, None),
        ("own", &other, Some("which is not trusted")),
        ("elsewhere", &elsewhere, Some("not valid for name")),
    ] {
        let files = (&*path(&format!("{name}.pem")), &*path(&format!("{name}.key")));
        let Some(nginx) = Nginx::start_tls(&path("root"), directory.path(), files, "") else { return };
        let options = HttpOptions { extra_certificates: vec![given.clone()], ..HttpOptions::default() };
        let read = HttpSource::new(&format!("{}/file", nginx.url()), options).unwrap().read_all(1 << 20);
        match (read, expected) {
            (Ok(read), None) => assert!(read == data),
            (Err(SourceError::Unreachable { is_transient: false, source, .. }), Some(expected)) => {
                assert!(source.to_string().contains(expected), "{name}: {source}");
            }
            (read, _) => panic!("{name}: {read:?}"),
        }
    }
}

/// The line is 40 ms long, so one after the other the ranges would take 16 seconds.
#[test]
fn four_hundred_scattered_ranges_over_a_long_line() {
    let data = corpus::random(3, 40_000_000);
    let directory = directory_with(&data);
    let Some(nginx) = Nginx::start(&directory.path().join("root"), directory.path(), "") else { return };
    let address = nginx.url().strip_prefix("http://").unwrap().parse().unwrap();
    let delay = Delay::start(address, Duration::from_millis(40));
    let source = HttpSource::new(&format!("http://{}/file", delay.address()), HttpOptions::default()).unwrap();
    let ranges: Vec<_> = (0..400).map(|at| ByteRange::at(at * 100_000 + at * 7, 16 << 10)).collect();
    let sink = MemorySink::new(&ranges);
    let estimate = source.estimate(&ranges);
    let start = Instant::now();
    let transfer = source.fetch(&ranges, &sink).unwrap();
    let took = start.elapsed();
    println!("{took:?} {transfer:?} {:?}, estimated {estimate:?}", source.terms());
    assert_eq!((transfer.bytes, transfer.requests), (estimate.bytes, estimate.requests));
    for (range, fetched) in ranges.iter().zip(sink.finish()) {
        assert!(fetched == data[range.start as usize..range.end as usize], "{range}");
    }
    // It takes 0.11 s on a machine that has nothing else to do.
    assert!(took < Duration::from_secs(4), "{took:?}");
}
