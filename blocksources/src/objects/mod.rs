//! A target in an object store: S3 and its kin, Google's and Azure's.

pub(crate) mod settings;
pub(crate) mod source;
mod store;
mod transport;
mod writer;

pub use settings::ObjectSettings;
pub use source::ObjectSource;
pub use writer::ObjectWriter;
