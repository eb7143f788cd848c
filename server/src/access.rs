//! What is told of each request.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// A request and how it is answered. Its [`Display`](fmt::Display) is a line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessRecord {
    /// Who asks.
    pub peer: SocketAddr,
    /// The method, such as `GET`.
    pub method: String,
    /// The path and query, as they were sent.
    pub target: String,
    /// The `Range` header, as it was sent.
    pub range: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// Bytes in the body of the answer, should it be sent to its end.
    pub bytes: u64,
}

impl fmt::Display for AccessRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, method, target, range, status, bytes } = self;
        let range = range.as_deref().unwrap_or("-");
        write!(formatter, "{peer} {method} {target} {range} {status} {bytes}")
    }
}

type Callback = dyn Fn(&AccessRecord) + Send + Sync;

/// What is told of every request, if anything is.
#[derive(Clone, Default)]
pub(crate) struct AccessLog(Option<Arc<Callback>>);

impl AccessLog {
    pub(crate) fn new(log: impl Fn(&AccessRecord) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(log)))
    }

    /// Makes the record only where someone listens.
    pub(crate) fn tell(&self, record: impl FnOnce() -> AccessRecord) {
        if let Some(log) = &self.0 {
            log(&record());
        }
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("AccessLog").field(&self.0.is_some()).finish()
    }
}
