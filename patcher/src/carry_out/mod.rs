//! Carrying out a plan: into a file from many threads, or into a stream in order.

mod assemble;
mod copy;
mod fetch;
mod holes;
mod kept;
mod known;
mod missing;
mod output;
mod repeat;
mod standing;
mod to_file;
mod to_stream;
