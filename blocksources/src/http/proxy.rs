//! Through whom to ask.

use std::fmt;

use gosync_chunks::SourceError;

use crate::location::redact;

/// A proxy: http or https, which is asked to CONNECT, or socks4, socks4a, socks5 or
/// socks5h.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub(super) inner: ureq::Proxy,
    /// Without secrets.
    location: String,
}

impl Proxy {
    /// The proxy at `url`, which may have a user name and a password, but not for the
    /// hosts in `except`: names, `.ends` and `*.ends` of names, between commas, or `*`.
    ///
    /// # Errors
    ///
    /// When `url` makes no sense.
    pub fn new(url: &str, except: &str) -> Result<Self, SourceError> {
        let location = redact(url);
        let build = || {
            let plain = ureq::Proxy::new(url).ok()?;
            let mut builder = ureq::Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
            builder = plain.username().into_iter().fold(builder, |builder, user| builder.username(user));
            builder = plain.password().into_iter().fold(builder, |builder, password| builder.password(password));
            let hosts = except.split(',').map(str::trim).filter(|host| !host.is_empty());
            hosts.fold(builder, |builder, host| builder.no_proxy(host)).build().ok()
        };
        match build() {
            Some(inner) => Ok(Self { inner, location }),
            None => Err(SourceError::Refused { location, reason: "it is not a valid URL of a proxy".into() }),
        }
    }

    /// The proxy that the environment asks for: the first of `ALL_PROXY`, `HTTPS_PROXY`
    /// and `HTTP_PROXY`, or the same in lower case, but not for the hosts in `NO_PROXY`.
    /// `variable` tells what is in a variable.
    ///
    /// # Errors
    ///
    /// When what is there makes no sense.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SourceError> {
        let either = |name: &str| {
            let found = variable(name).or_else(|| variable(&name.to_ascii_lowercase()));
            found.filter(|value| !value.trim().is_empty())
        };
        let except = either("NO_PROXY").unwrap_or_default();
        let url = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"].into_iter().find_map(either);
        url.map(|url| Self::new(url.trim(), &except)).transpose()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Proxy").field(&self.location).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_environment() {
        let find = |variables: &[(&str, &str)]| {
            Proxy::from_variables(|name| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(find(&[]).unwrap(), None);
        assert_eq!(find(&[("HTTP_PROXY", " ")]).unwrap(), None);
        let all = find(&[("http_proxy", "http://one"), ("all_proxy", "socks5://me:secret@two:99")]).unwrap().unwrap();
        assert_eq!((all.inner.host(), all.inner.port(), all.inner.password()), ("two", 99, Some("secret")));
        assert_eq!(format!("{all:?}"), "Proxy(\"socks5://two:99\")");
        let some = find(&[("HTTPS_PROXY", "three:81"), ("no_proxy", "a.org, .b.org")]).unwrap().unwrap();
        let goes_around = |url: &str| some.inner.is_no_proxy(&url.parse().unwrap());
        assert!(goes_around("http://a.org/") && goes_around("https://x.b.org/") && !goes_around("http://c.org/"));
        let error = find(&[("ALL_PROXY", "gopher://me:secret@x")]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}
