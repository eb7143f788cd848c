//! What makes requests, and holds connections that may be used again.

use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::proxy::Proxy;

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

/// What the connections of an agent depend on: callers that ask for the same can share them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AgentOptions {
    pub(super) connections: usize,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) user_agent: String,
    pub(super) proxy: Option<Proxy>,
    pub(super) root_certificates: RootCertificates,
    pub(super) extra_certificates: Vec<String>,
}

/// Agents that were made so far.
#[derive(Debug, Default)]
pub(super) struct Agents(Vec<(AgentOptions, Agent)>);

impl Agents {
    /// The agent with these options, which is made where there is none.
    ///
    /// # Errors
    ///
    /// Why the options make none.
    pub(super) fn get(&mut self, wanted: AgentOptions) -> Result<Agent, String> {
        if let Some((_, agent)) = self.0.iter().find(|(known, _)| *known == wanted) {
            return Ok(agent.clone());
        }
        let agent = wanted.agent()?;
        self.0.push((wanted, agent.clone()));
        Ok(agent)
    }
}

impl AgentOptions {
    fn agent(&self) -> Result<Agent, String> {
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
