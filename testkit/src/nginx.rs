//! The real nginx, serving a directory.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::peers;

/// A running nginx, which ends when this is dropped.
#[derive(Debug)]
pub struct Nginx {
    process: Child,
    url: String,
    access_log: PathBuf,
}

impl Nginx {
    /// Serves what is beneath `root` on a free port of this machine. Its own files go to
    /// `scratch`; `directives` are added to its `server` block.
    ///
    /// Where there is no nginx: `None`, as with [`peers::require`].
    ///
    /// # Panics
    ///
    /// When nginx does not start.
    pub fn start(root: &Path, scratch: &Path, directives: &str) -> Option<Self> {
        let program = peers::require("nginx")?;
        Some(Self::launch(&program, root, scratch, "", ("", directives), "http"))
    }

    /// As [`Self::start`], with `outer` directives in its `http` block.
    ///
    /// # Panics
    ///
    /// When nginx does not start.
    pub fn start_with(root: &Path, scratch: &Path, outer: &str, directives: &str) -> Option<Self> {
        let program = peers::require("nginx")?;
        Some(Self::launch(&program, root, scratch, "", (outer, directives), "http"))
    }

    /// As [`Self::start`], with TLS; `certificate` and `key` are PEM files.
    ///
    /// # Panics
    ///
    /// When nginx does not start.
    pub fn start_tls(
        root: &Path,
        scratch: &Path,
        (certificate, key): (&Path, &Path),
        directives: &str,
    ) -> Option<Self> {
        let program = peers::require("nginx")?;
        let (certificate, key) = (certificate.display(), key.display());
        let directives = format!("ssl_certificate \"{certificate}\"; ssl_certificate_key \"{key}\"; {directives}");
        Some(Self::launch(&program, root, scratch, "ssl", ("", &directives), "https"))
    }

    /// The URL of the served directory, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A line for each request so far: method, path, `Range` header, status and bytes of
    /// body. A line is written when nginx is done with the request, which may be a little
    /// after the client is.
    pub fn access_log(&self) -> Vec<String> {
        fs::read_to_string(&self.access_log).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn launch(
        program: &Path,
        root: &Path,
        scratch: &Path,
        listen: &str,
        directives: (&str, &str),
        scheme: &str,
    ) -> Self {
        // The port is free when it is chosen, and may be taken when nginx comes for it.
        for _ in 0..5 {
            let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has a free port");
            let port = listener.local_addr().expect("a bound socket has an address").port();
            drop(listener);
            let url = format!("{scheme}://127.0.0.1:{port}");
            let configuration = configuration(root, scratch, &format!("127.0.0.1:{port} {listen}"), directives);
            fs::write(scratch.join("nginx.conf"), configuration).expect("the scratch directory can be written to");
            let pid = scratch.join("nginx.pid");
            let _ = fs::remove_file(&pid);
            let process = Command::new(program)
                .arg("-p")
                .arg(scratch)
                .args(["-c", "nginx.conf", "-e", "error.log"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("nginx can be run");
            let mut nginx = Self { process, url, access_log: scratch.join("access.log") };
            if nginx.is_up(port, &pid) {
                return nginx;
            }
        }
        let log = fs::read_to_string(scratch.join("error.log")).unwrap_or_default();
        panic!("nginx does not start: {log}");
    }

    /// Somebody else may answer at the port; the pid is written once nginx has it.
    fn is_up(&mut self, port: u16, pid: &Path) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return false;
            }
            if pid.exists() && TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(root: &Path, scratch: &Path, listen: &str, (outer, directives): (&str, &str)) -> String {
    let (root, scratch) = (root.display(), scratch.display());
    format!(
        r#"daemon off;
master_process off;
worker_processes 1;
pid "{scratch}/nginx.pid";
events {{ worker_connections 256; }}
http {{
    log_format plain "$request_method $uri $http_range $status $body_bytes_sent";
    access_log "{scratch}/access.log" plain;
    client_body_temp_path "{scratch}/body";
    proxy_temp_path "{scratch}/proxy";
    fastcgi_temp_path "{scratch}/fastcgi";
    uwsgi_temp_path "{scratch}/uwsgi";
    scgi_temp_path "{scratch}/scgi";
    {outer}
    server {{
        listen {listen};
        root "{root}";
        {directives}
    }}
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn serves_and_logs() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("file"), "0123456789").unwrap();
        let directives = "location /plain/ { rewrite ^/plain(/.*) $1 break; max_ranges 0; }";
        let Some(nginx) = Nginx::start(&root, directory.path(), directives) else { return };
        let ask = |path: &str| {
            let mut stream = TcpStream::connect(nginx.url().strip_prefix("http://").unwrap()).unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nRange: bytes=2-4\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let answer = ask("/file");
        assert!(answer.starts_with("HTTP/1.1 206 ") && answer.ends_with("\r\n\r\n234"), "{answer}");
        let answer = ask("/plain/file");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n0123456789"), "{answer}");
        let mut log = nginx.access_log();
        log.sort_unstable();
        assert_eq!(log, ["GET /file bytes=2-4 200 10", "GET /file bytes=2-4 206 3"]);
    }
}
