//! How to speak with HTTP servers.

use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::Uri;
use url::Origin;

use super::agent::AgentOptions;
use super::credentials::{Credentials, Secret};
use super::hosts::Hosts;
use super::netrc::Netrc;
use super::proxy::Proxy;
use super::tls::RootCertificates;

/// How an [`HttpSource`](crate::HttpSource) asks. What is secret in it is not shown by
/// `Debug`.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Requests under way at once, each on a connection of its own; 0 is taken for 1.
    /// Fewer are used where more would bring nothing, or overload the server.
    pub connections: usize,
    /// The most bytes to ask for in one request; by default the [cost model](crate::cost)
    /// decides.
    pub request_size: Option<u64>,
    /// Gaps of up to this many bytes between wanted ranges are fetched too, to save a
    /// range or a request; by default the [cost model](crate::cost) decides.
    pub bridged_gap: Option<u64>,
    /// How long a connection may take to come about, TLS included.
    pub connect_timeout: Duration,
    /// How long the server may be silent, or refuse to listen. Less than a kilobyte in
    /// that time counts as silence.
    pub read_timeout: Duration,
    /// When all has to be over, whatever is asked for and however often.
    pub deadline: Option<Instant>,
    /// The `User-Agent` header; none is sent when it is empty.
    pub user_agent: String,
    /// More headers, by name. They go to [`Self::for_origin`] only, and never to
    /// another that it redirects to.
    pub headers: Vec<(String, Secret)>,
    /// Who asks; before what the URL and [`Self::netrc`] say. Sent where
    /// [`Self::headers`] are.
    pub credentials: Option<Credentials>,
    /// Whom headers and credentials are for: a scheme, host and port. Without it they are for the
    /// origin of each URL that is asked with these options.
    pub for_origin: Option<Origin>,
    /// Who asks, by host.
    pub netrc: Netrc,
    /// Through whom to ask.
    pub proxy: Option<Proxy>,
    /// Who vouches for the servers.
    pub root_certificates: RootCertificates,
    /// Texts of PEM files with more certificates to trust: those of authorities, and those that
    /// servers made for themselves. They cannot be added to those of the operating system.
    pub extra_certificates: Vec<String>,
    /// What is known of hosts, and connections to them. Clones of these options share it.
    pub hosts: Hosts,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connections: 6,
            request_size: None,
            bridged_gap: None,
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(30),
            deadline: None,
            user_agent: concat!("gosync/", env!("CARGO_PKG_VERSION")).into(),
            headers: Vec::new(),
            credentials: None,
            for_origin: None,
            netrc: Netrc::default(),
            proxy: None,
            root_certificates: RootCertificates::default(),
            extra_certificates: Vec::new(),
            hosts: Hosts::default(),
        }
    }
}

impl HttpOptions {
    /// Time until the deadline, if there is one.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        Some(self.deadline?.saturating_duration_since(Instant::now()))
    }

    /// What makes the requests for `uri`: the same for all that ask with the same options.
    pub(crate) fn agent(&self, uri: &Uri) -> Agent {
        let wanted = AgentOptions {
            connections: self.connections,
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
            user_agent: self.user_agent.clone(),
            route: self.proxy.as_ref().map(|proxy| proxy.route(uri)).unwrap_or_default(),
            root_certificates: self.root_certificates.clone(),
            extra_certificates: self.extra_certificates.clone(),
        };
        self.hosts.agents().get(wanted)
    }
}
