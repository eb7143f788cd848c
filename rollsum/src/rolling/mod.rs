//! Sums of windows that move.

mod rabin_karp;
mod rsync;
mod window;

pub(crate) use rabin_karp::RabinKarp;
pub(crate) use rsync::Rsync;
pub(crate) use window::Rolling;
