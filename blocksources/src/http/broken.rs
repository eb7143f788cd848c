//! What it means that no answer came, or that it broke off.

use std::io;

use gosync_chunks::SourceError;
use ureq::http::StatusCode;
use ureq::{Error, Timeout};

use super::status;

/// The error that `error` is to a request for what is at `location`.
pub(crate) fn error(location: &str, error: &Error) -> SourceError {
    let refused = |reason: String| SourceError::Refused { location: location.to_owned(), reason };
    // Only the text is passed on: nobody is to take a broken connection for a broken output.
    let unreachable = |is_transient, told: String| SourceError::Unreachable {
        location: location.to_owned(),
        is_transient,
        source: told.into(),
    };
    match error {
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            unreachable(false, format!("there is no secure connection to it: {error}"))
        }
        Error::Timeout(Timeout::Global) => unreachable(false, "the time for all of it is over".into()),
        Error::TlsRequired => unreachable(false, "there is no secure connection to it".into()),
        Error::Io(error) => unreachable(true, error.to_string()),
        // The text of this one may hold a whole URL, secrets included.
        Error::BadUri(_) => refused("it is not a valid http or https URL".into()),
        Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) => {
            refused(format!("its answer is not valid HTTP: {error}"))
        }
        // All that ureq tells of the answer to CONNECT.
        Error::ConnectProxyFailed(told) if told.ends_with("/407") => {
            status::error(location, StatusCode::PROXY_AUTHENTICATION_REQUIRED, None)
        }
        other => unreachable(true, other.to_string()),
    }
}

/// How a request ended that was sent, and not answered as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The connection was closed or reset.
    Broken,
    /// Nothing came in time.
    Silent,
}

/// How it ended, where that may be because of what was asked for.
pub(super) fn end(error: &Error) -> Option<End> {
    match error {
        Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Some(End::Broken),
            // Of a body, what ureq says is wrapped.
            _ => end(error.get_ref()?.downcast_ref()?),
        },
        Error::Timeout(Timeout::RecvResponse | Timeout::RecvBody | Timeout::PerRead) => Some(End::Silent),
        _ => None,
    }
}

/// Whether a new connection may do better at once.
pub(super) fn is_worth_a_retry(error: &Error) -> bool {
    match error {
        // A time-out has cost its time already.
        Error::Io(told) => told.kind() == io::ErrorKind::ConnectionRefused || end(error) == Some(End::Broken),
        // What was sent too much with the answer before may be in the way.
        Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_get_no_answer() {
        let io = |kind: io::ErrorKind| Error::Io(io::Error::new(kind, "told"));
        let refused = |told: &str| Error::ConnectProxyFailed(told.into());
        for (broken, is_transient, retries, expected) in [
            (io(io::ErrorKind::ConnectionReset), true, true, "cannot reach x: told"),
            (io(io::ErrorKind::TimedOut), true, false, "cannot reach x: told"),
            (io(io::ErrorKind::InvalidData), false, false, "cannot reach x: there is no secure connection to it: told"),
            (Error::TlsRequired, false, false, "cannot reach x: there is no secure connection to it"),
            (Error::Timeout(Timeout::Global), false, false, "cannot reach x: the time for all of it is over"),
            (Error::HostNotFound, true, false, "cannot reach x: host not found"),
            (Error::BadUri("secret".into()), false, false, "x does not deliver: it is not a valid http or https URL"),
            (Error::LargeResponseHeader(2, 1), false, true, "x does not deliver: its answer is not valid HTTP: "),
            (refused("server responded 407/407"), false, false, "access to x is denied: status 407 Proxy"),
            (refused("server responded 502/502"), true, false, "cannot reach x: CONNECT proxy failed"),
        ] {
            let error = error("x", &broken);
            let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
            assert!(format!("{error}{cause}").starts_with(expected), "{error}{cause}");
            assert_eq!((error.is_transient(), is_worth_a_retry(&broken)), (is_transient, retries), "{broken:?}");
        }
    }
}
