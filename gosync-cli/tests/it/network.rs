//! Mirrors, retries and rates, as the command line asks for them.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use gosync_testkit::corpus;
use gosync_testkit::hostile::{Asked, Behaviour, Hostile, Say, Scripted};
use gosync_testkit::moto::Moto;
use gosync_testkit::sshd::Sshd;

use crate::support::{Run, Scratch};

/// A file that is published, and an old version that has nothing of it.
fn published(len: usize) -> (Scratch, Vec<u8>) {
    let scratch = Scratch::new();
    let target = corpus::random(1, len);
    scratch.write("new", &target);
    scratch.write("old", b"nothing");
    scratch.write("empty", b"");
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    (scratch, target)
}

#[test]
fn the_next_source_is_used_when_one_fails() {
    let (scratch, target) = published(300_000);
    scratch.write("short", &target[1..]);
    let server = scratch.serve();
    let (absent, short, new) = ["absent", "short", "new"].map(|name| format!("{}/{name}", server.url)).into();
    let sources = ["patch", "old", "new.gosync", "--source", &absent, "--source", &short, "--retries", "0"];
    let failed = scratch.run(&[&sources[..], &["-o", "out"]].concat());
    failed.assert_failed(4, "each of the 2 sources does not deliver");
    for reason in [format!("{absent}: "), "404".into(), format!("{short}: "), "has 299999 bytes".into()] {
        assert!(failed.stderr.contains(&reason), "{reason} is not in:\n{}", failed.stderr);
    }
    let done = scratch.json(&[&sources[..], &["--source", &new, "-o", "out"]].concat());
    assert_eq!(done["fetched_bytes"], 300_000);
    assert!(scratch.read("out") == target);
    // The argument comes before the options, and a path is as good as a URL.
    scratch.json(&["patch", "old", "new.gosync", &absent, "--source", "new"]);
    assert!(scratch.read("old") == target);
}

/// A server of `/new` and `/new.gosync`, also for those who take it for a proxy.
fn serving(scratch: &Scratch) -> Scripted {
    let [new, index] = ["new", "new.gosync"].map(|name| scratch.read(name));
    Scripted::start(move |asked| match asked.path.rsplit('/').next() {
        Some("new") => Say::proper(asked, &new),
        Some("new.gosync") => Say::proper(asked, &index),
        _ => Say::plain("404 Not Found", "", b""),
    })
}

#[test]
fn secrets_go_to_the_first_url_only() {
    let (scratch, target) = published(300_000);
    for case in 0..4 {
        let (server, mirror) = (serving(&scratch), serving(&scratch));
        let index = format!("http://{}/new.gosync", server.address());
        let new = format!("http://{}/new", mirror.address());
        let (args, is_at_mirror) = match case {
            0 => (vec!["patch", "old", &index, "--source", &new, "-o", "out"], false),
            1 => (vec!["patch", "old", &index, &new, "out"], false),
            // It is the first.
            2 => (vec!["patch", "old", "new.gosync", &new, "out"], true),
            _ => (vec!["diff", "old", &index, "--source", &new], false),
        };
        let mut command = scratch.command(&[&args[..], &["--user", "me", "--header", "X-Key: secret"]].concat());
        command.env("GOSYNC_PASSWORD", "hunter2");
        let run = Run::of(command);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        let has_secrets = |asked: &Asked| asked.header("authorization").is_some() && asked.header("x-key").is_some();
        assert!(server.asked().iter().all(has_secrets), "{args:?}");
        assert!(mirror.asked().iter().all(|asked| has_secrets(asked) == is_at_mirror), "{args:?}");
        assert!(!mirror.asked().is_empty() && (case == 3 || scratch.read("out") == target));
        _ = std::fs::remove_file(scratch.path("out"));
    }
}

#[test]
fn a_total_time_is_for_all_attempts() {
    let (scratch, _) = published(20_000);
    let busy = Scripted::start(|_| Say::plain("503 Service Unavailable", "", b""));
    let [index, new] = ["new.gosync", "new"].map(|name| format!("http://{}/{name}", busy.address()));
    let limits = ["--retries", "1000", "--total-timeout", "400ms"];
    for args in [
        &["inspect", &index][..],
        &["patch", "old", "new.gosync", &new, "-o", "out"],
        &["patch", "old", "new.gosync", &new, "--source", &new, "-o", "out"],
    ] {
        let start = Instant::now();
        scratch.run(&[args, &limits].concat()).assert_failed(4, "503");
        assert!(start.elapsed() < Duration::from_secs(5), "{args:?}: {:?}", start.elapsed());
    }
}

#[test]
fn a_dead_mirror_keeps_nobody_waiting() {
    let (scratch, target) = published(300_000);
    let server = serving(&scratch);
    // Connections come about, and that is all.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}/new", dead.local_addr().unwrap());
    let new = format!("http://{}/new", server.address());
    let start = Instant::now();
    let run = scratch.run(&["patch", "old", "new.gosync", &dead, "--source", &new, "-o", "out"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(scratch.read("out") == target);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn a_server_without_many_ranges_is_said_to_be_one() {
    let (scratch, target) = published(3_000_000);
    let mut old = target.clone();
    old.chunks_mut(300_000).for_each(|chunk| chunk[..1000].fill(0));
    scratch.write("old", &old);
    for (behaviour, expected) in [
        (Behaviour::Proper, None),
        (Behaviour::RefusesSeveral("501 Not Implemented"), Some(" does not send several ranges at once (status 501")),
        (Behaviour::WholeAlways, Some(" does not send ranges (it sends the whole file)")),
    ] {
        let server = Hostile::start(target.clone(), behaviour);
        let patch = ["patch", "old", "new.gosync", &server.url(), "-o", "out"];
        let run = scratch.run(&patch);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(scratch.read("out") == target);
        std::fs::remove_file(scratch.path("out")).unwrap();
        let said: Vec<_> = run.stderr.lines().filter(|line| line.contains(" does not send ")).collect();
        match expected {
            None => assert!(said.is_empty(), "{said:?}"),
            Some(expected) => assert!(said.len() == 1 && said[0].contains(expected), "{}", run.stderr),
        }
        assert_eq!(scratch.run(&[&patch[..], &["-q"]].concat()).stderr, "", "{behaviour:?}");
        std::fs::remove_file(scratch.path("out")).unwrap();
    }
}

#[test]
fn each_scheme_has_its_proxy() {
    let (scratch, target) = published(20_000);
    let proxy = serving(&scratch);
    let through = |variables: &[(&str, &str)], more: &[&str]| {
        let args = ["patch", "old", "http://gosync.invalid/new.gosync", "-o", "out", "--retries", "0"];
        let mut command = scratch.command(&[&args[..], more].concat());
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.envs(variables.iter().copied());
        let run = Run::of(command);
        assert!(run.code != 0 || scratch.read("out") == target);
        run.code
    };
    let (here, nowhere) = (format!("http://{}", proxy.address()), "http://127.0.0.1:9");
    for (variables, more, code) in [
        (&[("http_proxy", &*here), ("https_proxy", nowhere), ("ALL_PROXY", nowhere)][..], &[][..], 0),
        (&[("HTTP_PROXY", &here)], &[], 0),
        (&[("ALL_PROXY", &here), ("https_proxy", nowhere)], &[], 0),
        (&[("http_proxy", nowhere)], &["--proxy", &here], 0),
        (&[("http_proxy", &here), ("NO_PROXY", "localhost,.invalid")], &[], 4),
        (&[("no_proxy", "gosync.invalid:80")], &["--proxy", &here], 4),
        (&[("https_proxy", &here)], &[], 4),
    ] {
        assert_eq!(through(variables, more), code, "{variables:?} {more:?}");
    }
    let asked = proxy.asked();
    assert!(asked.iter().all(|asked| asked.path.starts_with("http://gosync.invalid/")), "{asked:?}");
}

#[test]
fn connections_that_break_are_made_again() {
    // So little that one connection gets it.
    let (scratch, target) = published(20_000);
    let server = scratch.serve();
    let there = server.url.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/new", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        // More than are tried at once, without a pause.
        for stream in listener.incoming().skip(5) {
            let (here, there) = (stream.unwrap(), TcpStream::connect(&there).unwrap());
            let (mut from, mut to) = (there.try_clone().unwrap(), here.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            std::thread::spawn(move || std::io::copy(&mut { here }, &mut { there }));
        }
    });
    let patch = ["patch", "old", "new.gosync", &url, "-o", "out"];
    scratch.run(&[&patch[..], &["--retries", "0"]].concat()).assert_failed(4, "cannot reach");
    scratch.json(&[&patch[..], &["--retries", "20"]].concat());
    assert!(scratch.read("out") == target);
}

#[test]
fn a_rate_is_kept() {
    let (scratch, target) = published(500_000);
    let server = scratch.serve();
    let start = Instant::now();
    let patch = ["patch", "old", &format!("{}/new.gosync", server.url), "-o", "out", "--connections", "1"];
    let slow = scratch.json(&[&patch[..], &["--limit-rate", "1MB"]].concat());
    // A tenth of a second's worth may come at once.
    assert!(start.elapsed() > Duration::from_millis(390), "{:?}", start.elapsed());
    assert!(scratch.read("out") == target);
    std::fs::remove_file(scratch.path("out")).unwrap();
    assert_eq!(slow["requests"], scratch.json(&patch)["requests"]);
    assert_eq!(scratch.run(&["patch", "old", "new.gosync", "--limit-rate", "none"]).code, 2);
}

#[test]
fn files_of_other_machines() {
    let keys = tempfile::tempdir().unwrap();
    let Some(sshd) = Sshd::start(keys.path()) else { return };
    let (scratch, target) = published(300_000);
    let arguments: Vec<_> = sshd.arguments().into_iter().map(|argument| argument.into_string().unwrap()).collect();
    let ssh = format!("ssh {}", arguments.join(" "));
    let url = |name: &str| sshd.url(&scratch.path(name));
    let done = scratch.json(&["patch", "old", &url("new.gosync"), "--ssh", &ssh]);
    assert_eq!(done["fetched_bytes"], 300_000);
    assert!(scratch.read("old") == target);
    let absent = scratch.run(&["patch", "empty", &url("new.gosync"), &url("absent"), "--ssh", &ssh, "-o", "out"]);
    absent.assert_failed(4, "cannot find ssh://");
    scratch.run(&["inspect", "ssh://-oProxyCommand=id/x"]).assert_failed(4, "not one that is safe");
}

#[test]
fn object_stores() {
    let Some(moto) = Moto::start() else { return };
    let (scratch, target) = published(300_000);
    let run = |args: &[&str]| {
        let mut command = scratch.command(args);
        command.envs(moto.settings().into_iter().map(|(name, value)| match name.strip_prefix("aws_") {
            Some(_) => (name.to_uppercase(), value),
            None => (format!("AWS_{}", name.to_uppercase()), value),
        }));
        Run::of(command)
    };
    let index = "s3://bucket/dir/new.gosync";
    let built = run(&["build", "new", "-o", index]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let patched = run(&["patch", "old", index, "new", "--limit-rate", "100MB"]);
    assert_eq!(patched.code, 0, "{}", patched.stderr);
    assert!(scratch.read("old") == target);
    // The target that the index names is to be beside it, and is not.
    run(&["patch", "empty", index]).assert_failed(4, "cannot find s3://bucket/dir/new: there is no such object");
    run(&["build", "new", "-o", "s3://none/x"]).assert_failed(4, "cannot write s3://none/x");
    run(&["build", "new", "-o", "s3://none/x", "--compress"]).assert_failed(4, "cannot write s3://none/new");
}

/// A server that answers only those who send this, and `range`s of `data` to them.
fn guarded(header: &'static str, value: &'static str, data: Vec<u8>) -> Scripted {
    Scripted::start(move |asked| match asked.header(header) {
        // What was sent is kept in lower case.
        Some(sent) if sent == value.to_lowercase() => Say::proper(asked, &data),
        _ => Say::plain("401 Unauthorized", "", b""),
    })
}

#[test]
fn who_asks_and_what_else_is_sent() {
    let (scratch, target) = published(100_000);
    let token = scratch.write("token", b"abc.def\n");
    let netrc = scratch.write("netrc", b"machine 127.0.0.1 login Aladdin password open\ndefault login x password y");
    let basic = ("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let bearer = ("authorization", "Bearer abc.def");
    let (token, netrc) = (token.to_str().unwrap(), netrc.to_str().unwrap());
    type Case<'a> = ((&'static str, &'static str), &'a [&'a str], &'a [(&'a str, &'a str)]);
    let exported = &[("GOSYNC_USER", "other"), ("GOSYNC_BEARER_TOKEN", "other"), ("GOSYNC_PASSWORD", "open sesame")];
    let cases: [Case<'_>; 11] = [
        (basic, &["--user", "Aladdin"], &[("GOSYNC_PASSWORD", "open sesame")]),
        (basic, &[], &[("GOSYNC_USER", "Aladdin"), ("GOSYNC_PASSWORD", "open sesame")]),
        (bearer, &["--bearer-token-file", token], &[]),
        (bearer, &[], &[("GOSYNC_BEARER_TOKEN", "abc.def")]),
        (("x-key", "a: b"), &["--header", "X-Key: a: b"], &[]),
        (("user-agent", "me"), &["--user-agent", "me"], &[]),
        (("authorization", "Basic eDp5"), &["--netrc-file", netrc], &[]),
        // What is given comes before what is exported, and neither is in the way of the other.
        (basic, &["--user", "Aladdin"], exported),
        (bearer, &["--bearer-token-file", token], exported),
        (("authorization", "Basic eDp5"), &["--netrc-file", netrc], exported),
        (bearer, &[], &[("GOSYNC_BEARER_TOKEN", "abc.def"), ("GOSYNC_USER", "other")]),
    ];
    for ((header, value), args, variables) in cases {
        let server = guarded(header, value, target.clone());
        let url = server.url().replace("127.0.0.1", "localhost");
        let patch = ["patch", "empty", "new.gosync", &url, "-o", "out", "--retries", "0"];
        scratch.run(&patch).assert_failed(4, "401");
        let mut command = scratch.command(&[&patch[..], args].concat());
        command.envs(variables.iter().copied());
        let run = Run::of(command);
        assert_eq!(run.code, 0, "{args:?} {variables:?}: {}", run.stderr);
        assert!(scratch.read("out") == target);
        std::fs::remove_file(scratch.path("out")).unwrap();
    }
    let new = ["patch", "empty", "new.gosync", "http://127.0.0.1:1/new"];
    // As zsync has it; that is for the host alone, and comes first as well.
    let server = guarded(basic.0, basic.1, target.clone());
    let url = server.url().replace("127.0.0.1", "localhost");
    assert_eq!(scratch.run(&["zsyncmake", "-u", &url, "-o", "new.zsync", "new"]).code, 0);
    let zsync = ["zsync", "-A", "localhost=Aladdin:open sesame", "-o", "out", "new.zsync", "--retries", "0"];
    let mut command = scratch.command(&zsync);
    command.envs(exported.iter().copied());
    let run = Run::of(command);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(scratch.read("out") == target);
    // Everyone can list the arguments of a process.
    for secret in ["--password", "--bearer-token", "--key-password"] {
        let run = scratch.run(&[&new[..], &[secret, "hidden"]].concat());
        run.assert_failed(2, "unexpected argument");
    }
    let both = ["--user", "Aladdin", "--bearer-token-file", token];
    scratch.run(&[&new[..], &both].concat()).assert_failed(2, "cannot be used with");
    scratch.run(&[&new[..], &["--header", "hidden"]].concat()).assert_failed(2, "no colon");
    scratch.run(&[&new[..], &["--ca-certificate", "absent"]].concat()).assert_failed(1, "cannot read absent");
    scratch.run(&[&new[..], &["--read-timeout", "soon"]].concat()).assert_failed(2, "is not ms, s, m or h");
}

#[test]
fn diff_foretells_bytes_and_requests_to_the_last() {
    let scratch = Scratch::new();
    let target = corpus::text(7, 6_000_000);
    scratch.write("new", &target);
    let mut old = target.clone();
    (0..700).for_each(|change| old[change * 8_000 + 17] ^= 1);
    old.drain(2_000_000..2_900_000);
    scratch.write("old", &old);
    let server = scratch.serve();
    for options in [&[][..], &["--compress"], &["--format", "go-sync"]] {
        assert_eq!(scratch.run(&[&["build", "new"][..], options].concat()).code, 0);
        let index = format!("{}/new.gosync", server.url);
        let foretold = scratch.json(&["diff", "old", &index]);
        let done = scratch.json(&["patch", "old", &index, "-o", "out"]);
        for (told, came) in
            [("payload_bytes", "fetched_bytes"), ("index_bytes", "index_bytes"), ("requests", "requests")]
        {
            assert!(foretold[told].as_u64() > Some(0), "{options:?} {told}");
            assert_eq!(foretold[told], done[came], "{options:?} {told}");
        }
        std::fs::remove_file(scratch.path("out")).unwrap();
        // With the index here, the source can be named; one that is not there is an error only then.
        let nowhere = format!("{}/nowhere", server.url);
        scratch.run(&["diff", "old", "new.gosync", "--source", &nowhere]).assert_failed(4, "404");
    }
    std::fs::remove_file(scratch.path("new")).unwrap();
    assert!(scratch.json(&["diff", "old", "new.gosync"])["payload_bytes"].is_null());
}

#[test]
fn details_tell_of_each_request() {
    let (scratch, target) = published(300_000);
    let server = scratch.serve();
    let [index, absent, new] = ["new.gosync", "absent", "new"].map(|name| format!("{}/{name}", server.url));
    let patch = ["patch", "old", &index, &absent, "--source", &new, "-o", "out", "--retries", "0"];
    let run = scratch.run(&[&patch[..], &["--verbose"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(scratch.read("out") == target);
    for expected in [
        format!("{index}: "),
        format!("cannot find {absent}: status 404 Not Found"),
        format!("{new}: asked for 293.0 KiB in 1 range"),
        format!("{new}: 293.0 KiB came in "),
    ] {
        assert!(run.stderr.contains(&expected), "{expected} is not in:\n{}", run.stderr);
    }
    let plain = scratch.run(&patch);
    assert!(!plain.stderr.contains("asked for"), "{}", plain.stderr);
}

#[test]
fn a_dry_run_foretells_and_touches_nothing() {
    let (scratch, target) = published(3_000_000);
    let old = [&target[..1_000_000], &[0; 50_000], &target[1_200_000..]].concat();
    scratch.write("old", &old);
    let server = scratch.serve();
    let index = format!("{}/new.gosync", server.url);
    let before = scratch.names();
    let foretold = scratch.json(&["patch", "old", &index, "--dry-run"]);
    assert_eq!(foretold["dry_run"], true);
    assert!(foretold["seconds"].as_f64().unwrap() > 0.0);
    assert!(scratch.names() == before && scratch.read("old") == old);
    let done = scratch.json(&["patch", "old", &index]);
    assert_eq!(foretold["fetched_bytes"], done["fetched_bytes"]);
    assert_eq!(foretold["matched_bytes"], done["matched_bytes"]);
    assert!(scratch.read("old") == target);

    scratch.write("old", &old);
    let local = scratch.json(&["patch", "old", "new.gosync", "--dry-run"]);
    assert_eq!(local["fetched_bytes"], local["missing_bytes"]);
    scratch.run(&["patch", "old", "new.gosync", &format!("{}/old", server.url), "--dry-run"]).assert_failed(3, "bytes");
}
