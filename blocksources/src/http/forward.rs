//! Plain http through an HTTP proxy: the proxy is asked for the whole URL.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport};
use ureq::{Error, Proxy};

use super::tls::Tls;

/// Connects to the proxy of an agent, and has it asked for whole URLs. Most proxies connect
/// through (CONNECT) to the port of https only.
#[derive(Debug)]
pub(super) struct Forward {
    pub(super) tls: Tls,
}

impl Connector<()> for Forward {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, Error> {
        let (Some(proxy), Some(origin)) = (details.config.proxy(), details.uri.authority()) else { return Ok(None) };
        let to_proxy = ConnectionDetails {
            uri: proxy.uri(),
            addrs: details.resolver.resolve(proxy.uri(), details.config, details.timeout)?,
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let inner = TcpConnector::default().connect(&to_proxy, None::<()>)?;
        let Some(inner) = self.tls.connect(&to_proxy, inner)? else { return Ok(None) };
        let forwarded = Forwarded {
            inner,
            origin: format!("http://{origin}"),
            headers: format!("{}Connection: close\r\n", authorization(proxy)),
            is_answered: true,
        };
        Ok(Some(forwarded.boxed()))
    }
}

fn authorization(proxy: &Proxy) -> String {
    if proxy.username().is_none() && proxy.password().is_none() {
        return String::new();
    }
    let (user, password) = (proxy.username().unwrap_or_default(), proxy.password().unwrap_or_default());
    format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}")))
}

/// A connection to a proxy.
struct Forwarded {
    inner: Box<dyn Transport>,
    /// The URL of the server, without a path.
    origin: String,
    /// Lines for the head of each request.
    headers: String,
    /// Whether what is sent next begins a request.
    is_answered: bool,
}

impl Transport for Forwarded {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !std::mem::replace(&mut self.is_answered, false) {
            return self.inner.transmit_output(amount, timeout);
        }
        let request = forwarded(&self.inner.buffers().output()[..amount], &self.origin, &self.headers);
        let mut rest = &request[..];
        while !rest.is_empty() {
            let output = self.inner.buffers().output();
            let (piece, others) = rest.split_at(rest.len().min(output.len()));
            output[..piece.len()].copy_from_slice(piece);
            self.inner.transmit_output(piece.len(), timeout)?;
            rest = others;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.is_answered = true;
        self.inner.await_input(timeout)
    }

    /// It is not used again: some proxies look at the first request only, and pass on what follows
    /// as it is.
    fn is_open(&mut self) -> bool {
        false
    }

    /// To the proxy it may be; to the server it is not.
    fn is_tls(&self) -> bool {
        false
    }
}

/// `request` with the URL in its first line, and with more `lines`.
fn forwarded(request: &[u8], origin: &str, lines: &str) -> Vec<u8> {
    let path = request.iter().position(|&byte| byte == b' ').map_or(0, |space| space + 1);
    let end = request.iter().position(|&byte| byte == b'\n').map_or(request.len(), |newline| newline + 1);
    let (method, rest) = request.split_at(path.min(end));
    let (path, headers) = rest.split_at(end - method.len());
    [method, origin.as_bytes(), path, lines.as_bytes(), headers].concat()
}

impl fmt::Debug for Forwarded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Forwarded").field("origin", &self.origin).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_the_whole_url() {
        let request = b"GET /a?b HTTP/1.1\r\nHost: c\r\n\r\nbody";
        assert_eq!(
            forwarded(request, "http://c:81", "X: y\r\n"),
            b"GET http://c:81/a?b HTTP/1.1\r\nX: y\r\nHost: c\r\n\r\nbody"
        );
        assert_eq!(forwarded(request, "http://c", ""), b"GET http://c/a?b HTTP/1.1\r\nHost: c\r\n\r\nbody");
    }
}
