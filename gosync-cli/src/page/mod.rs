//! A page that shows where the bytes of a target come from.
//!
//! It needs nothing but itself: no script, no font, no picture from elsewhere. However
//! many spans there are, it stays below half a megabyte: what is smaller than a cell of
//! the picture is added up.

mod cells;
mod data;
mod flow;
mod layers;
mod map;
mod render;
pub(crate) mod write;
