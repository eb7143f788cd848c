//! What `docs/publishing.md` shows, done: its configuration in a real nginx, a real S3 server with a
//! cache before it, redirects as forges make them, and a real sshd.

use std::fs;
use std::path::Path;

use gosync_testkit::corpus;
use gosync_testkit::moto::Moto;
use gosync_testkit::nginx::Nginx;
use gosync_testkit::sshd::Sshd;
use serde_json::Value;

use crate::support::{Run, Scratch};

/// What the page has in its block of that language.
fn block(language: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/publishing.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// `app.img` in two versions, and `old`.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let first = corpus::random(1, 500_000);
    scratch.write("1/app.img", &first);
    scratch.write("2/app.img", &[&first[..200_000], b"inserted", &first[200_000..]].concat());
    scratch.write("old", &first[..400_000]);
    scratch
}

/// The headers of the answer to a request, in lower case.
fn head(url: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    // A store wants to know who asks, and moto takes anybody.
    let head = "Host: x\r\nAuthorization: AWS key:x\r\nConnection: close";
    write!(stream, "HEAD {path} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.to_lowercase()
}

fn assert_cached(url: &str, folder: &str, made: &Value) {
    for name in made["files"].as_array().unwrap() {
        let answer = head(url, &format!("{folder}/{}", name.as_str().unwrap()));
        assert!(answer.contains("\r\ncache-control: public, max-age=31536000, immutable\r\n"), "{answer}");
    }
    let answer = head(url, &format!("{folder}/app.img.gosync-latest"));
    assert!(answer.contains("\r\ncache-control: no-cache\r\n"), "{answer}");
}

#[test]
fn nginx_as_the_page_configures_it() {
    let scratch = scratch();
    let made = scratch.json(&["publish", "1/app.img", "--to", "pub"]);
    scratch.write("nginx/empty", b"");
    let Some(nginx) = Nginx::start(&scratch.path("pub"), &scratch.path("nginx"), &block("nginx")) else { return };
    assert_cached(nginx.url(), "", &made);
    for hidden in [".app.img.gosync-lock", ".x.gosync-part"] {
        scratch.write(&format!("pub/{hidden}"), b"");
        assert!(head(nginx.url(), &format!("/{hidden}")).starts_with("http/1.1 404"));
    }
    let pointer = format!("{}/app.img.gosync-latest", nginx.url());
    scratch.json(&["patch", "old", &pointer]);
    assert!(scratch.read("old") == scratch.read("1/app.img"));
    scratch.json(&["publish", "2/app.img", "--to", "pub", "--keep", "1"]);
    let done = scratch.json(&["patch", "old", &pointer]);
    assert!(scratch.read("old") == scratch.read("2/app.img") && done["fetched_bytes"].as_u64().unwrap() < 20_000);
    let again = scratch.json(&["patch", "old", &pointer]);
    assert_eq!((&again["changed"], &again["requests"]), (&false.into(), &1.into()));
}

#[test]
fn an_object_store_with_a_cache_before_it() {
    let Some(moto) = Moto::start() else { return };
    let scratch = scratch();
    let run = |args: &[&str]| -> Run {
        let mut command = scratch.command(args);
        command.envs(moto.settings().into_iter().map(|(name, value)| match name.as_str() {
            "allow_http" => ("AWS_ALLOW_HTTP".to_owned(), value),
            name => (name.to_uppercase(), value),
        }));
        Run::of(command)
    };
    let json = |args: &[&str]| -> Value {
        let run = run(&[args, &["--json"]].concat());
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        serde_json::from_str(String::from_utf8(run.stdout).unwrap().lines().last().unwrap()).unwrap()
    };
    let made = json(&["publish", "1/app.img", "--to", "s3://bucket/app"]);
    assert_eq!(made["pointer"], "s3://bucket/app/app.img.gosync-latest");
    let store = moto.settings().into_iter().find(|(name, _)| name == "aws_endpoint").unwrap().1;
    assert_cached(&store, "/bucket/app", &made);

    let cache = format!("proxy_cache_path \"{}\" keys_zone=cdn:1m;", scratch.path("nginx/cache").display());
    // A slice of a file each, as CDNs keep ranges; what the origin says of caching decides.
    let proxy = format!(
        "location / {{ proxy_cache cdn; proxy_cache_revalidate on; slice 1m; \
         proxy_cache_key $uri$slice_range; proxy_set_header Range $slice_range; proxy_http_version 1.1; proxy_set_header Authorization \"AWS key:x\"; \
         proxy_cache_valid 200 206 1h; add_header X-Cache $upstream_cache_status; proxy_pass {store}/bucket/; }}"
    );
    scratch.write("nginx/empty", b"");
    let Some(cdn) = Nginx::start_with(&scratch.path("1"), &scratch.path("nginx"), &cache, &proxy) else { return };
    let pointer = format!("{}/app/app.img.gosync-latest", cdn.url());
    scratch.json(&["patch", "old", &pointer]);
    assert!(scratch.read("old") == scratch.read("1/app.img"));
    let made = json(&["publish", "2/app.img", "--to", "s3://bucket/app/", "--keep", "1"]);
    assert_eq!((&made["serial"], made["removed"].as_array().unwrap().len()), (&2.into(), 2));
    assert_eq!(scratch.json(&["patch", "old", &pointer])["changed"], true);
    assert!(scratch.read("old") == scratch.read("2/app.img"));
    let listed = moto.ask("GET", "/bucket?list-type=2&prefix=app/");
    assert_eq!(listed.matches("<Key>").count(), 4, "{listed}");
    // Straight from the store.
    json(&["patch", "fresh", "s3://bucket/app/app.img.gosync-latest"]);
    assert!(scratch.read("fresh") == scratch.read("2/app.img"));
}

#[test]
fn releases_of_a_forge() {
    let scratch = scratch();
    scratch.json(&["publish", "1/app.img", "--to", "pub"]);
    let publish_release = |tag: &str| {
        let names = crate::support::names(&scratch.path("pub"));
        for name in names.iter().filter(|name| name.starts_with("app.img-") || name.ends_with(".gosync-latest")) {
            scratch.write(&format!("root/{tag}/{name}"), &scratch.read(&format!("pub/{name}")));
        }
    };
    publish_release("v1");
    scratch.write("nginx/empty", b"");
    // First to the newest release, then to a signed URL on another host.
    let forge = |tag: &str| {
        format!(
            "location /releases/latest/download/ {{ rewrite ^/releases/latest/(.*)$ /releases/{tag}/$1 redirect; }} \
             location ~ ^/releases/v[0-9]+/download/(.*)$ {{ \
                 return 302 http://localhost:$server_port/objects/{tag}/$1?signature=abc; }} \
             location /objects/ {{ if ($arg_signature != abc) {{ return 403; }} rewrite ^/objects/(.*)$ /$1 break; }}"
        )
    };
    let (root, own) = (scratch.path("root"), scratch.path("nginx"));
    let Some(nginx) = Nginx::start(&root, &own, &forge("v1")) else { return };
    let pointer = |nginx: &Nginx| format!("{}/releases/latest/download/app.img.gosync-latest", nginx.url());
    scratch.json(&["patch", "old", &pointer(&nginx)]);
    assert!(scratch.read("old") == scratch.read("1/app.img"));
    drop(nginx);

    // The next release is made on a machine that only has the pointer of the one before.
    let before = scratch.read("pub/app.img.gosync-latest");
    fs::remove_dir_all(scratch.path("pub")).unwrap();
    scratch.write("pub/app.img.gosync-latest", &before);
    assert_eq!(scratch.json(&["publish", "2/app.img", "--to", "pub", "--keep", "1"])["serial"], 2);
    publish_release("v2");
    let Some(nginx) = Nginx::start(&root, &own, &forge("v2")) else { return };
    let done = scratch.json(&["patch", "old", &pointer(&nginx)]);
    assert!(scratch.read("old") == scratch.read("2/app.img") && done["fetched_bytes"].as_u64().unwrap() < 20_000);
}

#[test]
fn a_pointer_behind_ssh() {
    let scratch = scratch();
    scratch.write("sshd/empty", b"");
    let Some(sshd) = Sshd::start(&scratch.path("sshd")) else { return };
    scratch.json(&["publish", "1/app.img", "--to", "pub"]);
    let arguments: Vec<String> = sshd.arguments().iter().map(|word| word.to_str().unwrap().to_owned()).collect();
    let ssh = format!("ssh {}", arguments.join(" "));
    let pointer = sshd.url(&scratch.path("pub/app.img.gosync-latest"));
    scratch.json(&["patch", "old", &pointer, "--ssh", &ssh]);
    assert!(scratch.read("old") == scratch.read("1/app.img"));
    assert_eq!(scratch.json(&["patch", "old", &pointer, "--ssh", &ssh])["changed"], false);

    // Published to by ssh, too.
    let folder = sshd.url(&scratch.path("far"));
    let publish = |version: &str| -> Vec<String> {
        let file = format!("{version}/app.img");
        ["publish", &file, "--to", &folder, "--keep", "1", "--ssh", &ssh].map(str::to_owned).to_vec()
    };
    for (serial, version) in ["1", "2"].iter().enumerate() {
        let args = publish(version);
        let made = scratch.json(&args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(made["serial"], serial + 1);
    }
    let names = crate::support::names(&scratch.path("far"));
    assert_eq!(names.len(), 4, "{names:?}");
    let pointer = format!("{folder}/app.img.gosync-latest");
    scratch.json(&["patch", "old", &pointer, "--ssh", &ssh]);
    assert!(scratch.read("old") == scratch.read("2/app.img"));

    // Somebody else is at work there, or was an hour ago.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    scratch.write("far/.app.img.gosync-lock", format!("{}\tme on that, process 7\n", now - 600).as_bytes());
    let args = publish("1");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    scratch.run(&args).assert_failed(1, "being published to by me on that, process 7, for 10 minutes");
    scratch.write("far/.app.img.gosync-lock", format!("{}\tme on that, process 7\n", now - 4000).as_bytes());
    assert_eq!(scratch.json(&args)["serial"], 3);
    assert!(!scratch.path("far/.app.img.gosync-lock").exists());
}
