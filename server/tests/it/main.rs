//! What the server says to requests, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, in its helpers too")]

use std::path::Path;

use gosync_server::{RunningServer, Server};

mod patience;
mod ranges;
mod requests;
mod wire;

fn serve(root: &Path) -> RunningServer {
    Server::bind(root, "127.0.0.1:0".parse().unwrap()).unwrap().spawn().unwrap()
}
