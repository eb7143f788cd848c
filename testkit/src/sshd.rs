//! The real sshd, with SFTP, and a key that it lets in.

use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::peers;

/// A running sshd, which ends when this is dropped. It lets in the user who runs the
/// test, with a key that was made for it.
#[derive(Debug)]
pub struct Sshd {
    process: Child,
    port: u16,
    user: String,
    scratch: PathBuf,
}

impl Sshd {
    /// Listens on a free port of this machine. Its own files go to `scratch`.
    ///
    /// Where there is no sshd, or no ssh: `None`, as with [`peers::require`].
    ///
    /// # Panics
    ///
    /// When sshd does not start.
    pub fn start(scratch: &Path) -> Option<Self> {
        let program = peers::require("sshd")?;
        let (keygen, _) = (peers::require("ssh-keygen")?, peers::require("ssh")?);
        let user = output(Command::new("id").arg("-un"));
        for key in ["host_key", "key"] {
            output(Command::new(&keygen).args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(scratch.join(key)));
        }
        fs::copy(scratch.join("key.pub"), scratch.join("authorized_keys")).expect("the key was made");
        // Where root runs it, it insists on this directory, which packages leave to be
        // made when the system starts.
        let _ = fs::create_dir_all("/run/sshd");
        Some(Self::launch(&program, user, scratch))
    }

    /// The URL of the file at `path`.
    pub fn url(&self, path: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, path.display())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Who it lets in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What to hand to ssh so that it knows this server, has the key, and heeds nothing
    /// that the user has configured.
    pub fn arguments(&self) -> Vec<OsString> {
        let setting = |name: &str, path: &str| format!("{name}={}", self.scratch.join(path).display()).into();
        let option = || OsString::from("-o");
        vec![
            "-F".into(),
            "none".into(),
            option(),
            setting("IdentityFile", "key"),
            option(),
            "IdentitiesOnly=yes".into(),
            option(),
            setting("UserKnownHostsFile", "known_hosts"),
            option(),
            "StrictHostKeyChecking=yes".into(),
        ]
    }

    fn launch(program: &Path, user: String, scratch: &Path) -> Self {
        // The port is free when it is chosen, and may be taken when sshd comes for it.
        for _ in 0..5 {
            let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has a free port");
            let port = listener.local_addr().expect("a bound socket has an address").port();
            drop(listener);
            let host_key = fs::read_to_string(scratch.join("host_key.pub")).expect("the key was made");
            fs::write(scratch.join("known_hosts"), format!("[127.0.0.1]:{port} {host_key}"))
                .and_then(|()| fs::write(scratch.join("sshd_config"), configuration(port, scratch)))
                .expect("the scratch directory can be written to");
            let process = Command::new(program)
                .arg("-D")
                .arg("-E")
                .arg(scratch.join("sshd.log"))
                .arg("-f")
                .arg(scratch.join("sshd_config"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("sshd can be run");
            let mut sshd = Self { process, port, user: user.clone(), scratch: scratch.to_owned() };
            if sshd.is_up() {
                return sshd;
            }
        }
        let log = fs::read_to_string(scratch.join("sshd.log")).unwrap_or_default();
        panic!("sshd does not start: {log}");
    }

    fn is_up(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(port: u16, scratch: &Path) -> String {
    let scratch = scratch.display();
    format!(
        "Port {port}
ListenAddress 127.0.0.1
HostKey \"{scratch}/host_key\"
AuthorizedKeysFile \"{scratch}/authorized_keys\"
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp
"
    )
}

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it can be run");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_in_who_has_the_key() {
        let directory = tempfile::tempdir().unwrap();
        let Some(sshd) = Sshd::start(directory.path()) else { return };
        let ssh = |arguments: &[OsString]| {
            let mut ssh = Command::new("ssh");
            ssh.args(arguments).args(["-o", "BatchMode=yes", "-p", &sshd.port.to_string(), "-l", &sshd.user]);
            ssh.args(["127.0.0.1", "echo", "hello"]).stdin(Stdio::null()).output().unwrap()
        };
        let let_in = ssh(&sshd.arguments());
        assert_eq!(String::from_utf8_lossy(&let_in.stdout).trim(), "hello", "{let_in:?}");
        fs::remove_file(directory.path().join("key")).unwrap();
        assert!(!ssh(&sshd.arguments()).status.success());
    }
}
