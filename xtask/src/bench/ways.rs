//! The ways to what is served: near, and through a line that delays all bytes.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use gosync_testkit::delay::Delay;
use gosync_testkit::nginx::Nginx;
use gosync_testkit::sshd::Sshd;

/// A way to a server, which is there as long as this is.
pub(super) struct Way<T> {
    pub(super) round_trip: u32,
    pub(super) to: T,
    _delay: Option<Delay>,
}

/// How a program gets to the machine whose sshd this is.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    /// ssh, and what it has to be told, in one line.
    pub(crate) command: String,
    /// Who, at which machine.
    pub(crate) login: String,
    pub(crate) port: u16,
}

impl Shell {
    /// The URL of the file at `path`.
    pub(crate) fn url(&self, path: &Path) -> String {
        format!("ssh://{}:{}{}", self.login, self.port, path.display())
    }
}

/// The URLs of a web server.
pub(super) fn to_web(server: &Nginx, round_trips: &[u32]) -> anyhow::Result<Vec<Way<String>>> {
    let address = server.url().trim_start_matches("http://").parse::<SocketAddr>();
    let address = address.with_context(|| format!("{} has no address", server.url()))?;
    Ok(ways(address, round_trips, |address| format!("http://{address}")))
}

/// The shells at an sshd.
pub(super) fn to_shell(server: &Sshd, round_trips: &[u32]) -> Vec<Way<Shell>> {
    let address = server.address();
    ways(address, round_trips, |way| {
        let mut words = vec!["ssh".to_owned()];
        words.extend(server.arguments().into_iter().map(|word| word.to_string_lossy().into_owned()));
        // A line has a port of its own, and no key.
        words.extend(["-o".into(), format!("HostKeyAlias=[127.0.0.1]:{}", address.port())]);
        words.extend(["-p".into(), way.port().to_string()]);
        Shell { command: words.join(" "), login: format!("{}@127.0.0.1", server.user()), port: way.port() }
    })
}

fn ways<T>(address: SocketAddr, round_trips: &[u32], to: impl Fn(SocketAddr) -> T) -> Vec<Way<T>> {
    let way = |&round_trip: &u32| {
        let delay = || Delay::start(address, Duration::from_millis(u64::from(round_trip)));
        let delay = (round_trip > 0).then(delay);
        Way { round_trip, to: to(delay.as_ref().map_or(address, Delay::address)), _delay: delay }
    };
    round_trips.iter().map(way).collect()
}
