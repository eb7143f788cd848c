//! Options that several commands take.

pub(crate) mod environment;
pub(crate) mod far;
pub(crate) mod global;
pub(crate) mod identity;
pub(crate) mod network;
pub(crate) mod signing;
pub(crate) mod trust;
pub(crate) mod values;
pub(crate) mod whole;
