//! How to speak with HTTP servers.

use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::credentials::{Credentials, Secret};
use super::hosts::Hosts;
use super::netrc::Netrc;
use super::proxy::Proxy;

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
    /// How long one call of a source may take in all.
    pub total_timeout: Option<Duration>,
    /// The `User-Agent` header; none is sent when it is empty.
    pub user_agent: String,
    /// More headers, by name. They go to the origin (scheme, host and port) of the URL
    /// only, and never to another that it redirects to.
    pub headers: Vec<(String, Secret)>,
    /// Who asks; before what the URL and [`Self::netrc`] say. Sent where
    /// [`Self::headers`] are.
    pub credentials: Option<Credentials>,
    /// Who asks, by host.
    pub netrc: Netrc,
    /// Through whom to ask.
    pub proxy: Option<Proxy>,
    /// Who vouches for the servers.
    pub root_certificates: RootCertificates,
    /// Texts of PEM files with certificates of more authorities to trust, beside those of
    /// [`RootCertificates::Bundled`].
    pub extra_certificates: Vec<String>,
    /// What is known of hosts, and connections to them. Clones of these options share it.
    pub hosts: Hosts,
}

/// What the connections of an agent depend on: whoever asks for the same can share them.
#[derive(Clone, Debug, PartialEq)]
struct AgentOptions {
    connections: usize,
    connect_timeout: Duration,
    read_timeout: Duration,
    user_agent: String,
    proxy: Option<Proxy>,
    root_certificates: RootCertificates,
    extra_certificates: Vec<String>,
}

/// Agents that were made so far, which hold connections that may be used again.
#[derive(Debug, Default)]
pub(super) struct Agents(Vec<(AgentOptions, Agent)>);

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connections: 6,
            request_size: None,
            bridged_gap: None,
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(30),
            total_timeout: None,
            user_agent: concat!("gosync/", env!("CARGO_PKG_VERSION")).into(),
            headers: Vec::new(),
            credentials: None,
            netrc: Netrc::default(),
            proxy: None,
            root_certificates: RootCertificates::default(),
            extra_certificates: Vec::new(),
            hosts: Hosts::default(),
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
    /// What makes the requests: the same for all that ask with the same options.
    ///
    /// # Errors
    ///
    /// Why the options make none.
    pub(crate) fn agent(&self) -> Result<Agent, String> {
        let wanted = AgentOptions {
            connections: self.connections,
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
            user_agent: self.user_agent.clone(),
            proxy: self.proxy.clone(),
            root_certificates: self.root_certificates,
            extra_certificates: self.extra_certificates.clone(),
        };
        let mut agents = self.hosts.agents();
        if let Some((_, agent)) = agents.0.iter().find(|(known, _)| *known == wanted) {
            return Ok(agent.clone());
        }
        let agent = self.new_agent()?;
        agents.0.push((wanted, agent.clone()));
        Ok(agent)
    }

    fn new_agent(&self) -> Result<Agent, String> {
        let connections = self.connections.max(1);
        let config = Config::builder()
            .http_status_as_error(false)
            // Redirects are followed by us: see `Client`. Where an object is moved to is
            // for object_store to say.
            .max_redirects(0)
            // Ranges are of the file itself, never of a compressed form of it.
            .accept_encoding("identity")
            .user_agent(&self.user_agent)
            .proxy(self.proxy.as_ref().map(|proxy| proxy.inner.clone()))
            .tls_config(TlsConfig::builder().root_certs(self.roots()?).build())
            .timeout_connect(Some(self.connect_timeout))
            .timeout_per_read(Some(self.read_timeout))
            .timeout_per_write(Some(self.read_timeout))
            .timeout_recv_response(Some(self.read_timeout))
            .max_idle_connections(2 * connections)
            .max_idle_connections_per_host(connections)
            .build();
        Ok(config.new_agent())
    }

    fn roots(&self) -> Result<RootCerts, String> {
        let mut extra = Vec::new();
        for text in &self.extra_certificates {
            let known = extra.len();
            for item in parse_pem(text.as_bytes()) {
                if let PemItem::Certificate(certificate) =
                    item.map_err(|_| "a certificate to trust is not valid PEM")?
                {
                    extra.push(certificate);
                }
            }
            if extra.len() == known {
                return Err("a file of certificates to trust has none in PEM form".into());
            }
        }
        match self.root_certificates {
            RootCertificates::Bundled if extra.is_empty() => Ok(RootCerts::WebPki),
            RootCertificates::Bundled => {
                let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
                Ok(RootCerts::from(extra.into_iter().chain(bundled.map(|der| Certificate::from_der(der)))))
            }
            #[cfg(feature = "platform-verifier")]
            RootCertificates::Platform if extra.is_empty() => Ok(RootCerts::PlatformVerifier),
            #[cfg(feature = "platform-verifier")]
            RootCertificates::Platform => {
                Err("certificates to trust can be added to the bundled ones only; give them to the operating system"
                    .into())
            }
        }
    }
}
