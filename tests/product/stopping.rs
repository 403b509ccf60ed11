//! Starting and stopping the server.

use crate::server::{DEADLINE, Home, TestServer};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::Arc;

fn connected(server: &TestServer, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn clients_that_do_nothing_do_not_hold_up_the_end() {
    let mut server = TestServer::start();
    let long = "x".repeat(900_000);
    for _ in 0..20 {
        server.make("group_1", &long);
    }
    let post =
        "POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let mut stubborn = vec![
        connected(&server, ""),
        connected(&server, "GET /api/health HTTP/1.1\r\nHost: loc"),
        connected(&server, &format!("{post}Content-Length: 500\r\n\r\n{{")),
    ];
    let mut unread = connected(&server, "GET /api/messages HTTP/1.1\r\nHost: localhost\r\n\r\n");
    unread.read_exact(&mut [0; 16]).unwrap();
    stubborn.push(unread);
    let mut idle = connected(&server, "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    idle.read_exact(&mut [0; 16]).unwrap();
    stubborn.push(idle);
    assert_eq!(server.stop(), Some(0));
    let log = server.log();
    assert!(!log.contains("did not end in time") && log.contains("stopped"), "{log}");
}

#[test]
fn another_file_at_the_place_of_the_socket_is_left_alone() {
    let home = Home::new();
    let socket = home.db().with_extension("sock");
    std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
    std::fs::write(&socket, "precious").unwrap();
    let error = home.fails(1, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(error.contains(socket.to_str().unwrap()) && error.contains("--db"), "{error}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");
    std::fs::remove_file(&socket).unwrap();
    let mut server = TestServer::start_in(Arc::new(home), &[]);
    server.kill();
    assert!(socket.exists(), "the socket of a server that was killed");
    server.start_again();
    assert_eq!(server.stop(), Some(0));
    assert!(!socket.exists());
}

#[test]
fn systemd_is_told_also_where_its_socket_is_no_file() {
    let name = format!("rechat-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let systemd = UnixDatagram::bind_addr(&address).unwrap();
    systemd.set_read_timeout(Some(DEADLINE)).unwrap();
    let variable = format!("@{name}");
    let home = Arc::new(Home::new());
    let mut server = TestServer::start_among(home, &[], &[("NOTIFY_SOCKET", Path::new(&variable))]);
    let told = || {
        let mut text = [0; 64];
        let length = systemd.recv(&mut text).unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    };
    assert_eq!(told(), "READY=1\n");
    server.stop();
    assert_eq!(told(), "STOPPING=1\n");
}
