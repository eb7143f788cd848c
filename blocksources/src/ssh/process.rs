//! A running ssh, which ends with this, and what it has to say.

use std::ffi::OsString;
use std::io::{self, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::address::Address;
use super::options::SshOptions;

/// Bytes of what ssh says that are kept.
const TOLD: usize = 2048;

/// The watch looks no more often.
const SHORTEST_LOOK: Duration = Duration::from_millis(10);

/// How long an ssh whose streams have ended may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What ssh runs at the far side.
#[derive(Clone, Copy, Debug)]
pub(super) enum Runs<'a> {
    /// A part of the server.
    Subsystem(&'a str),
    /// What the user's shell there makes of this.
    Command(&'a str),
}

/// What comes from the far side.
pub(super) type Reader = Watched<BufReader<ChildStdout>>;

/// What goes to it.
pub(super) type Writer = Watched<ChildStdin>;

/// What is known of an ssh that is not used any more.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// The last that ssh said, on one line.
    pub(super) told: String,
    /// Its exit code, if it ended by itself and was waited for.
    pub(super) code: Option<i32>,
    /// Why ssh was ended, if it was.
    pub(super) end: Option<End>,
}

impl Ended {
    /// Whether ssh failed by itself, and not what it ran.
    pub(super) fn is_of_ssh(&self) -> bool {
        // The status of ssh's own failures; others are those of what it ran.
        self.code.is_none_or(|code| code == 255)
    }
}

/// Why ssh is ended by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server was silent for too long.
    Silent,
    /// There is no time any more.
    Late,
}

/// A process of ssh.
pub(super) struct Process {
    child: Arc<Mutex<Child>>,
    told: Arc<Mutex<Vec<u8>>>,
    watch: Arc<Mutex<Watch>>,
    /// Ends the watch when it is dropped.
    watchman: Option<Sender<()>>,
}

/// Since when a stream has been waited for, and for how long it may be.
#[derive(Default)]
struct Watch {
    waits_since: Option<Instant>,
    patience: Option<Duration>,
    end: Option<End>,
}

/// A stream that tells when it is waited for.
pub struct Watched<S> {
    stream: S,
    watch: Arc<Mutex<Watch>>,
}

/// Options as sftp has them, since an agent or a forwarding is of no use here; then what
/// the caller adds, which cannot take these back: ssh goes by what comes first.
fn arguments(address: &Address, options: &SshOptions, runs: Runs<'_>) -> Vec<OsString> {
    let seconds = |duration: Duration| duration.as_secs().max(1);
    let mut settings = vec![
        "ForwardX11=no".to_owned(),
        "ForwardAgent=no".into(),
        "PermitLocalCommand=no".into(),
        "ClearAllForwardings=yes".into(),
        "RemoteCommand=none".into(),
        "RequestTTY=no".into(),
        format!("ConnectTimeout={}", seconds(options.connect_timeout)),
        format!("ServerAliveInterval={}", seconds(options.silence / 2)),
        "ServerAliveCountMax=2".into(),
    ];
    if !options.interactive {
        settings.push("BatchMode=yes".into());
    }
    let mut arguments: Vec<OsString> = settings.into_iter().flat_map(|setting| ["-o".into(), setting.into()]).collect();
    if let Some(port) = address.port {
        arguments.extend(["-p".into(), port.to_string().into()]);
    }
    if let Some(user) = &address.user {
        arguments.extend(["-l".into(), user.into()]);
    }
    arguments.extend(options.arguments.iter().cloned());
    let what = match runs {
        Runs::Subsystem(name) => {
            arguments.push("-s".into());
            name
        }
        Runs::Command(command) => command,
    };
    arguments.extend(["--".into(), address.host.clone().into(), what.into()]);
    arguments
}

impl Process {
    /// Runs ssh, and gives its streams.
    ///
    /// # Errors
    ///
    /// When ssh cannot be run at all.
    pub(super) fn start(address: &Address, options: &SshOptions, runs: Runs<'_>) -> io::Result<(Reader, Writer, Self)> {
        let mut child = Command::new(&options.program)
            .args(arguments(address, options, runs))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let taken = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = taken else { unreachable!("all three are piped") };
        let watch = Arc::<Mutex<Watch>>::default();
        let child = Arc::new(Mutex::new(child));
        let mut process = Self { child, told: Arc::default(), watch: Arc::clone(&watch), watchman: None };
        process.listen(stderr)?;
        // While somebody types a passphrase, silence is no sign of death.
        lock(&watch).patience = (!options.interactive).then_some(options.silence);
        process.start_watch(options)?;
        let reader = Watched { stream: BufReader::with_capacity(64 << 10, stdout), watch: Arc::clone(&watch) };
        let writer = Watched { stream: stdin, watch };
        Ok((reader, writer, process))
    }

    /// That the far side has answered: from now on silence is a sign of death.
    pub(super) fn has_begun(&self, options: &SshOptions) {
        lock(&self.watch).patience = Some(options.silence);
    }

    /// Keeps the last of what ssh says.
    fn listen(&self, mut stderr: ChildStderr) -> io::Result<()> {
        let told = Arc::clone(&self.told);
        let listen = move || {
            let mut buffer = [0; 1024];
            while let Ok(read @ 1..) = stderr.read(&mut buffer) {
                let mut told = lock(&told);
                told.extend(&buffer[..read]);
                let excess = told.len().saturating_sub(TOLD);
                told.drain(..excess);
            }
        };
        // Not waited for: what ssh leaves running behind it may hold the stream open.
        thread::Builder::new().name("gosync-ssh-stderr".into()).spawn(listen).map(|_| ())
    }

    /// Kills ssh when a stream is waited for too long, or all takes too long.
    fn start_watch(&mut self, options: &SshOptions) -> io::Result<()> {
        let (sender, ended) = mpsc::channel::<()>();
        let (child, watch) = (Arc::clone(&self.child), Arc::clone(&self.watch));
        let (step, deadline) = ((options.silence / 4).clamp(SHORTEST_LOOK, Duration::from_secs(1)), options.deadline);
        let left = move || deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let keep_watch = move || {
            let step = || left().map_or(step, |left| left.clamp(SHORTEST_LOOK, step));
            while ended.recv_timeout(step()) == Err(RecvTimeoutError::Timeout) {
                let mut watch = lock(&watch);
                let waits = watch.waits_since.zip(watch.patience);
                watch.end = match waits {
                    _ if left() == Some(Duration::ZERO) => Some(End::Late),
                    Some((since, patience)) if since.elapsed() > patience => Some(End::Silent),
                    _ => continue,
                };
                let _ = lock(&child).kill();
                return;
            }
        };
        thread::Builder::new().name("gosync-ssh-watch".into()).spawn(keep_watch)?;
        self.watchman = Some(sender);
        Ok(())
    }

    /// Ends it, and tells what is known; `may_have_failed` where it is worth waiting for its exit code.
    pub(super) fn ended(self, may_have_failed: bool) -> Ended {
        let code = if may_have_failed { self.last_words() } else { None };
        let told = lock(&self.told);
        let lines = String::from_utf8_lossy(&told);
        let lines: Vec<&str> = lines.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let told = lines[lines.len().saturating_sub(3)..].join("; ").replace(char::is_control, "");
        Ended { told, code, end: lock(&self.watch).end }
    }

    /// Waits a little for ssh to end, and tells its exit code.
    fn last_words(&self) -> Option<i32> {
        let start = Instant::now();
        while start.elapsed() < LAST_WORDS {
            if let Ok(Some(status)) = lock(&self.child).try_wait() {
                // What it said may still be on its way from the thread that listens.
                thread::sleep(Duration::from_millis(20));
                return status.code();
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl<S> Watched<S> {
    fn wait<T>(&mut self, work: impl FnOnce(&mut S) -> T) -> T {
        lock(&self.watch).waits_since = Some(Instant::now());
        let result = work(&mut self.stream);
        lock(&self.watch).waits_since = None;
        result
    }
}

impl<S: Read> Read for Watched<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(|stream| stream.read(buffer))
    }
}

impl<S: Write> Write for Watched<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wait(|stream| stream.flush())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_address_is_an_option() {
        let address = Address::parse("ssh://me@host:2222/x").unwrap();
        let options = SshOptions { arguments: vec!["-F".into(), "none".into()], ..SshOptions::default() };
        let arguments = arguments(&address, &options, Runs::Subsystem("sftp"));
        let arguments: Vec<&str> = arguments.iter().map(|argument| argument.to_str().unwrap()).collect();
        assert!(arguments.ends_with(&["-p", "2222", "-l", "me", "-F", "none", "-s", "--", "host", "sftp"]));
        assert!(arguments.contains(&"BatchMode=yes"));
    }
}
