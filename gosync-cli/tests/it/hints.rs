//! What went wrong is said with what helps, by its cause.

use std::io::{Read, Write};
use std::net::TcpListener;

use gosync_testkit::corpus;

use crate::support::Scratch;

/// `site/new` and its index, and an old version that has half of it.
fn published() -> Scratch {
    let scratch = Scratch::new();
    let target = corpus::random(1, 200_000);
    scratch.write("site/new", &target);
    scratch.write("old", &target[..100_000]);
    assert_eq!(scratch.run(&["build", "site/new"]).code, 0);
    scratch
}

/// The address of a server that answers everything so.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut head = [0; 4096];
                while stream.read(&mut head).is_ok_and(|read| read > 0) {
                    if stream.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    url
}

/// The hint of what fails, which is its last line.
#[track_caller]
fn hint(scratch: &Scratch, args: &[&str]) -> String {
    let run = scratch.run(args);
    assert_ne!(run.code, 0, "{args:?}");
    assert!(run.stderr.contains("\nhint: "), "{args:?}: {}", run.stderr);
    run.stderr.lines().last().unwrap().strip_prefix("hint: ").expect("the hint comes last").to_owned()
}

#[test]
fn every_no_of_a_server_has_a_remedy_of_its_own() {
    let scratch = published();
    let back = "when the source is back";
    for (answer, words) in [
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "--user"),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "check the URL"),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "check the path or URL"),
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "--proxy"),
        ("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", "newer version"),
        ("HTTP/1.1 451 Unavailable\r\nContent-Length: 0\r\n\r\n", "by law"),
        ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", back),
    ] {
        let url = answering(answer);
        let index = format!("{url}/new.gosync");
        let source = format!("{url}/new");
        for args in
            [&["patch", "old", &index, "--retries=0"][..], &["patch", "old", "site/new.gosync", &source, "--retries=0"]]
        {
            let hint = hint(&scratch, args);
            assert!(hint.contains(words) && (words == back || !hint.contains(back)), "{answer}: {hint}");
        }
    }
    let unknown = hint(&scratch, &["patch", "old", "http://no-such-host.invalid/new.gosync", "--retries=0"]);
    assert!(unknown.contains("name of the host"), "{unknown}");
}

#[test]
fn what_may_have_been_meant() {
    let scratch = published();
    let server = scratch.serve();
    let url = |name: &str| format!("{}/site/{name}", server.url);
    std::fs::rename(scratch.path("site/new"), scratch.path("new")).unwrap();
    // The target instead of its index, here and there, where it is and where it is not.
    assert!(hint(&scratch, &["diff", "old", "site/new"]).ends_with("did you mean site/new.gosync?"));
    assert!(hint(&scratch, &["diff", "old", &url("new")]).ends_with("/site/new.gosync?"));
    scratch.write("site/new", &scratch.read("new"));
    assert!(hint(&scratch, &["inspect", "site/new"]).ends_with("did you mean site/new.gosync?"));
    assert!(hint(&scratch, &["patch", "old", &url("new")]).ends_with("/site/new.gosync?"));

    let swapped = hint(&scratch, &["patch", "site/new.gosync", "old"]);
    assert_eq!(swapped, "SEED comes first: did you mean `gosync patch old site/new.gosync`?");
    assert!(hint(&scratch, &["verify", "site/new.gosync", "old"]).contains("`gosync verify old site/new.gosync`"));
    assert!(hint(&scratch, &["inspect", "site"]).contains("give the index in it"));
    assert!(hint(&scratch, &["inspect", "absent.gosync"]).contains("`gosync build FILE` makes FILE.gosync"));
    assert!(hint(&scratch, &["build", "absent"]).contains("check the path"));
    assert!(hint(&scratch, &["verify", "absent", "site/new.gosync"]).contains("check the path"));
}

#[test]
fn an_output_in_the_place_of_the_source() {
    let scratch = published();
    let absent = hint(&scratch, &["patch", "old", "site/new.gosync", "made"]);
    assert_eq!(absent, "made is taken for the SOURCE to fetch from; to put the new version there, say `-o made`");
    scratch.write("made", b"an earlier version");
    let run = scratch.run(&["patch", "old", "site/new.gosync", "made"]);
    run.assert_failed(3, "made has 18 bytes, but the index was made for 200000\nhint: made is taken for the SOURCE");
    // Where the output is given too, there is no doubt.
    let run = scratch.run(&["patch", "old", "site/new.gosync", "made", "-o", "out"]);
    run.assert_failed(3, "the index was made for 200000\nhint: the index is not of this file");
}

#[test]
fn what_is_not_published() {
    let scratch = published();
    let server = scratch.serve();
    let index = format!("{}/site/new.gosync", server.url);
    std::fs::rename(scratch.path("site/new"), scratch.path("new")).unwrap();
    for index in ["site/new.gosync", &index] {
        assert!(hint(&scratch, &["patch", "old", index]).starts_with("new has to be published beside the index"));
        assert!(hint(&scratch, &["patch", "-n", "old", index]).starts_with("new has to be published beside the index"));
    }
    assert_eq!(scratch.run(&["build", "new", "--compress", "-o", "site/new.gosync"]).code, 0);
    std::fs::remove_file(scratch.path("site/new.gosync-payload")).unwrap();
    let payload = hint(&scratch, &["patch", "old", &index]);
    assert!(payload.contains("compressed payload: new.gosync-payload has to be published"), "{payload}");
    let plain = scratch.run(&["patch", "old", "site/new.gosync", "new"]);
    assert!(plain.stderr.contains("hint: "), "{}", plain.stderr);

    // Another version beside the index.
    assert_eq!(scratch.run(&["build", "new", "-o", "site/new.gosync"]).code, 0);
    scratch.write("site/new", b"another");
    let run = scratch.run(&["patch", "old", &index]);
    run.assert_failed(3, "has 7 bytes, but the index was made for 200000");
    assert!(run.stderr.contains("hint: the index is not of the new beside it"), "{}", run.stderr);
}
