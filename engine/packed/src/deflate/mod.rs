//! The deflate format (RFC 1951): bits, Huffman's codes, blocks and tokens.

pub(crate) mod bits;
pub(crate) mod block;
pub(crate) mod decode;
pub(crate) mod huffman;
pub(crate) mod symbols;
pub(crate) mod token;
