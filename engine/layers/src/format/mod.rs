//! Index files of our own, as FORMAT.md specifies them.

mod body;
mod bytes;
mod damage;
pub(crate) mod error;
mod head;
mod header;
mod index;
mod input;
mod make;
mod merge;
mod options;
mod part;
mod section;

pub use damage::Damage;
pub use error::FormatError;
pub use head::{FORMAT, VERSION};
pub use index::{Layer, LayeredIndex, MAX_LAYERS, MIN_BLOCK_SIZE, Payload, WEAK_LEN, check_sizes};
pub use input::{Extent, Input, PIECE, make_room};
pub use make::{Contents, make, make_part};
pub use merge::{MergeError, NamedPart, merge};
pub use options::ReadOptions;
pub use part::{IndexPart, PartError, Shard, ShardError, read_pieces};
pub use section::{Section, SectionId, Sections, comes_twice};
