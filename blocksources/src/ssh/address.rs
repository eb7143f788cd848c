//! `ssh` URLs.

use std::fmt;
use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;
use url::Url;

/// What an `ssh://[user@]host[:port]/path` URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) user: Option<String>,
    /// As ssh wants it: an IPv6 address without brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// From the root, or relative to where a login begins.
    pub(super) path: Vec<u8>,
    /// The path as it is in the URL.
    shown_path: String,
}

impl Address {
    /// Reads `text`, or tells what is wrong with it.
    ///
    /// What ssh could take for an option is refused, and so is what a shell could take
    /// for more than a name: users have `ProxyCommand`s in which names are filled in.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "ssh").ok_or("it is not a valid ssh URL")?;
        if url.password().is_some() {
            return Err("a password does not belong in a URL; ssh uses keys, or asks for it");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("an ssh URL has no query and no fragment; write ? as %3F and # as %23");
        }
        let name = |text: &str| safe(&percent_decode_str(text).decode_utf8().ok()?);
        let user = match url.username() {
            "" => None,
            user => Some(name(user).ok_or(UNSAFE_USER)?),
        };
        let host = url.host_str().unwrap_or_default();
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            // The URL's parser has made sure that it is an IPv6 address.
            Some(address) => address.to_owned(),
            None => name(host).ok_or(UNSAFE_HOST)?,
        };
        let path: Vec<u8> = percent_decode_str(url.path()).collect();
        let path = path.strip_prefix(b"/~/").map(<[u8]>::to_vec).unwrap_or(path);
        if path.contains(&0) || path.ends_with(b"/") || path.is_empty() {
            return Err("its path names no file");
        }
        Ok(Self { user, host, port: url.port(), path, shown_path: url.path().to_owned() })
    }

    /// What is called `name` in the directory here.
    pub(super) fn with(&self, name: &str) -> Self {
        let path = match &*self.path {
            b"." => name.as_bytes().to_vec(),
            b"/" => [b"/", name.as_bytes()].concat(),
            path => [path, b"/", name.as_bytes()].concat(),
        };
        let above = if path.starts_with(b"/") { "" } else { "/~/" };
        let shown_path = format!("{above}{}", String::from_utf8_lossy(&path));
        Self { path, shown_path, ..self.clone() }
    }

    /// From `[user@]host`, where an IPv6 address is in brackets, and a path.
    pub(super) fn of(host: &str, path: &str) -> Result<Self, &'static str> {
        let (user, host) = match host.rsplit_once('@') {
            Some((user, host)) => (Some(safe(user).ok_or(UNSAFE_USER)?), host),
            None => (None, host),
        };
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => {
                // An address may have a zone: the name of a network interface.
                let (number, zone) = address.split_once('%').unwrap_or((address, "0"));
                let is_one = number.parse::<Ipv6Addr>().is_ok() && safe(zone).is_some();
                is_one.then(|| address.to_owned()).ok_or(UNSAFE_HOST)?
            }
            None => safe(host).ok_or(UNSAFE_HOST)?,
        };
        if path.contains('\0') {
            return Err("its path names no file");
        }
        let plain = match path.trim_end_matches('/') {
            "" if path.starts_with('/') => "/",
            "" => ".",
            plain => plain,
        };
        let above = if plain.starts_with('/') { "" } else { "/~/" };
        Ok(Self { user, host, port: None, path: plain.into(), shown_path: format!("{above}{plain}") })
    }
}

const UNSAFE_USER: &str = "its user name is not one that is safe to hand to ssh";
const UNSAFE_HOST: &str = "its host name is not one that is safe to hand to ssh";

/// A name, if neither ssh nor a shell can take it for anything else.
fn safe(name: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+@".contains(c);
    (!name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain)).then(|| name.to_owned())
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(formatter, "{user}@")?;
        }
        if self.host.contains(':') { write!(formatter, "[{}]", self.host) } else { formatter.write_str(&self.host) }?;
        if let Some(port) = self.port {
            write!(formatter, ":{port}")?;
        }
        formatter.write_str(&self.shown_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_to_go() {
        for (text, user, host, port, path) in [
            ("ssh://host/x", None, "host", None, "/x"),
            ("ssh://me@host.example.org:2222/dir/a%20b", Some("me"), "host.example.org", Some(2222), "/dir/a b"),
            ("ssh://host/~/x", None, "host", None, "x"),
            ("ssh://host/~me/x", None, "host", None, "/~me/x"),
            ("ssh://[::1]:22/x", None, "::1", Some(22), "/x"),
            ("ssh://me%40there@my_host/x", Some("me@there"), "my_host", None, "/x"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.user.as_deref(), address.host.as_str(), address.port), (user, host, port), "{text}");
            assert_eq!(address.path, path.as_bytes());
            assert_eq!(address.to_string(), text.replace("%40", "@"));
        }
    }

    #[test]
    fn refuses_what_ssh_or_a_shell_could_misunderstand() {
        for text in [
            "ssh://-oProxyCommand=id/x",
            "ssh://%2doProxyCommand=id/x",
            "ssh://-l@host/x",
            "ssh://%2Dl@host/x",
            "ssh://a;id@host/x",
            "ssh://$(id)@host/x",
            "ssh://host%60id%60/x",
            "ssh://ho%20st/x",
            "ssh://ho%0ast/x",
            "ssh://me:secret@host/x",
            "ssh:///x",
            "ssh://host",
            "ssh://host/",
            "ssh://host/dir/",
            "ssh://host/~/",
            "ssh://host/a%00b",
            "ssh://host/a?b",
            "ssh://host/a#b",
            "http://host/x",
            "ssh:host",
            "host:x",
        ] {
            let refused = Address::parse(text);
            assert!(refused.is_err(), "{text}: {refused:?}");
        }
    }
}
