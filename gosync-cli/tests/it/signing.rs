//! Signed indexes, with the real minisign on the other side.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use gosync_testkit::hostile::{Say, Scripted};
use gosync_testkit::{corpus, peers};

use crate::support::{Run, Scratch};

const PASSWORD: &str = "password";

/// A file of the vectors that the library is tested with.
fn vector(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../schemes/gosync/tests/vectors", name].iter().collect()
}

/// `new` and `old`, and the keys of the vectors.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let target = corpus::text(1, 300_000);
    scratch.write("new", &target);
    scratch.write("old", &target[..200_000]);
    for name in ["minisign.pub", "minisign.key", "minisign.encrypted.key"] {
        fs::copy(vector(name), scratch.path(name)).unwrap();
    }
    scratch
}

/// Runs minisign; `None` where there is none.
fn minisign(scratch: &Scratch, args: &[&str]) -> Option<Run> {
    let mut command = Command::new(peers::require("minisign")?);
    command.args(args).current_dir(scratch.path("")).stdin(Stdio::null());
    Some(Run::of(command))
}

fn succeed(run: &Run) {
    assert_eq!(run.code, 0, "{}{}", String::from_utf8_lossy(&run.stdout), run.stderr);
}

#[test]
fn minisign_verifies_ours() {
    let scratch = scratch();
    let args = ["-G", "-W", "-p", "p", "-s", "s"];
    let Some(made) = minisign(&scratch, &args) else { return };
    succeed(&made);
    let event = scratch.json(&["build", "new", "--sign", "s"]);
    assert_eq!(event["signature"], "new.gosync.minisig");
    succeed(&scratch.run(&["inspect", "new.gosync", "--signed-part", "header"]));
    let verify = ["-V", "-m", "header", "-x", "new.gosync.minisig", "-p", "p"];
    let verified = minisign(&scratch, &verify).unwrap();
    succeed(&verified);
    assert!(String::from_utf8_lossy(&verified.stdout).contains("file:new.gosync\t"));
    let header = scratch.read("header");
    assert!(scratch.read("new.gosync").starts_with(&header) && header.len() < 1000);
    scratch.write("header", &[header.as_slice(), b"\0"].concat());
    assert_ne!(minisign(&scratch, &verify).unwrap().code, 0);
}

#[test]
fn minisigns_are_verified() {
    let scratch = scratch();
    let key = fs::read_to_string(scratch.path("minisign.pub")).unwrap();
    let base64 = key.lines().nth(1).unwrap();
    for legacy in [&[][..], &["-l"]] {
        succeed(&scratch.run(&["build", "new"]));
        succeed(&scratch.run(&["inspect", "new.gosync", "--signed-part", "header"]));
        let sign = ["-S", "-s", "minisign.key", "-m", "header", "-x", "new.gosync.minisig", "-t", "for you"];
        let Some(signed) = minisign(&scratch, &[&sign, legacy].concat()) else { return };
        succeed(&signed);
        for key in ["minisign.pub", base64] {
            let event = scratch.json(&["inspect", "new.gosync", "--public-key", key]);
            assert_eq!(
                (&event["signed_by"], &event["trusted_comment"]),
                (&"E8EF09E556CFA096".into(), &"for you".into())
            );
            scratch.json(&["patch", "old", "new.gosync", "--public-key", key, "-o", "out"]);
            assert_eq!(scratch.read("out"), scratch.read("new"));
        }
    }
}

#[test]
fn every_command_checks_and_counts() {
    let scratch = scratch();
    succeed(&scratch.run(&["build", "new", "--sign", "minisign.key"]));
    let server = scratch.serve();
    let url = format!("{}/new.gosync", server.url);
    let size = |name: &str| fs::metadata(scratch.path(name)).unwrap().len();
    for index in ["new.gosync", &url] {
        let commands = [&["diff", "old", index][..], &["patch", "old", index, "-o", "out"], &["verify", "new", index]];
        for command in commands {
            let plain = scratch.json(command);
            let event = scratch.json(&[command, &["--public-key", "minisign.pub"]].concat());
            if let Some(bytes) = event["index_bytes"].as_u64() {
                assert_eq!(bytes, size("new.gosync") + size("new.gosync.minisig"), "{command:?}");
                assert_eq!(plain["index_bytes"], size("new.gosync"));
            }
            if let Some(requests) = event["requests"].as_u64() {
                assert_eq!(requests, plain["requests"].as_u64().unwrap() + u64::from(index == url));
            }
        }
    }
    let loud = scratch.run(&["verify", "new", &url, "--public-key", "minisign.pub", "-v"]);
    assert!(loud.stderr.contains("signed with key E8EF09E556CFA096: timestamp:"), "{}", loud.stderr);
}

/// Puts something wrong beside the good index `new.gosync`, or in its place.
type Forgery = fn(&Scratch);

const FORGERIES: [(&str, Forgery); 9] = [
    ("there is no signature at", |scratch| fs::remove_file(scratch.path("new.gosync.minisig")).unwrap()),
    ("it is cut off", |scratch| _ = scratch.write("new.gosync.minisig", b"")),
    ("it is cut off", |scratch| {
        // Without the signature of the comment.
        let text = String::from_utf8(scratch.read("new.gosync.minisig")).unwrap();
        let lines: Vec<&str> = text.lines().take(3).collect();
        scratch.write("new.gosync.minisig", lines.join("\n").as_bytes());
    }),
    ("it is too long", |scratch| _ = scratch.write("new.gosync.minisig", &vec![b'x'; 1 << 20])),
    ("does not hold", |scratch| {
        let text = String::from_utf8(scratch.read("new.gosync.minisig")).unwrap();
        scratch.write("new.gosync.minisig", text.replace("file:new", "file:old").as_bytes());
    }),
    ("made with key E8EF09E556CFA097, not with E8EF09E556CFA096", |scratch| {
        let text = String::from_utf8(scratch.read("new.gosync.minisig")).unwrap();
        scratch.write("new.gosync.minisig", text.replace("RUSWoM", "RUSXoM").as_bytes());
    }),
    ("does not hold", |scratch| {
        // Everything in the index fits again, but it is not what was signed.
        let index = scratch.read("new.gosync");
        let mut forged = index.clone();
        let head = header_len(scratch) - 32;
        let name = forged.windows(3).position(|bytes| bytes == b"new").unwrap();
        forged[name] = b'N';
        let checksum = blake3::hash(&forged[..head]);
        forged[head..head + 32].copy_from_slice(checksum.as_bytes());
        assert_ne!(forged, index);
        scratch.write("new.gosync", &forged);
        succeed(&scratch.run(&["inspect", "new.gosync"]));
    }),
    ("does not hold", |scratch| {
        // A good index with a good signature, each of another version.
        scratch.write("old.gosync.kept", &scratch.read("new.gosync.minisig"));
        succeed(&scratch.run(&["build", "old", "-o", "new.gosync", "--sign", "minisign.key"]));
        fs::rename(scratch.path("old.gosync.kept"), scratch.path("new.gosync.minisig")).unwrap();
    }),
    ("cannot be signed", |scratch| succeed(&scratch.run(&["build", "new", "--format", "go-sync"]))),
];

fn header_len(scratch: &Scratch) -> usize {
    succeed(&scratch.run(&["inspect", "new.gosync", "--signed-part", "header"]));
    scratch.read("header").len()
}

#[test]
fn forgeries_are_refused() {
    for (words, forge) in FORGERIES {
        let scratch = scratch();
        succeed(&scratch.run(&["build", "new", "--sign", "minisign.key"]));
        forge(&scratch);
        let server = scratch.serve();
        let url = format!("{}/new.gosync", server.url);
        let key = ["--public-key", "minisign.pub"];
        for command in [&["patch", "old", "new.gosync"][..], &["patch", "old", &url], &["inspect", &url]] {
            let run = scratch.run(&[command, &key].concat());
            run.assert_failed(3, words);
            assert!(run.stderr.contains("new.gosync is not to be trusted"), "{}", run.stderr);
        }
        scratch.run(&[&["diff", "old", "new.gosync"][..], &key].concat()).assert_failed(3, words);
        scratch.run(&[&["verify", "old", "new.gosync"][..], &key].concat()).assert_failed(3, words);
        assert_eq!(scratch.read("old").len(), 200_000, "nothing was replaced");
        assert!(!scratch.names().iter().any(|name| name.contains("gosync-part")));
    }
}

#[test]
fn a_signature_that_is_kept_back_is_not_one_that_is_missing() {
    let scratch = scratch();
    succeed(&scratch.run(&["build", "new", "--sign", "minisign.key"]));
    let index = scratch.read("new.gosync");
    for (status, code, words) in [
        ("404 Not Found", 3, "there is no signature at"),
        ("403 Forbidden", 4, "is denied: status 403 Forbidden, which some servers also say of what is not there"),
        ("401 Unauthorized", 4, "is denied: status 401"),
        ("405 Method Not Allowed", 4, "does not deliver: status 405"),
        ("503 Service Unavailable", 4, "has no time: status 503"),
    ] {
        let index = index.clone();
        let server = Scripted::start(move |asked| match asked.path.ends_with(".minisig") {
            true => Say::plain(status, "", b""),
            false => Say::proper(asked, &index),
        });
        let url = format!("http://{}/new.gosync", server.address());
        let run = scratch.run(&["patch", "old", &url, "--public-key", "minisign.pub", "--retries", "0"]);
        run.assert_failed(code, words);
        assert!(run.stderr.contains("new.gosync.minisig"), "{}", run.stderr);
        assert_eq!(scratch.read("old").len(), 200_000, "nothing was replaced");
    }
}

#[test]
fn keys_and_passwords() {
    let scratch = scratch();
    let build = |more: &[&str], password: Option<&str>| {
        let mut command = scratch.command(&[&["build", "new", "--quiet"], more].concat());
        command.env_remove("GOSYNC_KEY_PASSWORD").envs(password.map(|word| ("GOSYNC_KEY_PASSWORD", word)));
        Run::of(command)
    };
    let encrypted = ["--sign", "minisign.encrypted.key"];
    build(&encrypted, None).assert_failed(1, "hint: give --key-password-file, or set GOSYNC_KEY_PASSWORD");
    build(&encrypted, Some("guess")).assert_failed(1, "the password is wrong");
    build(&["--sign", "absent"], None).assert_failed(1, "cannot read absent");
    build(&["--sign", "minisign.pub"], None).assert_failed(1, "no secret key");
    build(&["--sign", "minisign.key", "--format", "go-sync"], None).assert_failed(2, "no header");
    assert!(!scratch.path("new.gosync").exists(), "nothing is built before the key is there");

    succeed(&build(&encrypted, Some(PASSWORD)));
    scratch.write("word", format!("{PASSWORD}\r\n").as_bytes());
    succeed(&build(&[&encrypted[..], &["--key-password-file", "word"]].concat(), Some("not looked at")));
    succeed(&scratch.run(&["inspect", "new.gosync", "--public-key", "minisign.pub"]));
    scratch.run(&["inspect", "new.gosync", "--public-key", "absent"]).assert_failed(1, "cannot read absent");
    scratch.run(&["inspect", "new.gosync", "--public-key", "minisign.key"]).assert_failed(1, "no public key");

    let unsigned = scratch.run(&["build", "new"]);
    assert!(unsigned.stderr.contains("warning: new.gosync.minisig is of an earlier index"), "{}", unsigned.stderr);
}
