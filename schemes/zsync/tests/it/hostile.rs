//! Control files that are damaged, or made to do harm.

use gosync_testkit::corpus;
use gosync_zsync::{Control, ControlError};

use crate::oracle::control_bytes;

fn read(header: &str) -> Result<Control, ControlError> {
    Control::read(format!("{header}\n").as_bytes())
}

#[test]
fn every_cut_is_noticed() {
    let bytes = control_bytes(&corpus::text(1, 5000), 1024, (2, 3, 7), "Filename: x\nURL: x\n");
    for len in 0..bytes.len() {
        assert!(Control::read(&bytes[..len]).is_err(), "{len}");
    }
    assert!(Control::read(&bytes).is_ok());
    let trailing = |len: usize| Control::read(&[&bytes[..], &vec![0; len]].concat());
    assert!(trailing(10).is_ok(), "zsyncmake has one record more for gzip files");
    assert!(matches!(trailing(9), Err(ControlError::Trailing { len: 9 })));
    assert!(matches!(trailing(20), Err(ControlError::Trailing { len: 20 })));
}

#[test]
fn headers() {
    let good = "zsync: 0.6.2\nBlocksize: 2048\nLength: 0\n";
    assert!(read(good).is_ok());
    // As zsync2 orders them, and with the ends of lines of another system.
    assert!(read("Blocksize: 2048\nLength: 0\nzsync: 0.6.2\n").is_ok());
    assert!(Control::read(b"zsync: 0.6.2\r\nBlocksize: 2048  \r\nLength: 0\r\n\r\n").is_ok());
    // Keys that may be ignored, as zsync and its successor write that.
    for safe in ["New", "Z-Filename New MTime", "Other,New", "New MTime:"] {
        assert!(read(&format!("{good}New: x\nSafe: {safe}\n")).is_ok(), "{safe}");
    }
    assert!(matches!(read(&format!("{good}New: x\n")), Err(ControlError::UnknownKey { key }) if key == "New"));
    for name in ["a/b", "/etc/passwd", "..", "a\\b"] {
        assert!(matches!(read(&format!("{good}Filename: {name}\n")), Err(ControlError::Name(_))), "{name}");
    }
    for (line, key) in [
        ("Blocksize: 1000", "Blocksize"),
        ("Blocksize: 0", "Blocksize"),
        ("Blocksize: -1", "Blocksize"),
        ("Blocksize: 4294967296", "Blocksize"),
        ("Length: -1", "Length"),
        ("Length: 18446744073709551616", "Length"),
        ("Hash-Lengths: 0,4,16", "Hash-Lengths"),
        ("Hash-Lengths: 3,4,16", "Hash-Lengths"),
        ("Hash-Lengths: 1,5,16", "Hash-Lengths"),
        ("Hash-Lengths: 1,0,16", "Hash-Lengths"),
        ("Hash-Lengths: 1,4,0", "Hash-Lengths"),
        ("Hash-Lengths: 1,4,17", "Hash-Lengths"),
        ("Hash-Lengths: 1,4", "Hash-Lengths"),
        ("Hash-Lengths: 1,4,16,1", "Hash-Lengths"),
        ("SHA-1: 00", "SHA-1"),
        ("File-Hash: MD5:00", "File-Hash"),
        ("Strong-Hash-Algorithm: CRC", "Strong-Hash-Algorithm"),
        ("Recompress: 1f8b0800aabbccdd0203 --exec=x", "Recompress"),
        ("zsync: 0.0.4", "zsync"),
        ("Z-Map2: x", "Z-Map2"),
    ] {
        let refused = read(&format!("{good}{line}\n"));
        assert!(
            matches!(&refused, Err(ControlError::Value { key: found, .. }) if *found == key),
            "{line}: {refused:?}"
        );
    }
    let sha224 = format!("{good}Hash-Lengths: 1,4,28\nStrong-Hash-Algorithm: SHA-224\n");
    assert!(read(&sha224).is_ok());
    for no_control in ["", "\n", "G0S9NC\0\0", "<html>", "zsync", "Key: value\n"] {
        assert!(matches!(read(no_control), Err(ControlError::NotAControlFile)), "{no_control:?}");
        assert!(!Control::is_one(no_control.as_bytes()));
    }
    assert!(matches!(read("zsync: 1\nLength: 1\n"), Err(ControlError::Missing { key: "Blocksize" })));
    assert!(matches!(read("zsync: 1\nno pair\n"), Err(ControlError::Line { line: 2, .. })));
    for line in ["URL: x\x1b[2J", "URL: \u{9b}1m", "Z-URL: a\rb", "zsync: 1\x07", "Safe: a\tb", "\x1b: x"] {
        let refused = read(&format!("{good}{line}\n"));
        let what = "has a control character";
        assert!(matches!(refused, Err(ControlError::Line { line: 4, what: found }) if found == what), "{line:?}");
    }
    let long = format!("{good}URL: {}\n", "x".repeat(10_000));
    assert!(matches!(read(&long), Err(ControlError::Line { line: 4, .. })));
}

/// Other clients go on. So does this one where a hash of the whole will tell.
#[test]
fn what_does_no_harm_is_ignored() {
    let target = corpus::text(1, 5000);
    let sha1 = gosync_zsync::FileDigest::sha1(&target, &|| false).unwrap();
    let read = |lines: &[u8], with_hash: bool, behind: usize| {
        let hash = if with_hash { format!("SHA-1: {sha1}\n") } else { String::new() };
        let bytes = control_bytes(&target, 1024, (2, 3, 7), &hash);
        let first = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        Control::read(&[&bytes[..first], lines, &bytes[first..], &vec![b'\n'; behind]].concat())
    };
    for (lines, behind, name, urls) in [
        (&b"Filename: linux-unsigned/new\n"[..], 0, Some("new"), &[][..]),
        (b"Filename: /build/new\n", 0, Some("new"), &[]),
        (b"Filename: ..\\..\\new.exe\n", 0, Some("new.exe"), &[]),
        (b"Filename: build/..\n", 0, None, &[]),
        (b"Filename: C:new\n", 0, None, &[]),
        (b"Filename: new\x1b[2J\n", 0, None, &[]),
        (b"Filename: caf\xe9.img\n", 0, Some("caf\u{e9}.img"), &[]),
        (b"MTime: Di, 14 M\xe4r 2023 22:13:20 +0000\n", 0, None, &[]),
        (b"URL: caf\xe9.img\n", 0, None, &["caf%E9.img"]),
        (b"URL: a\nURL: b\x1b[2J\n", 0, None, &["a"]),
        (b"Producer: pyzsync 1.2.2\n", 0, None, &[]),
        (b"Signature: \x07\n", 0, None, &[]),
        (b"File-Hash: BLAKE3:00\n", 0, None, &[]),
        (b"SHA-256: 00\n", 0, None, &[]),
        (b"", 1, None, &[]),
        (b"", 9, None, &[]),
        (b"", 5000, None, &[]),
    ] {
        let (text, control) = (String::from_utf8_lossy(lines), read(lines, true, behind));
        let control = control.unwrap_or_else(|error| panic!("{text}, {behind}: {error}"));
        assert_eq!(control.ignored.len(), 1, "{text}, {behind}: {:?}", control.ignored);
        assert_eq!(control.file_name.as_ref().map(|name| name.as_str()), name, "{text}");
        assert_eq!(control.urls, urls, "{text}");
        assert!(read(lines, false, behind).is_err(), "{text}, {behind}: nothing tells whether the result is right");
    }
    // What cannot be understood without is no matter of taste.
    for lines in
        [&b"Hash-Lengths: 2,3,7\x07\n"[..], b"Blocksize: 2048\xe9\n", b"Strong-Hash-Algorithm: CRC\n", b"no pair\n"]
    {
        assert!(read(lines, true, 0).is_err(), "{}", String::from_utf8_lossy(lines));
    }
}

/// As the pyzsync of PyPI writes it.
#[test]
fn a_line_with_sha_256() {
    let digest = gosync_zsync::FileDigest::sha256(&Vec::new(), &|| false).unwrap();
    let control = read(&format!("zsync: 0.6.2\nProducer: x\nBlocksize: 2048\nLength: 0\nSHA-256: {digest}\n")).unwrap();
    assert_eq!((control.digests, control.ignored.len()), (vec![digest], 1));
}

/// Counts are worth nothing until so many bytes are there.
#[test]
fn declared_counts_reserve_nothing() {
    for header in [
        "zsync: 0.6.2\nBlocksize: 1\nLength: 4294967295\n",
        "zsync: 0.6.2\nBlocksize: 16777216\nLength: 36028797018963967\n",
        "zsync: 0.6.2\nBlocksize: 2048\nLength: 1\nZ-Map2: 4611686018427387904\n",
        "zsync: 0.6.2\nBlocksize: 2048\nLength: 1\nZ-Map2: 18446744073709551615\n",
    ] {
        assert!(matches!(read(header), Err(ControlError::Truncated { .. })), "{header}");
    }
    assert!(matches!(read("zsync: 1\nBlocksize: 1\nLength: 18446744073709551615\n"), Err(ControlError::Layout(_))));
}
