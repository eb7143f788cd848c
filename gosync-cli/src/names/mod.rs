//! The other programs that this one also is: as commands, and by their own names.

pub(crate) mod personality;
pub(crate) mod rdiff;
pub(crate) mod zsync;
pub(crate) mod zsyncmake;
