//! Publications: versions laid out by the command, and followed by way of a pointer.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use gosync::pointer::Pointer;
use gosync_testkit::corpus;
use serde_json::Value;

use crate::support::{Run, Scratch, names};

const POINTER: &str = "pub/app.img.gosync-latest";

/// `app.img` in two versions, and `old`, which is much like the first.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let first = corpus::text(1, 300_000);
    scratch.write("1/app.img", &first);
    scratch.write("2/app.img", &[&first[..200_000], b"inserted", &first[200_000..]].concat());
    scratch.write("3/app.img", &[&first[..100_000], b"something else", &first[100_000..]].concat());
    scratch.write("old", &[&first[..150_000], b"differs", &first[150_007..]].concat());
    scratch
}

fn publish(scratch: &Scratch, version: u32, more: &[&str]) -> Value {
    scratch.json(&[&["publish", &format!("{version}/app.img"), "--to", "pub"], more].concat())
}

fn target(scratch: &Scratch, version: u32) -> Vec<u8> {
    scratch.read(&format!("{version}/app.img"))
}

/// Puts another pointer in the place of the one that is there.
fn alter(scratch: &Scratch, alter: impl FnOnce(&mut Pointer)) {
    let (mut pointer, _) = Pointer::read(&scratch.read(POINTER)).unwrap();
    alter(&mut pointer);
    scratch.write(POINTER, &pointer.encode());
}

#[test]
fn the_newest_version_is_found_and_nothing_new_costs_one_request() {
    for compress in [&[][..], &["--compress"]] {
        let scratch = scratch();
        let made = publish(&scratch, 1, compress);
        assert_eq!((&made["serial"], &made["name"]), (&1.into(), &"app.img".into()));
        let server = scratch.serve();
        let pointer = format!("{}/{POINTER}", server.url);
        let done = scratch.json(&["patch", "old", &pointer]);
        assert_eq!(done["changed"], true);
        assert!(scratch.read("old") == target(&scratch, 1));

        let again = scratch.json(&["patch", "old", &pointer]);
        assert_eq!((&again["changed"], &again["requests"]), (&false.into(), &1.into()), "{again}");
        assert_eq!(again["index_bytes"], scratch.read(POINTER).len());
        assert!(scratch.read(POINTER).len() < 1000);

        assert_eq!(publish(&scratch, 2, compress)["changed"], true);
        let again = publish(&scratch, 2, compress);
        assert_eq!((&again["changed"], &again["serial"]), (&false.into(), &2.into()));
        let diff = scratch.json(&["diff", "old", &pointer]);
        assert!(diff["missing_bytes"].as_u64().unwrap() < 10_000, "{diff}");
        scratch.run(&["verify", "old", &pointer]).assert_failed(3, "");
        assert_eq!(scratch.json(&["patch", "old", &pointer])["changed"], true);
        assert!(scratch.read("old") == target(&scratch, 2));
        assert_eq!(scratch.json(&["verify", "old", &pointer])["ok"], true);
        let told = scratch.json(&["inspect", &pointer]);
        assert_eq!((&told["pointer"]["serial"], &told["target_bytes"]), (&2.into(), &300_008.into()));

        // What was changed here is put right, though nothing is new.
        scratch.write("old", &target(&scratch, 1));
        let done = scratch.json(&["patch", "old", &pointer]);
        assert!(done["changed"] == true && scratch.read("old") == target(&scratch, 2));
        // The version before is still there for those who go to it without the pointer.
        let index = made["index"].as_str().unwrap();
        let done = scratch.json(&["patch", "old", &format!("{}/{index}", server.url), "-o", "first"]);
        assert!(done["changed"] == true && scratch.read("first") == target(&scratch, 1));
    }
}

#[test]
fn old_versions_go_and_nothing_else_does() {
    let scratch = scratch();
    scratch.write("pub/app.img-1-0123456789abcdef.gosync-content", b"not ours");
    scratch.write("pub/other-1-0123456789abcdef.gosync", b"not ours");
    let versions: Vec<Value> = (1..=3).map(|version| publish(&scratch, version, &["--keep", "2"])).collect();
    let files = |version: usize| -> Vec<String> {
        let files = versions[version - 1]["files"].as_array().unwrap();
        files.iter().map(|file| file.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(versions[1]["removed"], serde_json::json!([]));
    assert_eq!(versions[2]["removed"], versions[0]["files"]);
    // A pointer from before that a cache still has.
    let newest = scratch.read(POINTER);
    alter(&scratch, |pointer| {
        (pointer.serial, pointer.index) = (1, gosync::publish::TargetName::new(&*files(1)[1]).unwrap());
    });
    let server = scratch.serve();
    for pointer in [POINTER.to_owned(), format!("{}/{POINTER}", server.url)] {
        let run = scratch.run(&["patch", "old", &pointer]);
        run.assert_failed(if pointer == POINTER { 1 } else { 4 }, "hint: the pointer leads to version 1 of ");
    }
    scratch.write(POINTER, &newest);
    let mut expected = [files(2), files(3)].concat();
    expected.extend(
        [
            ".app.img.gosync-lock",
            "app.img-1-0123456789abcdef.gosync-content",
            "app.img.gosync-latest",
            "app.img.gosync-versions",
            "other-1-0123456789abcdef.gosync",
        ]
        .map(str::to_owned),
    );
    expected.sort();
    assert_eq!(names(&scratch.path("pub")), expected);

    // What a list says that was not written so is believed in nothing.
    let list = String::from_utf8(scratch.read("pub/app.img.gosync-versions")).unwrap();
    scratch.write("pub/app.img.gosync-versions", format!("{list}9\t../../old\n").as_bytes());
    let run = scratch.run(&["publish", "1/app.img", "--to", "pub", "--keep", "1"]);
    run.assert_failed(3, "is no list of versions");
    assert!(scratch.path("old").exists() && names(&scratch.path("pub")) == expected);
}

#[test]
fn nobody_brings_an_old_version_back() {
    let scratch = scratch();
    publish(&scratch, 1, &[]);
    let first = scratch.read(POINTER);
    publish(&scratch, 2, &[]);
    let second = scratch.read(POINTER);
    scratch.json(&["patch", "old", POINTER]);
    assert!(scratch.path(".old.gosync-seen").exists());
    scratch.write(POINTER, &first);
    for command in [&["patch", "old", POINTER][..], &["diff", "old", POINTER], &["verify", "old", POINTER]] {
        let run = scratch.run(command);
        run.assert_failed(3, "it is version 1, but version 2 was here before, as ");
        assert!(run.stderr.contains(".old.gosync-seen says") && run.stderr.contains("hint: nothing was replaced"));
    }
    // Neither by another output nor by a file that is gone.
    scratch.run(&["patch", "old", POINTER, "-o", "other"]).assert_failed(3, "version 2 was here before");
    fs::remove_file(scratch.path("old")).unwrap();
    scratch.run(&["patch", "old", POINTER]).assert_failed(3, "version 2 was here before");
    // Who never saw it cannot know.
    assert_eq!(scratch.json(&["patch", "fresh", POINTER])["changed"], true);
    // Another version 2 is none.
    scratch.write(POINTER, &second);
    alter(&scratch, |pointer| pointer.published_at -= 1);
    scratch.run(&["patch", "old", POINTER]).assert_failed(3, "not the version 2 that was here before");
    // And with that file removed, it begins anew.
    fs::remove_file(scratch.path(".old.gosync-seen")).unwrap();
    assert_eq!(scratch.json(&["patch", "old", POINTER])["changed"], true);
    // What is written down and damaged is not taken for nothing.
    scratch.write(".old.gosync-seen", b"damaged");
    scratch.run(&["patch", "old", POINTER]).assert_failed(3, ".old.gosync-seen is not a pointer");
}

#[test]
fn what_expired_is_refused_unless_asked_for() {
    let scratch = scratch();
    assert_eq!(publish(&scratch, 1, &[])["expires_at"], Value::Null);
    let made = publish(&scratch, 1, &["--expires", "2d"]);
    let times = ["expires_at", "published_at"].map(|time| made[time].as_u64().unwrap());
    assert_eq!(times[0] - times[1], 2 * 24 * 60 * 60);
    scratch.json(&["verify", "1/app.img", POINTER]);
    alter(&scratch, |pointer| (pointer.published_at, pointer.expires_at) = (1000, Some(1_000_000_000)));
    let run = scratch.run(&["patch", "old", POINTER]);
    run.assert_failed(3, "it expired at 2001-09-09 01:46 UTC");
    assert!(run.stderr.contains("hint: nothing was replaced") && run.stderr.contains("--allow-expired"));
    let run = scratch.run(&["patch", "old", POINTER, "--allow-expired"]);
    assert!(
        run.code == 0 && run.stderr.contains("warning: ") && run.stderr.contains("it expired at"),
        "{}",
        run.stderr
    );
    assert!(scratch.read("old") == target(&scratch, 1));
    let run = scratch.run(&["publish", "1/app.img", "--to", "pub", "--expires", "2020-01-01"]);
    run.assert_failed(2, "expire before it is published");
    scratch.run(&["publish", "1/app.img", "--to", "pub", "--expires", "soon"]).assert_failed(2, "not a time");
}

#[test]
fn a_signed_pointer_vouches_for_all() {
    let scratch = scratch();
    for name in ["minisign.pub", "minisign.key"] {
        let vector: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../schemes/gosync/tests/vectors", name].iter().collect();
        fs::copy(vector, scratch.path(name)).unwrap();
    }
    let key = ["--public-key", "minisign.pub"];
    publish(&scratch, 1, &[]);
    let patch = |more: &[&str]| scratch.run(&[&["patch", "old", POINTER], &key[..], more].concat());
    patch(&[]).assert_failed(3, "has no signature");
    let made = publish(&scratch, 2, &["--sign", "minisign.key"]);
    assert!(scratch.read(POINTER).len() < 1000);
    // It is signed already, and is not to lose that unnoticed: a run without the key is a new version.
    assert_eq!(publish(&scratch, 2, &["--sign", "minisign.key"])["changed"], false);
    assert_eq!(publish(&scratch, 2, &[])["changed"], true);
    let made_again = publish(&scratch, 2, &["--sign", "minisign.key"]);
    assert_eq!((&made_again["changed"], &made_again["files"][0]), (&true.into(), &made["files"][0]));
    let made = made_again;
    let index = made["index"].as_str().unwrap();
    scratch.json(&[&["inspect", index], &key[..]].concat());

    let server = scratch.serve();
    let url = format!("{}/{POINTER}", server.url);
    let done = scratch.json(&[&["patch", "old", &url], &key[..]].concat());
    assert!(done["changed"] == true && scratch.read("old") == target(&scratch, 2));
    let again = scratch.json(&[&["patch", "old", &url], &key[..]].concat());
    assert_eq!((&again["changed"], &again["requests"]), (&false.into(), &1.into()), "the signature is in it");
    let told = scratch.json(&[&["inspect", POINTER], &key[..]].concat());
    assert_eq!(told["signed_by"], "E8EF09E556CFA096");

    // What minisign verifies: the pointer, and what follows it.
    assert_eq!(scratch.run(&["inspect", POINTER, "--signed-part", "part"]).code, 0);
    let (part, signature) = (scratch.read("part"), scratch.read("part.minisig"));
    assert!([part.clone(), signature.clone()].concat() == scratch.read(POINTER));
    if let Some(minisign) = gosync_testkit::peers::require("minisign") {
        let mut verify = std::process::Command::new(minisign);
        verify.args(["-V", "-m", "part", "-p", "minisign.pub"]).current_dir(scratch.path(""));
        let run = Run::of(verify);
        assert_eq!(run.code, 0, "{}{}", String::from_utf8_lossy(&run.stdout), run.stderr);
    }

    // Nobody changes anything in it, be it the number or the time.
    let good = scratch.read(POINTER);
    for change in [
        (|pointer| pointer.serial = 9) as fn(&mut Pointer),
        |pointer| pointer.expires_at = Some(u64::MAX),
        |pointer| pointer.head = [0; 32],
    ] {
        let (mut pointer, _) = Pointer::read(&good).unwrap();
        change(&mut pointer);
        scratch.write(POINTER, &[pointer.encode(), signature.clone()].concat());
        patch(&[]).assert_failed(3, "does not hold");
    }
    // A good pointer of another name, by the same key.
    let other = ["publish", "1/app.img", "--name", "other", "--to", "pub", "--sign", "minisign.key"];
    scratch.json(&other);
    scratch.write(POINTER, &scratch.read("pub/other.gosync-latest"));
    patch(&[]).assert_failed(3, "it points to \"other\", and \"app.img\" was asked for");
    // An index that is not the one.
    scratch.write(POINTER, &good);
    let first = scratch.json(&["build", "1/app.img", "-o", "x.gosync"])["index"].as_str().unwrap().to_owned();
    scratch.write(index, &scratch.read(&first));
    fs::remove_file(scratch.path(".old.gosync-seen")).unwrap();
    patch(&[]).assert_failed(3, "is not the one that it points to");
}

#[test]
fn one_publisher_at_a_time() {
    let scratch = scratch();
    publish(&scratch, 1, &[]);
    let lock = File::options().write(true).open(scratch.path("pub/.app.img.gosync-lock")).unwrap();
    lock.try_lock().unwrap();
    let before = names(&scratch.path("pub"));
    let run = scratch.run(&["publish", "2/app.img", "--to", "pub"]);
    run.assert_failed(1, "pub is being published to by another process");
    assert_eq!(names(&scratch.path("pub")), before);
    // Another name is another publication.
    scratch.json(&["publish", "2/app.img", "--to", "pub", "--name", "other"]);
    drop(lock);
    assert_eq!(publish(&scratch, 2, &[])["serial"], 2);
}

#[test]
fn a_publisher_that_is_killed_leaves_what_was_there() {
    let scratch = scratch();
    let large = corpus::random(1, 8 << 20);
    publish(&scratch, 1, &["--keep", "1"]);
    let mut last = target(&scratch, 1);
    for attempt in 0..12 {
        scratch.write("next/app.img", &large[attempt..]);
        let mut command = scratch.command(&["publish", "next/app.img", "--to", "pub", "--keep", "1", "--quiet"]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(attempt as u64 * attempt as u64));
        // One that has ended cannot be killed.
        let _ = child.kill();
        child.wait().unwrap();
        let _ = fs::remove_file(scratch.path("out"));
        scratch.json(&["patch", "out", POINTER]);
        let made = scratch.read("out");
        assert!(made == last || made == large[attempt..], "after attempt {attempt}");
        last = made;
    }
    let made = publish(&scratch, 2, &["--keep", "1"]);
    let mut expected: Vec<String> =
        made["files"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    expected.extend([".app.img.gosync-lock", "app.img.gosync-latest", "app.img.gosync-versions"].map(str::to_owned));
    expected.sort();
    assert_eq!(names(&scratch.path("pub")), expected, "nothing of the attempts is left");
    scratch.json(&["patch", "out", POINTER]);
    assert!(scratch.read("out") == target(&scratch, 2));
}

#[test]
fn hostile_pointers_are_refused() {
    let scratch = scratch();
    publish(&scratch, 1, &[]);
    let good = scratch.read(POINTER);
    let server = scratch.serve();
    let url = format!("{}/{POINTER}", server.url);
    let endless = [&good[..], &vec![b'x'; 1 << 20]].concat();
    let translated = [&good[..7], b"\r\n", &good[8..]].concat();
    let flipped = [&good[..30], &[good[30] ^ 1], &good[31..]].concat();
    for (bytes, words) in [
        (&good[..20], "it is cut off"),
        (&endless, "it is too long"),
        (&translated, "line ends"),
        (&flipped, "checksum does not hold"),
    ] {
        scratch.write(POINTER, bytes);
        for pointer in [POINTER, &url] {
            scratch.run(&["patch", "old", pointer]).assert_failed(3, words);
            scratch.run(&["inspect", pointer]).assert_failed(3, words);
        }
    }
    let run = scratch.run(&["publish", "2/app.img", "--to", "pub"]);
    run.assert_failed(3, "app.img.gosync-latest is no pointer");
    fs::remove_file(scratch.path(POINTER)).unwrap();
    scratch.run(&["patch", "old", &url]).assert_failed(4, "cannot find");
}

#[test]
fn caches_are_told_what_to_keep() {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    let scratch = scratch();
    let made = publish(&scratch, 1, &[]);
    let server = scratch.serve();
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
        write!(stream, "HEAD /pub/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.to_lowercase()
    };
    for name in made["files"].as_array().unwrap() {
        let answer = ask(name.as_str().unwrap());
        assert!(answer.contains("\r\ncache-control: public, max-age=31536000, immutable\r\n"), "{answer}");
    }
    assert!(ask("app.img.gosync-latest").contains("\r\ncache-control: no-cache\r\n"));
    assert!(ask(".app.img.gosync-lock").starts_with("http/1.1 404"));
}

#[test]
fn names_and_places_that_cannot_be() {
    let scratch = scratch();
    let publish = |more: &[&str]| scratch.run(&[&["publish", "1/app.img"], more].concat());
    for name in ["a/b", "..", "", "a\nb"] {
        publish(&["--to", "pub", "--name", name]).assert_failed(2, "cannot be published under that name");
    }
    publish(&["--to", "pub", "--name", &"n".repeat(200)]).assert_failed(2, "longer than 180 bytes");
    publish(&["--to", "none/pub"]).assert_failed(1, "none/pub");
    publish(&["--to", "https://example.org/pub"]).assert_failed(2, "cannot be written to");
    publish(&["--to", "old"]).assert_failed(1, "old");
    publish(&["--to", "pub", "--exclude", "x"]).assert_failed(2, "is for directories");
    scratch.run(&["publish", "none", "--to", "pub"]).assert_failed(1, "cannot read none");
    assert!(!scratch.path("pub/none.gosync-latest").exists());
}

#[cfg(unix)]
#[test]
fn directories_have_pointers_too() {
    let scratch = Scratch::new();
    for number in 0..20u32 {
        scratch.write(&format!("site/pages/{number}.html"), &corpus::text(number.into(), 3000));
    }
    let run = scratch.run(&["publish", "site", "--to", "site/pub"]);
    run.assert_failed(2, "is in the directory that is published");
    scratch.run(&["publish", "site", "--to", "pub", "--no-compress"]).assert_failed(2, "leave out --no-compress");
    let publish = || scratch.json(&["publish", "site", "--to", "pub", "--keep", "1"]);
    publish();
    let first = scratch.read("pub/site.gosync-latest");
    let again = publish();
    assert_eq!((&again["changed"], &again["serial"]), (&false.into(), &1.into()));
    assert!(scratch.read("pub/site.gosync-latest") == first);
    let server = scratch.serve();
    let pointer = format!("{}/pub/site.gosync-latest", server.url);
    assert_eq!(scratch.json(&["patch", "copy", &pointer])["files_added"], 20);
    assert!(scratch.path("copy/.gosync/seen").exists());
    // The first run in it writes down what it has.
    scratch.json(&["patch", "copy", &pointer]);
    let again = scratch.json(&["patch", "copy", &pointer]);
    assert_eq!((&again["changed"], &again["requests"]), (&false.into(), &1.into()), "{again}");
    assert!(again["index_bytes"].as_u64().unwrap() < 1000);

    scratch.write("site/pages/new.html", b"new");
    publish();
    assert_eq!(scratch.json(&["diff", "copy", &pointer])["files_added"], 1);
    let done = scratch.json(&["patch", "copy", &pointer]);
    assert_eq!((&done["changed"], &done["files_added"]), (&true.into(), &1.into()));
    assert_eq!(scratch.json(&["verify", "copy", &pointer])["ok"], true);
    scratch.write("pub/site.gosync-latest", &first);
    for command in [&["patch", "copy", &pointer][..], &["patch", "copy", &pointer, "-o", "elsewhere"]] {
        scratch.run(command).assert_failed(3, "it is version 1, but version 2 was here before");
    }
    assert!(scratch.path("copy/pages/new.html").exists() && !scratch.path("elsewhere").exists());
}
