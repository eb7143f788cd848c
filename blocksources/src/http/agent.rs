//! What makes requests, and holds connections that may be used again.

use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, SocksConnector, TcpConnector};

use super::forward::Forward;
use super::heads::TidyHeads;
use super::proxy::Route;
use super::tls::{RootCertificates, Tls};

/// What the connections of an agent depend on: callers that ask for the same can share them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AgentOptions {
    pub(super) connections: usize,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) user_agent: String,
    pub(super) route: Route,
    pub(super) root_certificates: RootCertificates,
    pub(super) extra_certificates: Vec<String>,
}

/// Agents that were made so far.
#[derive(Debug, Default)]
pub(super) struct Agents(Vec<(AgentOptions, Agent)>);

impl Agents {
    /// The agent with these options, which is made where there is none.
    pub(super) fn get(&mut self, wanted: AgentOptions) -> Agent {
        if let Some((_, agent)) = self.0.iter().find(|(known, _)| *known == wanted) {
            return agent.clone();
        }
        let agent = wanted.agent();
        self.0.push((wanted, agent.clone()));
        agent
    }
}

impl AgentOptions {
    fn agent(&self) -> Agent {
        let connections = self.connections.max(1);
        let config = Config::builder()
            .http_status_as_error(false)
            // Redirects are followed by us: see `Client`. Where an object is moved to is
            // for object_store to say.
            .max_redirects(0)
            // Ranges are of the file itself, never of a compressed form of it.
            .accept_encoding("identity")
            .user_agent(&self.user_agent)
            .proxy(self.route.proxy.clone())
            .timeout_connect(Some(self.connect_timeout))
            .timeout_per_read(Some(self.read_timeout))
            .timeout_per_write(Some(self.read_timeout))
            .timeout_recv_response(Some(self.read_timeout))
            .max_response_header_size(128 << 10)
            .max_idle_connections(2 * connections)
            .max_idle_connections_per_host(connections)
            .build();
        let tls = Tls::new(self.root_certificates.clone(), self.extra_certificates.clone());
        let heads = TidyHeads { is_behind_tunnel: self.route.proxy.is_some() };
        let resolver = DefaultResolver::default();
        if self.route.is_forwarded {
            Agent::with_parts(config, Forward { tls }.chain(heads), resolver)
        } else {
            let tunnel = ().chain(SocksConnector::default()).chain(ConnectProxyConnector::default());
            Agent::with_parts(config, tunnel.chain(TcpConnector::default()).chain(tls).chain(heads), resolver)
        }
    }
}
