//! Packed files, published and updated by what is in them.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use gosync_packed::{Encoder, Recipe};
use gosync_testkit::{corpus, packed};
use gosync_unpack::PackedInfo;
use serde_json::Value;

use crate::proxy::{Line, Proxy};
use crate::support::Scratch;

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    Encoder::zlib(6).deflate(plain).read_to_end(&mut packed).unwrap();
    packed
}

/// Ten members of 200,000 bytes of text, of which one is edited.
pub(crate) fn zip(is_edited: bool) -> Vec<u8> {
    let texts: Vec<Vec<u8>> = (0..10).map(|seed| corpus::text(seed, 200_000)).collect();
    let edited = corpus::edit::insert(&texts[4], 7, 2, 300);
    let texts = texts.iter().enumerate().map(|(at, text)| if at == 4 && is_edited { &edited } else { text });
    let names: Vec<String> = (0..10).map(|at| format!("member {at}")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(String::as_str).zip(texts.map(Vec::as_slice)).collect();
    packed::zip(&members, deflate)
}

/// `old.zip`, and `new.zip` in `www` with its index and payload.
fn published() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("old.zip", &zip(false));
    scratch.write("www/new.zip", &zip(true));
    let built = scratch.run(&["build", "www/new.zip"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    assert!(built.stderr.contains("new.zip: 10 streams of ") && !built.stderr.contains("warning"), "{}", built.stderr);
    scratch
}

pub(crate) fn number(event: &Value, name: &str) -> u64 {
    name.split('.').fold(event, |event, name| &event[name]).as_u64().unwrap_or_else(|| panic!("{name} of {event}"))
}

#[test]
fn only_what_changed_is_fetched_and_the_bytes_are_those_published() {
    let scratch = published();
    let new = scratch.read("www/new.zip");
    let server = scratch.serve();
    // Clients that know the encoder need nothing of it.
    fs::remove_file(scratch.path("www/new.zip")).unwrap();
    let index = &format!("{}/www/new.zip.gosync", server.url);

    let foretold = scratch.json(&["patch", "-n", "old.zip", index]);
    let compared = scratch.json(&["diff", "old.zip", index]);
    for event in [&foretold, &compared] {
        assert_eq!((number(event, "packed.bytes"), number(event, "packed.streams")), (new.len() as u64, 10));
        assert!(event["packed"]["closing_seconds"].as_f64().unwrap() < 10.0 && !event["seconds"].is_null());
    }
    let run = scratch.run(&["diff", "old.zip", index]);
    let shown = String::from_utf8(run.stdout).unwrap();
    assert!(shown.contains("\nclosing    ") && shown.contains("10 streams in about "), "{shown}");
    let run = scratch.run(&["patch", "-n", "old.zip", index]);
    assert!(
        run.stderr.contains(" in the file and ") && run.stderr.contains(", and close it in about "),
        "{}",
        run.stderr
    );

    let done = scratch.json(&["patch", "old.zip", index]);
    assert!(scratch.read("old.zip") == new);
    let (opened, matched) = (number(&done, "packed.opened_bytes"), number(&done, "matched_bytes"));
    // One member of ten has 600 bytes more, and 60 kB as it is packed.
    assert!(opened > 2_000_000 && opened - matched < 20_000, "{done}");
    assert!(number(&done, "fetched_bytes") < 8_000, "{done}");
    assert_eq!(number(&done, "fetched_bytes"), number(&foretold, "fetched_bytes"));
    assert_eq!((number(&done, "output_bytes"), number(&done, "packed.as_published_bytes")), (new.len() as u64, 0));

    let again = scratch.json(&["patch", "old.zip", index]);
    assert!(again["changed"] == false && number(&again, "fetched_bytes") == 0, "{again}");
    assert_eq!(scratch.run(&["verify", "old.zip", index]).code, 0);
    assert_eq!(scratch.names(), ["old.zip", "www"]);
    let streamed = scratch.run(&["patch", "old.zip", index, "-o", "-"]);
    assert!(streamed.code == 0 && streamed.stdout == new);
}

#[test]
fn an_index_tells_what_is_in_the_file() {
    let scratch = published();
    let new = scratch.read("www/new.zip");
    let event = scratch.json(&["inspect", "www/new.zip.gosync"]);
    let packed = &event["packed"];
    assert_eq!((number(packed, "bytes"), number(packed, "streams")), (new.len() as u64, 10));
    assert_eq!(packed["blake3"], blake3::hash(&new).to_hex().as_str());
    assert_eq!(packed["encoders"][0]["encoder"], "zlib -6");
    assert_eq!(number(&packed["encoders"][0], "streams"), 10);
    assert!(number(packed, "recipe_bytes") < 200 && number(&event, "target_bytes") > 2_000_000);
    let shown = String::from_utf8(scratch.run(&["inspect", "www/new.zip.gosync"]).stdout).unwrap();
    assert!(shown.contains("zlib -6") && shown.contains("10 streams of 2,0") && shown.contains("recipe"), "{shown}");

    let verified = scratch.run(&["verify", "old.zip", "www/new.zip.gosync"]);
    verified.assert_failed(3, "old.zip does not have the hash that the index gives");
    let mut wrong = new.clone();
    wrong[5000] ^= 1;
    scratch.write("wrong.zip", &wrong);
    scratch.run(&["verify", "wrong.zip", "www/new.zip.gosync"]).assert_failed(3, "does not have the hash");
    assert_eq!(scratch.run(&["verify", "www/new.zip", "www/new.zip.gosync"]).code, 0);
}

#[test]
fn how_a_file_is_published_is_up_to_its_publisher() {
    let scratch = Scratch::new();
    let text = corpus::text(1, 400_000);
    scratch.write("new.gz", &packed::gzip(&text, deflate));
    scratch.write("plain", &text);
    scratch.write("short.gz", &packed::gzip(&text[..20_000], deflate));

    let as_it_is = scratch.run(&["build", "new.gz", "--no-unpack"]);
    assert!(as_it_is.code == 0 && as_it_is.stderr.contains("hint: `gosync build --unpack`"), "{}", as_it_is.stderr);
    assert_eq!(scratch.names(), ["new.gz", "new.gz.gosync", "plain", "short.gz"]);
    let index = scratch.read("new.gz.gosync");
    // With such blocks there can be no payload, and so it is as before.
    for options in [&["--block-size", "1MiB"][..], &["--format", "go-sync"], &["--part", "1/1"]] {
        let args = [&["build", "new.gz", "-o", "other.gosync"], options].concat();
        let built = scratch.run(&args);
        assert!(built.code == 0 && built.stderr.contains("warning: new.gz is compressed"), "{}", built.stderr);
        assert!(scratch.json(&[&args[..], &["--quiet"]].concat())["packed"].is_null());
    }
    assert_eq!(scratch.run(&["build", "new.gz"]).code, 0);
    assert_ne!(scratch.read("new.gz.gosync"), index);
    assert!(scratch.path("new.gz.gosync-payload").exists());
    assert_eq!(scratch.run(&["build", "new.gz", "--no-unpack"]).code, 0);
    assert!(scratch.read("new.gz.gosync") == index);

    for (name, options, expected) in [
        ("plain", &[][..], false),
        ("short.gz", &[], false),
        ("short.gz", &["--unpack"], true),
        ("new.gz", &["--compress=5", "--layers", "64KiB,4KiB,512"], true),
    ] {
        let built = scratch.json(&[&["build", name], options].concat());
        assert_eq!(!built["packed"].is_null(), expected, "{name} {options:?}");
    }
    scratch.run(&["build", "plain", "--unpack"]).assert_failed(2, "there is nothing in plain that can be opened");
    let refused = scratch.run(&["build", "new.gz", "--unpack", "--format", "zsync"]);
    refused.assert_failed(2, "--unpack is not for a control file of zsync");
}

#[test]
fn damage_has_a_name_and_the_old_file_stays() {
    let scratch = published();
    let old = scratch.read("old.zip");
    let (index, payload) = (scratch.read("www/new.zip.gosync"), scratch.read("www/new.zip.gosync-payload"));
    // The section comes last; a bit of it, of a layer and of the head.
    for at in [index.len() - 3, index.len() / 2, 100] {
        let mut flipped = index.clone();
        flipped[at] ^= 4;
        scratch.write("www/new.zip.gosync", &flipped);
        scratch.run(&["patch", "old.zip", "www/new.zip.gosync"]).assert_failed(3, "is not a usable index");
        assert!(scratch.read("old.zip") == old, "{at}");
    }
    scratch.write("www/new.zip.gosync", &index);
    let server = scratch.serve();
    let mut flipped = index.clone();
    *flipped.last_mut().unwrap() ^= 4;
    scratch.write("www/new.zip.gosync", &flipped);
    let url = &format!("{}/www/new.zip.gosync", server.url);
    scratch.run(&["patch", "old.zip", url]).assert_failed(3, "is not a usable index");
    scratch.write("www/new.zip.gosync", &index);

    scratch.write("www/new.zip.gosync-payload", &corpus::random(1, payload.len()));
    let run = scratch.run(&["patch", "old.zip", url]);
    assert!(run.code == 3 && run.stderr.contains("hint: "), "{}", run.stderr);
    assert!(scratch.read("old.zip") == old);
    scratch.write("www/new.zip.gosync-payload", &payload);
    assert_eq!(scratch.run(&["patch", "old.zip", url]).code, 0);
    assert!(scratch.read("old.zip") == scratch.read("www/new.zip"));
}

#[test]
fn a_run_goes_on_where_another_was_killed() {
    const BATCH: u64 = 8 << 20;
    let scratch = Scratch::new();
    let members = [corpus::random(1, 10 << 20), corpus::random(2, 10 << 20)];
    scratch.write("www/new.zip", &packed::zip(&[("one", &members[0]), ("other", &members[1])], deflate));
    scratch.write("old.zip", b"old");
    assert_eq!(scratch.run(&["build", "www/new.zip"]).code, 0);
    let server = scratch.serve();
    let proxy = Proxy::new(&server, Line { rate: Some(20 << 20), ..Line::default() });
    let source = format!("{}/www/new.zip.gosync-payload", proxy.url);
    // What comes is decoded in batches.
    for more in [BATCH + (2 << 20), BATCH / 4] {
        let mut command = scratch.command(&["patch", "old.zip", "www/new.zip.gosync", &source, "--quiet"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let moment = proxy.passed() + more;
        while proxy.passed() < moment && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(scratch.read("old.zip"), b"old", "nothing takes its name before it is right");
    }
    assert_eq!(scratch.names(), [".old.zip.gosync-journal", ".old.zip.gosync-part", "old.zip", "www"]);
    let done = scratch.json(&["patch", "old.zip", "www/new.zip.gosync"]);
    assert!(number(&done, "kept_bytes") >= BATCH / 2, "{done}");
    assert!(scratch.read("old.zip") == scratch.read("www/new.zip"));
    assert_eq!(scratch.names(), ["old.zip", "www"]);
}

/// The index of a packed file in which zlib's level 6 is said to make other bytes than it does here: as
/// if its publisher had another one.
pub(crate) fn with_unknown_encoder(mut index: Vec<u8>) -> Vec<u8> {
    let header = 16 + u32::from_le_bytes(index[12..16].try_into().unwrap()) as usize;
    let head = header.next_multiple_of(8);
    // The only section is the last part; its length and hash end the header.
    let length = u64::from_le_bytes(index[header - 40..][..8].try_into().unwrap()) as usize;
    let info = PackedInfo::read(&index.split_off(index.len() - length)).unwrap();
    let mut recipe = info.recipe.to_bytes();
    // Behind the version, a length of three bytes, and how many there are: zlib at level 6.
    assert_eq!(recipe[4..9], [1, 1, 6, 8, 0]);
    recipe[9] ^= 1;
    let section = PackedInfo { recipe: Recipe::from_bytes(&recipe).unwrap(), ..info }.section().bytes;
    index[header - 40..][..8].copy_from_slice(&(section.len() as u64).to_le_bytes());
    index[header - 32..][..32].copy_from_slice(blake3::hash(&section).as_bytes());
    let checksum = *blake3::hash(&index[..head]).as_bytes();
    index[head..head + 32].copy_from_slice(&checksum);
    index.extend(section);
    index
}

#[test]
fn what_cannot_be_packed_here_is_fetched_as_it_was_published() {
    let scratch = published();
    let (old, new) = (scratch.read("old.zip"), scratch.read("www/new.zip"));
    let index = with_unknown_encoder(scratch.read("www/new.zip.gosync"));
    scratch.write("www/new.zip.gosync", &index);
    let server = scratch.serve();
    let url = &format!("{}/www/new.zip.gosync", server.url);
    let foretold = scratch.json(&["patch", "-n", "old.zip", url]);
    assert_eq!(number(&foretold, "packed.unknown_streams"), 10);
    let unknown = number(&foretold, "packed.unknown_bytes");
    assert!(unknown > new.len() as u64 * 9 / 10);
    assert_eq!(scratch.json(&["inspect", url])["packed"]["encoders"][0]["encoder"], Value::Null);

    // It is not there, or it is another.
    fs::remove_file(scratch.path("www/new.zip")).unwrap();
    let run = scratch.run(&["patch", "old.zip", url]);
    assert!(run.stderr.contains("hint: new.zip has to be published beside the index"), "{}", run.stderr);
    run.assert_failed(4, "www/new.zip");
    let mut other = new.clone();
    other[1000] ^= 1;
    scratch.write("www/new.zip", &other);
    scratch.run(&["patch", "old.zip", url]).assert_failed(3, "comes out with the hash");
    assert!(scratch.read("old.zip") == old);

    scratch.write("www/new.zip", &new);
    let run = scratch.run(&["patch", "old.zip", url, "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("warning: 10 streams of the file cannot be compressed here"), "{}", run.stderr);
    assert!(scratch.read("old.zip") == new);
    let done: Value = serde_json::from_slice(run.stdout.rsplit(|byte| *byte == b'\n').nth(1).unwrap()).unwrap();
    let fetched = number(&done, "packed.as_published_bytes");
    assert!((unknown..unknown + 2000).contains(&fetched) && number(&done, "fetched_bytes") >= fetched, "{done}");
    // What was fetched of what is in it was kept.
    assert!(number(&done, "kept_bytes") > 0, "{done}");
}
