//! How to speak with HTTP servers.

use std::time::Duration;

use ureq::config::Config;
use ureq::{Agent, Proxy};

/// How an [`HttpSource`](crate::HttpSource) asks.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Requests under way at once, each on a connection of its own; 0 is taken for 1.
    pub connections: usize,
    /// The most bytes to ask for in one request. What breaks is asked for again from
    /// where it broke, so this is about sharing work between connections.
    pub request_size: u64,
    /// Gaps of up to this many bytes between wanted ranges are fetched too, to save a
    /// request: about what the heads of a request and its answer take. Usual block sizes
    /// are larger, so that normally no byte is in vain.
    pub bridged_gap: u64,
    /// How long a connection may take to come about, TLS included.
    pub connect_timeout: Duration,
    /// How long the server may be silent, or refuse to listen.
    pub read_timeout: Duration,
    /// The `User-Agent` header; none is sent when it is empty.
    pub user_agent: String,
    /// Whether to use the proxy that `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY` names,
    /// but for the hosts in `NO_PROXY`.
    pub proxy_from_environment: bool,
    /// Who vouches for the servers.
    pub root_certificates: RootCertificates,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connections: 6,
            request_size: 2 << 20,
            bridged_gap: 384,
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(30),
            user_agent: concat!("gosync/", env!("CARGO_PKG_VERSION")).into(),
            proxy_from_environment: false,
            root_certificates: RootCertificates::default(),
        }
    }
}

/// Which certificate authorities are trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootCertificates {
    /// Mozilla's list, as it was when this program was built.
    #[default]
    Bundled,
    /// Those that the operating system trusts.
    #[cfg(feature = "platform-verifier")]
    Platform,
}

impl HttpOptions {
    pub(super) fn agent(&self) -> Agent {
        let roots = match self.root_certificates {
            RootCertificates::Bundled => ureq::tls::RootCerts::WebPki,
            #[cfg(feature = "platform-verifier")]
            RootCertificates::Platform => ureq::tls::RootCerts::PlatformVerifier,
        };
        let connections = self.connections.max(1);
        Config::builder()
            .http_status_as_error(false)
            // Ranges are of the file itself, never of a compressed form of it.
            .accept_encoding("identity")
            .user_agent(&self.user_agent)
            .proxy(self.proxy_from_environment.then(Proxy::try_from_env).flatten())
            .tls_config(ureq::tls::TlsConfig::builder().root_certs(roots).build())
            .timeout_connect(Some(self.connect_timeout))
            .timeout_per_read(Some(self.read_timeout))
            .timeout_per_write(Some(self.read_timeout))
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            // Tells how many requests an answer took.
            .save_redirect_history(true)
            .build()
            .new_agent()
    }
}
