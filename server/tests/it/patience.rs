//! Clients that take nothing, and more of them than there is room for.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use gosync_server::Server;

const REQUEST: &[u8] = b"GET /file HTTP/1.1\r\nHost: test\r\n\r\n";

/// More than any socket holds.
const LEN: u64 = 256 << 20;

fn server(patience: Duration, connections: usize) -> (tempfile::TempDir, gosync_server::RunningServer) {
    let directory = tempfile::tempdir().unwrap();
    File::create(directory.path().join("file")).unwrap().set_len(LEN).unwrap();
    let server = Server::bind(directory.path(), "127.0.0.1:0".parse().unwrap()).unwrap();
    let server = server.with_patience(patience).with_connections(connections).spawn().unwrap();
    (directory, server)
}

fn client(server: &gosync_server::RunningServer) -> TcpStream {
    let mut client = TcpStream::connect(server.local_addr()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    client.write_all(REQUEST).unwrap();
    client
}

#[test]
fn a_client_that_takes_nothing_is_left() {
    let (_directory, server) = server(Duration::from_millis(50), 10);
    let mut idle = client(&server);
    std::thread::sleep(Duration::from_millis(300));
    let (mut taken, mut buffer) = (0, vec![0; 1 << 20]);
    while let Ok(read @ 1..) = idle.read(&mut buffer) {
        taken += read as u64;
    }
    assert!(taken > 0 && taken < LEN, "{taken}");
    // One that takes what it asked for is served to the end, however long that takes.
    let mut busy = client(&server);
    let mut taken = 0;
    while taken < LEN {
        let read = busy.read(&mut buffer).unwrap();
        assert!(read > 0, "{taken}");
        taken += read as u64;
    }
}

#[test]
fn clients_wait_for_their_turn() {
    let (_directory, server) = server(Duration::from_secs(30), 2);
    let mut byte = [0];
    let mut served: Vec<TcpStream> = (0..2).map(|_| client(&server)).collect();
    for client in &mut served {
        client.read_exact(&mut byte).unwrap();
    }
    let mut waiting = client(&server);
    waiting.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(waiting.read(&mut byte).is_err(), "there is no room");
    served.pop();
    waiting.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    waiting.read_exact(&mut byte).unwrap();
}
