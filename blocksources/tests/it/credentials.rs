//! Who asks, through whom, and who must not hear of it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use gosync_blocksources::{Credentials, HttpOptions, HttpSource, Netrc, Proxy};
use gosync_chunks::{ByteRange, Source, SourceError};
use gosync_testkit::corpus;
use gosync_testkit::hostile::{Behaviour, Hostile, Say, Scripted};
use gosync_testkit::source::MemorySink;
use url::Url;

fn data() -> Vec<u8> {
    corpus::random(12, 1000)
}

fn fetch(source: &HttpSource) -> Result<(), SourceError> {
    let ranges = [ByteRange::at(500, 10)];
    let sink = MemorySink::new(&ranges);
    source.fetch(&ranges, &sink)?;
    assert_eq!(sink.finish(), [&data()[500..510]]);
    Ok(())
}

#[test]
fn who_asks() {
    let netrc = || Netrc::parse("machine 127.0.0.1 login net password rc machine 127.0.0.1 login me password too");
    let basic = Some(Credentials::Basic { user: "given".into(), password: "pass".into() });
    let me = Some(Credentials::Basic { user: "me".into(), password: "".into() });
    let bearer = Some(Credentials::Bearer("token".into()));
    let header = vec![("Authorization".to_owned(), "Custom".into())];
    let default = HttpOptions::default;
    for (user, options, expected) in [
        ("", default(), None),
        ("", HttpOptions { netrc: netrc(), ..default() }, Some("basic bmv0onjj")),
        ("url%3a:p%40ss@", HttpOptions { netrc: netrc(), ..default() }, None),
        ("url:p%40ss@", HttpOptions { netrc: netrc(), ..default() }, Some("basic dxjsonbac3m=")),
        ("url:pass@", HttpOptions { credentials: basic, netrc: netrc(), ..default() }, Some("basic z2l2zw46cgfzcw==")),
        // The password of a user who is given elsewhere.
        ("", HttpOptions { credentials: me, netrc: netrc(), ..default() }, Some("basic bwu6dg9v")),
        ("me@", HttpOptions { netrc: netrc(), ..default() }, Some("basic bwu6dg9v")),
        ("you@", HttpOptions { netrc: netrc(), ..default() }, Some("basic ew91og==")),
        ("", HttpOptions { credentials: bearer.clone(), ..default() }, Some("bearer token")),
        ("", HttpOptions { credentials: bearer, headers: header, ..default() }, Some("custom")),
    ] {
        let server = Scripted::start(|asked| Say::proper(asked, &data()));
        let url = server.url().replace("http://", &format!("http://{user}"));
        let Ok(source) = HttpSource::new(&url, options) else {
            assert_eq!(user, "url%3a:p%40ss@", "a name with a colon cannot be sent");
            continue;
        };
        fetch(&source).unwrap();
        assert_eq!(server.asked()[0].header("authorization"), expected, "{user}");
    }
}

#[test]
fn secrets_stay_with_their_origin() {
    let elsewhere = Scripted::start(|asked| Say::proper(asked, &data()));
    let location = elsewhere.url();
    let server = Scripted::start(move |asked| match asked.path.as_str() {
        "/file" => Say::plain("307 Temporary Redirect", "Location: moved?signature=secret\r\n", b""),
        _ => Say::plain("302 Found", &format!("Location: {location}\r\n"), b"see there"),
    });
    let headers = [("Cookie", "secret"), ("X-Api-Key", "secret")];
    let options = HttpOptions {
        headers: headers.map(|(name, value)| (name.to_owned(), value.into())).to_vec(),
        credentials: Some(Credentials::Bearer("secret".into())),
        netrc: Netrc::parse("default login me password secret"),
        proxy: None,
        ..HttpOptions::default()
    };
    let source = HttpSource::new(&server.url(), options.clone()).unwrap();
    for _ in 0..3 {
        fetch(&source).unwrap();
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "after that it is known where to go");
    assert!(asked.iter().all(|asked| asked.header("cookie") == Some("secret") && asked.header("x-api-key").is_some()));
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some("bearer secret")));
    for asked in elsewhere.asked() {
        assert!(!asked.text.contains("secret") && asked.header("authorization").is_none(), "{}", asked.text);
    }
    for shown in [format!("{options:?}"), format!("{source:?}")] {
        assert!(!shown.contains("secret"), "{shown}");
    }
    for name in ["Range", "if-range", "Host", "no name"] {
        let options = HttpOptions { headers: vec![(name.into(), "secret".into())], ..HttpOptions::default() };
        let error = HttpSource::new(&server.url(), options).unwrap_err();
        assert!(error.to_string().contains(name) && !format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn redirects_that_expire_are_found_out_anew() {
    for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone"] {
        let server = Hostile::start(data(), Behaviour::ExpiringRedirects { uses: 2, status });
        let source = HttpSource::new(&server.url(), HttpOptions::default()).unwrap();
        for _ in 0..5 {
            fetch(&source).unwrap();
        }
        let asked: Vec<_> = server.asked().into_iter().map(|asked| asked.path).collect();
        let (file, signed) = ("/file", |until: usize| format!("/signed?until={until}"));
        let (zero, one, two) = (signed(0), signed(1), signed(2));
        assert_eq!(asked, [file, &zero, &zero, &zero, file, &one, &one, &one, file, &two], "{status}");
    }

    // What is forbidden for good stays so: once more is enough.
    let server = Scripted::start(|asked| match asked.number {
        0 => Say::plain("302 Found", "Location: /signed\r\n", b""),
        1 => Say::proper(asked, &data()),
        _ if asked.path == "/file" => Say::plain("302 Found", "Location: /signed\r\n", b""),
        _ => Say::plain("403 Forbidden", "", b""),
    });
    let source = HttpSource::new(&server.url(), HttpOptions::default()).unwrap();
    fetch(&source).unwrap();
    let error = fetch(&source).unwrap_err();
    assert!(matches!(&error, SourceError::Denied { .. }), "{error:?}");
    assert_eq!(server.asked().len(), 5);
}

/// A proxy that connects, or asks for whole URLs, and writes down what it was asked.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, heads) = (listener.local_addr().unwrap().to_string(), Arc::new(Mutex::new(Vec::new())));
    let log = Arc::clone(&heads);
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let Some((method, rest)) = head.split_once(' ') else { continue };
            let server = match method {
                "CONNECT" => {
                    let server = TcpStream::connect(rest.split(' ').next().unwrap()).unwrap();
                    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
                    server
                }
                _ => {
                    let (server, rest) = rest.strip_prefix("http://").unwrap().split_once('/').unwrap();
                    let mut server = TcpStream::connect(server).unwrap();
                    server.write_all(format!("{method} /{rest}").as_bytes()).unwrap();
                    server
                }
            };
            log.lock().unwrap().push(head);
            for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
                thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    (address, heads)
}

#[test]
fn through_a_proxy() {
    let server = Scripted::start(|asked| Say::proper(asked, &data()));
    let (address, heads) = proxy();
    let url = format!("http://me:secret@{address}");
    let through = |except: &str| {
        let proxy = Proxy::new(&url, except).unwrap();
        let options = HttpOptions { proxy: Some(proxy), ..HttpOptions::default() };
        assert!(!format!("{options:?}").contains("secret"));
        fetch(&HttpSource::new(&server.url(), options).unwrap()).unwrap();
        heads.lock().unwrap().len()
    };
    assert_eq!(through(""), 1);
    assert_eq!(through("example.org"), 2);
    assert_eq!(through("example.org, 127.0.0.0/8"), 2, "not for this one");
    let head = heads.lock().unwrap()[0].clone();
    assert!(head.starts_with(&format!("GET {} HTTP/1.1\r\n", server.url())), "{head}");
    assert!(head.to_lowercase().contains("\r\nproxy-authorization: basic bwu6c2vjcmv0\r\n"), "{head}");

    // There is no TLS here, but it would go through.
    let options = HttpOptions { proxy: Some(Proxy::new(&url, "").unwrap()), ..HttpOptions::default() };
    let https = server.url().replace("http://", "https://");
    fetch(&HttpSource::new(&https, options).unwrap()).unwrap_err();
    let head = heads.lock().unwrap().last().unwrap().clone();
    assert!(head.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.address())), "{head}");
    assert!(head.to_lowercase().contains("\r\nproxy-authorization: basic bwu6c2vjcmv0\r\n"), "{head}");
}

#[test]
fn each_request_to_a_proxy_has_a_connection() {
    let server = Scripted::start(|asked| Say::proper(asked, &data()));
    let (address, heads) = proxy();
    let proxy = Some(Proxy::new(&format!("http://{address}"), "").unwrap());
    let options = HttpOptions { proxy, connections: 1, ..HttpOptions::default() };
    let source = HttpSource::new(&server.url(), options).unwrap();
    fetch(&source).unwrap();
    fetch(&source).unwrap();
    // This proxy passes on as it comes what follows the first request.
    assert_eq!(heads.lock().unwrap().len(), 2);
    assert!(server.asked().iter().all(|asked| asked.path == "/file"));
}

#[test]
fn secrets_are_for_the_origin_that_they_were_given_for() {
    let server = Scripted::start(|asked| Say::proper(asked, &data()));
    let options = |for_origin: Option<&str>| HttpOptions {
        headers: vec![("X-Api-Key".into(), "secret".into())],
        credentials: Some(Credentials::Bearer("secret".into())),
        for_origin: for_origin.map(|url| Url::parse(url).unwrap().origin()),
        ..HttpOptions::default()
    };
    for (for_origin, is_sent) in [
        (None, true),
        (Some(format!("http://{}/other?x", server.address())), true),
        (Some(format!("https://{}/file", server.address())), false),
        (Some("http://127.0.0.1/file".into()), false),
        (Some(format!("http://localhost:{}/file", server.address().port())), false),
    ] {
        fetch(&HttpSource::new(&server.url(), options(for_origin.as_deref())).unwrap()).unwrap();
        assert_eq!(server.asked().last().unwrap().text.contains("secret"), is_sent, "{for_origin:?}");
    }
    // What the URL itself says is for that URL.
    let url = server.url().replace("http://", "http://me:too@");
    fetch(&HttpSource::new(&url, options(Some("http://example.org/"))).unwrap()).unwrap();
    assert_eq!(server.asked().last().unwrap().header("authorization"), Some("basic bwu6dg9v"));
}

#[test]
fn a_proxy_that_does_not_know_who_asks() {
    let proxy = Scripted::start(|_| Say::plain("407 Proxy Authentication Required", "", b""));
    let through = Proxy::new(&format!("http://{}", proxy.address()), "").unwrap();
    let options = HttpOptions { proxy: Some(through), ..HttpOptions::default() };
    let error = fetch(&HttpSource::new("http://127.0.0.1:9/file", options).unwrap()).unwrap_err();
    assert!(matches!(&error, SourceError::Denied { reason, .. } if reason.contains("407")), "{error:?}");
    assert_eq!(proxy.asked().len(), 1);
}
