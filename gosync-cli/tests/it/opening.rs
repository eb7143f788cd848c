//! Indexes behind servers that redirect, that lie to HEAD, and that have something else.

use std::collections::BTreeMap;

use gosync_testkit::corpus;
use gosync_testkit::hostile::{Asked, Say, Scripted};

use crate::support::Scratch;

/// An old and a new version, its index and its control file, and what a server has of them.
fn published(old: &[u8], new: &[u8]) -> (Scratch, BTreeMap<String, Vec<u8>>) {
    let scratch = Scratch::new();
    scratch.write("old", old);
    scratch.write("new", new);
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    assert_eq!(scratch.run(&["zsyncmake", "-q", "-u", "new", "-o", "new.zsync", "new"]).code, 0);
    let files = ["new", "new.gosync", "new.zsync"].map(|name| (format!("/{name}"), scratch.read(name)));
    (scratch, files.into())
}

fn proper(asked: &Asked, files: &BTreeMap<String, Vec<u8>>) -> Say {
    match files.get(asked.path.split('?').next().unwrap_or_default()) {
        Some(data) => Say::proper(asked, data),
        None => Say::plain("404 Not Found", "", b"no"),
    }
}

#[test]
fn what_a_server_says_to_head_does_not_matter() {
    let old = corpus::random(1, 300_000);
    let new = [&old[..200_000], &corpus::random(2, 100_000)].concat();
    let (scratch, files) = published(&old, &new);
    for head in [
        || Say::plain("404 Not Found", "", b""),
        || Say::raw("200 OK", "Content-Length: 0\r\n", b""),
        || Say::raw("200 OK", "Content-Length: 7\r\nContent-Type: text/html\r\n", b""),
        || Say::plain("302 Found", "Location: /login\r\n", b""),
        Say::nothing,
    ] {
        let files = files.clone();
        let server = Scripted::start(move |asked| match asked.method.as_str() {
            "HEAD" => head(),
            _ => proper(asked, &files),
        });
        let at = |path: &str| server.url().replace("/file", path);
        for index in ["/new.gosync", "/new.zsync"] {
            scratch.json(&["patch", "old", &at(index), "-o", "out", "--retries", "0"]);
            assert!(scratch.read("out") == new);
        }
        let sources = [at("/new"), at("/new?b")];
        let index = at("/new.gosync");
        let args = ["patch", "old", &index, "--source", &sources[0], "--source", &sources[1], "-o", "out"];
        scratch.json(&args);
        assert!(scratch.read("out") == new);
        scratch.json(&["diff", "old", &index, "--source", &sources[0]]);
        assert!(server.asked().iter().all(|asked| asked.method == "GET"));
    }
}

#[test]
fn a_source_of_another_length_is_told_before_much_is_fetched() {
    let old = corpus::random(3, 8 << 20);
    let mut new = old.clone();
    // Many small changes: much of the index is needed.
    for at in (0..new.len()).step_by(20_000) {
        new[at] ^= 1;
    }
    let (scratch, files) = published(&old, &new);
    let all = files["/new.gosync"].len();
    let pages: [&[u8]; 3] = [b"<!doctype html>\n<p>Please log in.\n", &new[1..], &[&new[..], b"\n"].concat()];
    for page in pages {
        let mut files = files.clone();
        files.insert("/new".into(), page.to_vec());
        for has_ranges in [true, false] {
            let files = files.clone();
            let server = Scripted::start(move |asked| match asked.path.as_str() {
                "/new" if !has_ranges => Say::plain("200 OK", "", &files["/new"]),
                _ => proper(asked, &files),
            });
            let index = server.url().replace("/file", "/new.gosync");
            let failed = scratch.run(&["patch", "old", &index, "-o", "out"]);
            failed.assert_failed(3, "but the index was made for 8388608");
            let of_index = server.asked().into_iter().filter(|asked| asked.path == "/new.gosync");
            let bytes: u64 = of_index.flat_map(|asked| asked.ranges).map(|range| range.len()).sum();
            assert!(bytes < all as u64 / 2, "{bytes} of {all}");
        }
    }
}

#[test]
fn a_stale_index_is_told_after_the_first_wrong_blocks() {
    let (scratch, mut files) = published(b"nothing", &corpus::random(4, 4 << 20));
    files.insert("/new".into(), corpus::random(5, 4 << 20));
    let server = Scripted::start(move |asked| proper(asked, &files));
    for index in ["/new.gosync", "/new.zsync"] {
        let index = server.url().replace("/file", index);
        let failed = scratch.run(&["patch", "old", &index, "-o", "out", "--connections", "1"]);
        assert_eq!(failed.code, 3, "{}", failed.stderr);
        assert!(failed.stderr.contains("the source is not what the index was made for"), "{}", failed.stderr);
    }
    // What was asked for at once may be all of it; what is asked for again is little.
    let again: u64 =
        server.asked().iter().filter(|asked| asked.path == "/new").skip(1).flat_map(|asked| &asked.ranges).count()
            as u64;
    assert!(again < 100, "{again}");
}

#[test]
fn redirects_are_followed_both_ways() {
    let new = corpus::random(6, 200_000);
    let (scratch, files) = published(b"nothing", &new);
    for beside_the_url in [true, false] {
        let files = files.clone();
        let server = Scripted::start(move |asked| {
            let path = asked.path.split('?').next().unwrap_or_default().to_owned();
            let led = |to: String| Say::plain("302 Found", &format!("Location: {to}\r\n"), b"");
            match path.strip_prefix("/latest") {
                Some("/new") if !beside_the_url => Say::plain("404 Not Found", "", b"no"),
                Some(name) if beside_the_url => led(format!("/assets?id={}", name.trim_start_matches('/'))),
                Some(name) => led(format!("/jobs/1{name}?job=x")),
                None => {
                    let asset = asked.path.strip_prefix("/assets?id=").map(|name| format!("/{name}"));
                    let name = asset.or_else(|| path.strip_prefix("/jobs/1").map(str::to_owned));
                    match name.and_then(|name| files.get(&name)) {
                        Some(data) => Say::proper(asked, data),
                        None => Say::plain("404 Not Found", "", b"no"),
                    }
                }
            }
        });
        for index in ["/latest/new.gosync", "/latest/new.zsync"] {
            let index = server.url().replace("/file", index);
            scratch.json(&["patch", "old", &index, "-o", "out"]);
            assert!(scratch.read("out") == new, "{index}");
        }
    }
}
