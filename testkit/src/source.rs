//! Sources and sinks that record, misbehave and check.

mod failing;
mod faulty;
mod memory;
mod recording;
mod sink;

pub use failing::FailingSource;
pub use faulty::{Fault, FaultySource};
pub use memory::MemorySource;
pub use recording::RecordingSource;
pub use sink::{FnSink, MemorySink};
