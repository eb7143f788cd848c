//! A target behind an HTTP(S) server (RFC 9110, sections 13 and 14).

mod agent;
pub(crate) mod answer;
pub(crate) mod broken;
mod client;
mod content_range;
pub mod cost;
mod credentials;
pub(crate) mod document;
mod fetch;
mod forward;
mod heads;
mod hosts;
mod identity;
mod location;
pub mod multipart;
mod netrc;
pub(crate) mod options;
mod proxy;
mod receive;
mod remote;
pub(crate) mod source;
pub(crate) mod status;
mod tls;

pub use credentials::{Credentials, Secret};
pub use document::HttpDocument;
pub use hosts::Hosts;
pub use netrc::Netrc;
pub use options::HttpOptions;
pub use proxy::Proxy;
pub use source::HttpSource;
pub use tls::RootCertificates;
