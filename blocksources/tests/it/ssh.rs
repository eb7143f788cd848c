//! The real sshd at the other end.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gosync_blocksources::{Pauses, RetryOptions, Retrying, SshOptions, SshSource, read_all};
use gosync_chunks::{ByteRange, Source, SourceError};
use gosync_testkit::conformance::source_conformance;
use gosync_testkit::corpus;
use gosync_testkit::source::{FnSink, MemorySink};
use gosync_testkit::sshd::Sshd;

use crate::conformance::{Kept, directory_with};

fn source(sshd: &Sshd, path: &Path) -> SshSource {
    SshSource::new(&sshd.url(path), SshOptions { arguments: sshd.arguments(), ..SshOptions::default() }).unwrap()
}

/// An ssh that runs the shell script `script` instead.
#[cfg(unix)]
fn with_script(directory: &Path, script: &str) -> SshSource {
    use std::os::unix::fs::PermissionsExt;
    let program = directory.join("ssh.sh");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let silence = if script.contains("sleep") { Duration::from_millis(300) } else { Duration::from_secs(30) };
    let options = SshOptions { program, silence, ..SshOptions::default() };
    SshSource::new("ssh://me@host/file", options).unwrap()
}

#[test]
fn conforms_with_sshd() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(sshd) = Sshd::start(scratch.path()) else { return };
    source_conformance(|data| {
        let directory = directory_with(&data);
        Box::new(Kept { source: source(&sshd, &directory.path().join("file")), _beside: directory })
    });
}

#[test]
fn many_ranges_on_one_connection() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(sshd) = Sshd::start(scratch.path()) else { return };
    let data = corpus::random(1, 3_000_000);
    let directory = directory_with(&data);
    let path = directory.path().join("file");
    let source = source(&sshd, &path);
    let ranges: Vec<ByteRange> = (0..400).map(|at| ByteRange::at(at * 7000 + 3, 5000)).collect();
    let sink = MemorySink::new(&ranges);
    let transfer = source.fetch(&ranges, &sink).unwrap();
    assert_eq!((transfer.bytes, transfer.requests), (2_000_000, 400));
    for (range, fetched) in ranges.iter().zip(sink.finish()) {
        assert!(fetched == data[range.start as usize..range.end as usize], "{range}");
    }
    let (read, transfer) = read_all(&source, &source.location(), 3_000_000).unwrap();
    assert!(read == data && transfer.requests == 3_000_000u64.div_ceil(32 << 10));
    // The connection is still that to the first file, whatever takes its place.
    fs::remove_file(&path).unwrap();
    source.fetch(&ranges[..1], &MemorySink::new(&ranges[..1])).unwrap();
}

#[test]
fn what_cannot_be_read_is_said() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(sshd) = Sshd::start(scratch.path()) else { return };
    let error = |path: &str| source(&sshd, &scratch.path().join(path)).size().unwrap_err();
    let missing = error("none");
    assert!(matches!(&missing, SourceError::NotFound { reason, .. } if reason.contains("No such file")), "{missing:?}");
    let directory = error(scratch.path().to_str().unwrap());
    assert!(
        matches!(&directory, SourceError::Refused { reason, .. } if reason == "it is a directory"),
        "{directory:?}"
    );
    // A host that is not known, and a key that is not.
    let key = fs::read(scratch.path().join("key.pub")).unwrap();
    let known = fs::read(scratch.path().join("known_hosts")).unwrap();
    fs::write(scratch.path().join("known_hosts"), "").unwrap();
    match error("key") {
        SourceError::Unreachable { is_transient: false, source, .. } => {
            assert!(source.to_string().contains("Host key verification failed"), "{source}");
        }
        other => panic!("{other:?}"),
    }
    fs::write(scratch.path().join("known_hosts"), known).unwrap();
    fs::write(scratch.path().join("authorized_keys"), "").unwrap();
    let denied = error("key");
    let is_right =
        matches!(&denied, SourceError::Denied { reason, .. } if reason.contains("Permission denied (publickey"));
    assert!(is_right, "{denied:?}");
    fs::write(scratch.path().join("authorized_keys"), key).unwrap();
    assert!(source(&sshd, &scratch.path().join("key")).size().unwrap().is_some());
}

#[test]
fn a_file_that_changes_is_noticed() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(sshd) = Sshd::start(scratch.path()) else { return };
    let directory = directory_with(&[1; 500_000]);
    let path = directory.path().join("file");
    let source = source(&sshd, &path);
    let ranges = [ByteRange::at(0, 500_000)];
    // Cut short while it is read; what is under way may still come.
    let cut = FnSink(|_, _: &[u8]| {
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(10).unwrap();
        Ok(())
    });
    let many = [ByteRange::at(0, 1), ByteRange::at(499_000, 1000)];
    let one_at_a_time = SshOptions { arguments: sshd.arguments(), requests: 1, ..SshOptions::default() };
    let slow = SshSource::new(&sshd.url(&path), one_at_a_time).unwrap();
    source.size().unwrap();
    assert!(matches!(slow.fetch(&many, &cut), Err(SourceError::Changed { .. })));
    // The first connection knows the file as it was, a new one is told that it is not.
    let refusing = FnSink(|_, _: &[u8]| Err("full".into()));
    assert!(matches!(source.fetch(&ranges, &refusing), Err(SourceError::Sink(_))));
    assert!(matches!(source.fetch(&ranges, &refusing), Err(SourceError::Changed { .. })));
}

#[test]
fn a_lost_connection_is_made_again() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(sshd) = Sshd::start(scratch.path()) else { return };
    let data = corpus::random(2, 4_000_000);
    let directory = directory_with(&data);
    let program = directory.path().join("ssh.sh");
    // The first two connections break after twenty pieces. (`head` would hold small ones back.)
    let count = directory.path().join("count");
    let script = format!(
        r#"#!/bin/sh
echo >>'{0}'
[ $(wc -l <'{0}') -gt 2 ] && exec ssh "$@"
exec 3<&0
{{ ssh "$@" <&3 3<&- & echo $! >'{0}.pid'; wait; }} | {{ dd bs=65536 count=20 2>/dev/null; kill $(cat '{0}.pid'); }}
"#,
        count.display()
    );
    fs::write(&program, script).unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&program).status().unwrap();
    let options = SshOptions { program, arguments: sshd.arguments(), ..SshOptions::default() };
    let source = SshSource::new(&sshd.url(&directory.path().join("file")), options).unwrap();
    let retry = RetryOptions { first_pause: Duration::from_millis(1), ..RetryOptions::default() };
    let source = Retrying::new(source, retry, Pauses::default());
    let ranges = [ByteRange::at(0, 4_000_000)];
    let sink = MemorySink::new(&ranges);
    source.fetch(&ranges, &sink).unwrap();
    assert!(sink.finish().concat() == data);
    assert_eq!(fs::read_to_string(count).unwrap().len(), 3);
}

#[cfg(unix)]
#[test]
fn what_ssh_says_is_told_and_weighed() {
    let directory = tempfile::tempdir().unwrap();
    for (script, is_transient, told) in [
        ("echo 'ssh: connect to host: Connection refused' >&2; exit 255", true, "Connection refused"),
        ("echo 'me@host: Permission denied (publickey).' >&2; exit 255", false, "Permission denied"),
        ("echo 'subsystem request failed on channel 0' >&2; exit 255", false, "subsystem request"),
        ("printf 'a\\nb\\nc\\n\\033[31md' >&2; exit 255", true, "b; c; [31md"),
        ("exit 127", false, "the connection broke"),
        ("echo Welcome to this machine; exec cat >&2", false, "must not greet"),
        ("exec sleep 60", true, "no answer within 300ms"),
    ] {
        let error = with_script(directory.path(), script).size().unwrap_err();
        assert_eq!(error.is_transient(), is_transient, "{script}: {error:?}");
        let reason = match error {
            SourceError::Refused { reason, .. } | SourceError::Denied { reason, .. } => reason,
            SourceError::Unreachable { source, .. } => source.to_string(),
            other => panic!("{other:?}"),
        };
        assert!(reason.contains(told), "{script}: {reason}");
    }
}

#[test]
fn an_ssh_that_is_not_there_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let options = SshOptions { program: directory.path().join("none"), ..SshOptions::default() };
    let error = SshSource::new("ssh://host/x", options).unwrap().size().unwrap_err();
    match error {
        SourceError::Unreachable { is_transient: false, source, .. } => {
            assert!(source.to_string().contains("install OpenSSH"), "{source}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_slow_sink_is_not_a_silent_server() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(sshd) = Sshd::start(scratch.path()) else { return };
    let data = corpus::random(3, 100_000);
    let directory = directory_with(&data);
    let options = SshOptions { arguments: sshd.arguments(), silence: Duration::from_secs(3), ..SshOptions::default() };
    let source = SshSource::new(&sshd.url(&directory.path().join("file")), options).unwrap();
    let (delivered, ranges) = (AtomicU64::new(0), [ByteRange::at(0, 100_000)]);
    let slow = FnSink(|_, data: &[u8]| {
        if delivered.fetch_add(data.len() as u64, Ordering::Relaxed) == 0 {
            std::thread::sleep(Duration::from_millis(3300));
        }
        Ok(())
    });
    source.fetch(&ranges, &slow).unwrap();
    assert_eq!(delivered.into_inner(), 100_000);
}

#[cfg(unix)]
#[test]
fn all_of_it_has_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let start = Instant::now();
    for (left, script) in [(100, "exec sleep 60"), (100, "while :; do echo; sleep 0.01; done >&2"), (0, "exec cat")] {
        with_script(directory.path(), script);
        let deadline = Some(Instant::now() + Duration::from_millis(left));
        let options = SshOptions { program: directory.path().join("ssh.sh"), deadline, ..SshOptions::default() };
        match SshSource::new("ssh://me@host/file", options).unwrap().size() {
            Err(SourceError::Unreachable { is_transient: false, source, .. }) => {
                assert_eq!(source.to_string(), "the time for all of it is over");
            }
            other => panic!("{script}: {other:?}"),
        }
    }
    assert!(start.elapsed() < Duration::from_secs(10));
}
