//! How it comes up, and how it ends.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use super::{Answer, House, PHOTOS, Serving, event, request};

#[test]
fn a_call_that_is_under_way_is_answered_before_it_ends() {
    for signal in ["TERM", "INT"] {
        let house = House::new();
        let mut serving = house.serve();
        let mut stream = serving.connect();
        let fields = [("X-Auth-Token", PHOTOS), ("Expect", "100-continue")];
        let whole = request(super::EVENTS, &fields, &event(&["a", "b"]));
        let (head, body) = whole.split_at(whole.find('{').unwrap());
        stream.write_all(head.as_bytes()).unwrap();
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        serving.process.stop(signal);
        std::net::TcpStream::connect(serving.address).unwrap_err();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(Answer::parse(&answer).status, 200);
        assert_eq!(serving.process.end().code, Some(0));
        assert_eq!(house.requested(), ["a", "b"]);
        house.check_books();
    }
}

#[test]
fn a_second_process_for_the_same_data_directory_is_refused() {
    let house = House::new();
    let serving = house.serve();
    let second = house.does(&["serve"]);
    assert_eq!(second.code, Some(3), "{second:?}");
    assert!(
        second.stderr.contains("another `nightferry serve`"),
        "{second:?}"
    );
    serving.accepts(&["a"]);
}

#[test]
fn what_cannot_be_used_is_said_and_ends_with_3() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let house = House::new();
    let text = fs::read_to_string(house.config()).unwrap();
    for (from, to, said) in [
        (
            "127.0.0.1:0",
            address.as_str(),
            "cannot listen on 127.0.0.1:",
        ),
        (
            "\"secret-of-the-one-who-signs\"",
            "{ env = \"NIGHTFERRY_NOT_SET\" }",
            "serve.token \"sdk\"",
        ),
        (
            "127.0.0.1:0\"",
            "127.0.0.1:0\"\ntls_certificate = \"no.pem\"\ntls_key = \"no.pem\"",
            "no.pem",
        ),
    ] {
        fs::write(house.config(), text.replace(from, to)).unwrap();
        let ended = house.does(&["serve"]);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
    let end = text.find("[serve]").unwrap();
    let tasks = text.find("[[task]]").unwrap();
    fs::write(house.config(), text[..end].to_owned() + &text[tasks..]).unwrap();
    let ended = house.does(&["serve"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("has no section [serve]"), "{ended:?}");
}

#[test]
fn a_socket_that_systemd_hands_over_is_listened_on_and_systemd_is_told() {
    let house = House::new();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let notified = house.folder.path().join("notify");
    let systemd = UnixDatagram::bind(&notified).unwrap();
    // The socket comes as stdin and is put where systemd puts it; the number of
    // the process is known only once it is there.
    let mut child = Command::new("sh")
        .arg("-c")
        .arg("LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" --config \"$1\" serve 3<&0")
        .arg(assert_cmd::cargo::cargo_bin!("nightferry"))
        .arg(house.config())
        .env("NOTIFY_SOCKET", &notified)
        .stdin(Stdio::from(OwnedFd::from(socket)))
        .spawn()
        .unwrap();
    let mut said = [0; 100];
    let count = systemd.recv(&mut said).unwrap();
    assert_eq!(&said[..count], b"READY=1\n");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let whole = request(super::EVENTS, &[("X-Auth-Token", PHOTOS)], &event(&["a"]));
    stream.write_all(whole.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(Answer::parse(&answer).status, 200);
    let id = child.id().to_string();
    assert!(Command::new("kill").arg(id).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(house.requested(), ["a"]);
}

#[test]
fn with_a_certificate_it_speaks_tls() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let lines = "tls_certificate = \"certificate.pem\"\ntls_key = \"key.pem\"";
    let house = House::with(lines, "");
    fs::write(
        house.folder.path().join("certificate.pem"),
        certificate.pem(),
    )
    .unwrap();
    fs::write(house.folder.path().join("key.pem"), key.serialize_pem()).unwrap();
    let serving = house.serve();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let connection = rustls::ClientConnection::new(config.into(), name).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, serving.connect());
    let whole = request(super::EVENTS, &[("X-Auth-Token", PHOTOS)], &event(&["a"]));
    stream.write_all(whole.as_bytes()).unwrap();
    let mut answer = [0; 1000];
    let count = stream.read(&mut answer).unwrap();
    assert!(answer[..count].starts_with(b"HTTP/1.1 200 "));
    // Who speaks plain HTTP there is not understood, and nobody else minds.
    let mut plain = serving.connect();
    plain.write_all(whole.as_bytes()).unwrap();
    drop(plain.read_to_end(&mut Vec::new()));
    assert_eq!(house.wait_requested(1), ["a"]);
    assert_eq!(Serving::stop(serving).code, Some(0));
}
