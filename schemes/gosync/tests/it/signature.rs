//! Keys and signatures that Debian's minisign 0.11 made, in `tests/vectors`.
//!
//! `minisign -G -W` made the keys, which are for these tests only, and `-C` encrypted one
//! with the word `password`, in a shell that allowed 150 MB, so that it asks for less of
//! scrypt. `-S -t 'a comment  '` and `-S -l` signed [`FOX`].

use std::fs;

use gosync::signing::{KeyError, PublicKey, SigningError};

use crate::golden::FOX;
use crate::root;

fn vector(name: &str) -> String {
    fs::read_to_string(root().join("schemes/gosync/tests/vectors").join(name)).unwrap()
}

fn key() -> PublicKey {
    vector("minisign.pub").parse().unwrap()
}

#[test]
fn both_kinds_verify() {
    let key = key();
    assert_eq!(key.id().to_string(), "E8EF09E556CFA096");
    assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key, "base64 alone will do");
    let prehashed = vector("minisign.prehashed.minisig");
    let comment = key.verify(FOX, &prehashed, "there").unwrap();
    assert_eq!(comment.as_str(), "a comment  ", "spaces were signed too");
    let windows = prehashed.replace('\n', "\r\n");
    assert_eq!(key.verify(FOX, &windows, "there").unwrap(), comment);
    let comment = key.verify(FOX, &vector("minisign.legacy.minisig"), "there").unwrap();
    assert_eq!(comment.to_string(), "timestamp:1795246025 file:fox");
}

/// Everything but the first line counts: whatever character is changed or left out.
#[test]
fn no_change_goes_unnoticed() {
    let key = key();
    for name in ["minisign.prehashed.minisig", "minisign.legacy.minisig"] {
        let good = vector(name);
        let start = good.find('\n').unwrap() + 1;
        for at in start..good.len() - 1 {
            for instead in ["", "A", "b", "=", " ", "\n"] {
                let text = [&good[..at], instead, &good[at + 1..]].concat();
                if text != good {
                    assert!(key.verify(FOX, &text, "there").is_err(), "{instead:?} at {at} of {name}");
                }
            }
        }
        for end in 0..good.len() - 1 {
            assert!(key.verify(FOX, &good[..end], "there").is_err(), "{end}");
        }
        for len in 0..FOX.len() {
            assert!(matches!(key.verify(&FOX[..len], &good, "there"), Err(SigningError::Wrong { .. })), "{len}");
        }
    }
}

#[test]
fn what_is_wrong_is_told() {
    let good = vector("minisign.prehashed.minisig");
    let lines: Vec<&str> = good.lines().collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n")
    };
    let cases = [
        (String::new(), "cut off"),
        ("<html>\n<p>\n</p>\n</html>\n".into(), "comment is missing"),
        (good.replace("trusted comment: a", "a"), "comment is missing"),
        (with(1, "RUSW"), "another length"),
        (with(1, &lines[1].replace("RUS", "RVS")), "not Ed25519"),
        (with(3, "AAAA"), "signature of the comment has another length"),
        (format!("{good}more"), "something follows"),
        (with(1, &lines[1].replace("RUSWoM", "RUSXoM")), "made with key E8EF09E556CFA097, not with E8EF09E556CFA096"),
        (with(1, &lines[1].replace("RUS", "RWS")), "does not hold"),
        (with(2, "trusted comment: a comment"), "does not hold"),
    ];
    for (text, words) in cases {
        let error = key().verify(FOX, &text, "there").unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("there"), "{words:?} is not in {error:?}");
    }
    let another = vector("minisign.pub").replace("RWSW", "RWAW");
    for text in ["", "RWSW", "untrusted comment: x\n", &another.replace("RWA", "RXS"), &vector("minisign.key")] {
        assert!(matches!(text.parse::<PublicKey>(), Err(KeyError::Malformed { .. })), "{text:?}");
    }
}

#[cfg(feature = "sign")]
#[test]
fn secret_keys_sign() {
    use std::io;

    use gosync::signing::SecretKey;

    let unasked = || -> io::Result<String> { panic!("it is not encrypted") };
    let plain = SecretKey::parse(&vector("minisign.key"), unasked).unwrap();
    let encrypted = vector("minisign.encrypted.key");
    let decrypted = SecretKey::parse(&encrypted, || Ok("password".into())).unwrap();
    for secret in [plain, decrypted] {
        assert_eq!(secret.public_key().unwrap(), key());
        assert!(!format!("{secret:?}").contains("key:"));
        let signature = secret.sign(FOX, " two\nlines,\ta tab ").unwrap();
        assert_eq!(key().verify(FOX, &signature, "there").unwrap().as_str(), "two lines,\ta tab");
    }

    let parse = |text: &str, password: io::Result<String>| SecretKey::parse(text, || password).unwrap_err();
    assert!(matches!(parse(&encrypted, Ok("passwort".into())), KeyError::WrongPassword));
    let nobody = Err(io::ErrorKind::NotConnected.into());
    assert!(matches!(parse(&encrypted, nobody), KeyError::NoPassword(_)));
    let damaged = vector("minisign.key").replace("lqDPVuUJ7+glrgQA", "lqDPVuUJ7+glrgQB");
    assert!(matches!(parse(&damaged, Ok(String::new())), KeyError::Unusable(_)));
    // Eight of the bytes that say how much memory decrypting is to take.
    let hungry = encrypted.replace("AEAAAAAAAAAAAAgAAAAA", "AEAAAAAAAAAAAAgA/wAA");
    assert_ne!(hungry, encrypted);
    assert!(matches!(parse(&hungry, Ok("password".into())), KeyError::Unusable(_)));
    for text in ["", "RWQA", &vector("minisign.pub"), &encrypted.replace("RWRTY0", "RWRTZ0")] {
        assert!(matches!(parse(text, Ok(String::new())), KeyError::Malformed { .. }), "{text:?}");
    }
}
