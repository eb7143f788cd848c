//! Through whom to ask.

use std::fmt;
use std::net::IpAddr;

use gosync_chunks::SourceError;
use ureq::ProxyProtocol;
use ureq::http::Uri;

use crate::location::redact;

/// Proxies: http or https, which are asked for whole http URLs and to CONNECT for https, or
/// socks4, socks4a, socks5 or socks5h. There may be one for each scheme of URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    http: Option<Through>,
    https: Option<Through>,
    except: Exceptions,
}

/// One proxy.
#[derive(Clone, PartialEq, Eq)]
struct Through {
    proxy: ureq::Proxy,
    /// Without secrets.
    location: String,
}

/// The way to a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Route {
    pub(super) proxy: Option<ureq::Proxy>,
    /// Whether the proxy is asked for whole URLs.
    pub(super) is_forwarded: bool,
}

impl Proxy {
    /// The proxy at `url`, which may have a user name and a password, but not for the hosts in
    /// `except`, as curl reads it: names, which stand for all names that end in them too,
    /// addresses and networks (`10.0.0.0/8`), each with a port or without, between commas or
    /// spaces, or `*`.
    ///
    /// # Errors
    ///
    /// When `url` makes no sense.
    pub fn new(url: &str, except: &str) -> Result<Self, SourceError> {
        let through = Through::new(url)?;
        Ok(Self { http: Some(through.clone()), https: Some(through), except: Exceptions::new(except) })
    }

    /// The proxies that the environment asks for: for a URL the first that is set of
    /// `https_proxy`, or `http_proxy`, and `all_proxy`, also in upper case, but not for the hosts
    /// in `no_proxy`. One that is empty is none. `variable` tells what is in a variable.
    ///
    /// # Errors
    ///
    /// When what is there makes no sense.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SourceError> {
        let either = |name: &str| variable(name).or_else(|| variable(&name.to_ascii_uppercase()));
        let through = |name: &str| {
            let url = either(name).or_else(|| either("all_proxy"));
            url.map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()).map(|url| Through::new(&url)).transpose()
        };
        let (http, https) = (through("http_proxy")?, through("https_proxy")?);
        let except = Exceptions::new(&either("no_proxy").unwrap_or_default());
        Ok((http.is_some() || https.is_some()).then_some(Self { http, https, except }))
    }

    pub(super) fn route(&self, uri: &Uri) -> Route {
        let is_https = uri.scheme_str() == Some("https");
        let through = if is_https { &self.https } else { &self.http };
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        match through {
            Some(through) if !self.except.has(uri.host().unwrap_or_default(), port) => Route {
                is_forwarded: !is_https
                    && matches!(through.proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https),
                proxy: Some(through.proxy.clone()),
            },
            _ => Route::default(),
        }
    }
}

impl Through {
    fn new(url: &str) -> Result<Self, SourceError> {
        let location = redact(url);
        match ureq::Proxy::new(url) {
            Ok(proxy) => Ok(Self { proxy, location }),
            Err(_) => Err(SourceError::Refused { location, reason: "it is not a valid URL of a proxy".into() }),
        }
    }
}

impl fmt::Debug for Through {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.location.fmt(formatter)
    }
}

/// The hosts that are asked themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Exceptions(Vec<Exception>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    host: Pattern,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    All,
    /// This name, and those that end in it behind a dot.
    Name(String),
    /// Addresses that begin with as many bits of this one.
    Network(IpAddr, u32),
}

impl Exceptions {
    fn new(list: &str) -> Self {
        let words = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        Self(words.filter_map(Exception::new).collect())
    }

    fn has(&self, host: &str, port: u16) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse().ok();
        self.0.iter().any(|exception| {
            exception.port.is_none_or(|expected| expected == port) && exception.host.has(&host, address)
        })
    }
}

impl Exception {
    fn new(word: &str) -> Option<Self> {
        // The colons of an address are not before a port.
        let is_address = word.parse::<IpAddr>().is_ok() || word.split_once('/').is_some_and(|(ip, _)| ip.contains(':'));
        let port = word.rsplit_once(':').filter(|_| !is_address);
        let port = port.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = port.map_or((word, None), |(host, port)| (host, Some(port)));
        let (address, bits) = host.split_once('/').map_or((host, None), |(address, bits)| (address, Some(bits)));
        let address = address.trim_matches(['[', ']']).parse::<IpAddr>();
        let host = match (host, address, bits.map(str::parse)) {
            ("*", ..) => Pattern::All,
            (_, Ok(address), None) => Pattern::Network(address, u32::MAX),
            (_, Ok(address), Some(Ok(bits))) => Pattern::Network(address, bits),
            (_, _, Some(_)) => return None,
            (name, Err(_), None) => {
                let name = name.strip_prefix('*').unwrap_or(name).trim_matches('.').to_ascii_lowercase();
                (!name.is_empty()).then_some(Pattern::Name(name))?
            }
        };
        Some(Self { host, port })
    }
}

impl Pattern {
    fn has(&self, host: &str, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Name(name), None) => {
                host.strip_suffix(name.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            (Self::Network(IpAddr::V4(network), bits), Some(IpAddr::V4(address))) => {
                begin_alike(u32::from(*network).into(), u32::from(address).into(), *bits, 32)
            }
            (Self::Network(IpAddr::V6(network), bits), Some(IpAddr::V6(address))) => {
                begin_alike((*network).into(), address.into(), *bits, 128)
            }
            _ => false,
        }
    }
}

/// Whether two addresses of `length` bits agree in the first `bits`.
fn begin_alike(one: u128, other: u128, bits: u32, length: u32) -> bool {
    (one ^ other).checked_shr(length.saturating_sub(bits)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)]) -> Result<Option<Proxy>, SourceError> {
        Proxy::from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn from_the_environment() {
        let hosts = |variables: &[(&str, &str)]| {
            let proxy = find(variables).unwrap();
            ["http://x/", "https://x/"].map(|url| {
                let route = proxy.as_ref().map(|proxy| proxy.route(&url.parse().unwrap())).unwrap_or_default();
                route.proxy.map_or_else(String::new, |proxy| format!("{}:{}", proxy.host(), proxy.port()))
            })
        };
        for (variables, expected) in [
            (&[][..], ["", ""]),
            (&[("HTTP_PROXY", " ")], ["", ""]),
            (&[("https_proxy", "http://one:1")], ["", "one:1"]),
            (&[("HTTPS_PROXY", "one:1"), ("http_proxy", "two:2")], ["two:2", "one:1"]),
            (&[("http_proxy", "http://one"), ("ALL_PROXY", "socks5://two")], ["one:80", "two:1080"]),
            (&[("http_proxy", "one:1"), ("HTTP_PROXY", "two:2")], ["one:1", ""]),
            (&[("http_proxy", ""), ("all_proxy", "two:2")], ["", "two:2"]),
            (&[("all_proxy", "two:2"), ("no_proxy", "y,x")], ["", ""]),
        ] {
            assert_eq!(hosts(variables), expected, "{variables:?}");
        }
        let secret = find(&[("all_proxy", "socks5://me:p%40ss@two:99")]).unwrap().unwrap();
        assert_eq!(secret.https.as_ref().unwrap().proxy.password(), Some("p@ss"));
        assert!(format!("{secret:?}").contains("socks5://two:99") && !format!("{secret:?}").contains("ss@"));
        let error = find(&[("ALL_PROXY", "gopher://me:secret@x")]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }

    #[test]
    fn only_plain_http_is_forwarded() {
        for (proxy, http, https) in
            [("http://p", true, false), ("https://p", true, false), ("socks5h://p", false, false)]
        {
            let proxy = Proxy::new(proxy, "").unwrap();
            let is_forwarded = |url: &str| proxy.route(&url.parse().unwrap()).is_forwarded;
            assert_eq!((is_forwarded("http://x/"), is_forwarded("https://x/")), (http, https), "{proxy:?}");
        }
    }

    #[test]
    fn exceptions() {
        for (list, hosts, others) in [
            ("", &[][..], &["http://a.org/"][..]),
            ("*", &["http://a.org/", "http://[::1]/"], &[]),
            (
                "a.org",
                &["http://a.org/", "https://x.A.org:81/", "http://a.org./"],
                &["http://ba.org/", "http://a.org.b/"],
            ),
            (".a.org", &["http://a.org/", "http://x.a.org/"], &["http://ba.org/"]),
            ("*.a.org", &["http://a.org/", "http://x.a.org/"], &["http://ba.org/"]),
            ("b.org c.org,\ta.org.", &["http://a.org/", "http://b.org/", "http://c.org/"], &["http://d.org/"]),
            ("a.org:81,b.org", &["http://a.org:81/", "http://b.org:82/"], &["http://a.org/", "http://a.org:82/"]),
            ("a.org:443", &["https://a.org/"], &["http://a.org/"]),
            ("127.0.0.1", &["http://127.0.0.1:81/"], &["http://127.0.0.2/", "http://x127.0.0.1.org/"]),
            ("10.0.0.0/8", &["http://10.1.2.3/"], &["http://11.0.0.1/", "http://10.org/"]),
            ("192.168.1.64/26", &["http://192.168.1.127/"], &["http://192.168.1.128/"]),
            ("0.0.0.0/0", &["http://1.2.3.4/"], &["http://[::1]/", "http://a.org/"]),
            ("::1,[fe80::1]", &["http://[::1]/", "http://[fe80::1]:81/", "http://[0:0::1]/"], &["http://[::2]/"]),
            ("[::1]:81", &["http://[::1]:81/"], &["http://[::1]/"]),
            ("2001:db8::/32", &["http://[2001:db8:1::2]/"], &["http://[2001:db9::]/"]),
            ("0.1", &[], &["http://10.0.0.1/"]),
            ("10.0.0.0/x,/,.,:", &[], &["http://10.0.0.1/", "http://a.org/"]),
        ] {
            let proxy = Proxy::new("http://p", list).unwrap();
            let goes_around = |url: &&str| proxy.route(&url.parse().unwrap()).proxy.is_none();
            assert!(hosts.iter().all(goes_around), "{list:?}: {hosts:?}");
            assert!(!others.iter().any(goes_around), "{list:?}: {others:?}");
        }
    }
}
