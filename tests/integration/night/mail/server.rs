//! Mail servers of every kind, and what `doctor` says of them.

use std::fs;
use std::time::Duration;

use nightferry::mail::{MailServer, Security, Session};

use super::Desk;
use crate::smtp_server::{PASSWORD, SmtpServer, Trouble, USER, Way};

/// A desk whose mails go to `server`.
fn at(server: SmtpServer, lines: &str) -> Desk {
    let mut desk = Desk::new();
    desk.server = server;
    let place = desk.harbour.folder.path().join("ca.pem");
    fs::write(place, &desk.server.ca_pem).unwrap();
    desk.harbour.configure(&desk.text(lines));
    desk
}

#[test]
fn a_server_may_expect_tls_from_the_first_byte() {
    let desk = at(SmtpServer::start(Way::Tls), "security = \"tls\"");
    assert_eq!(desk.harbour.night().code, 0);
    assert!(desk.server.received()[0].secured);
}

#[test]
fn a_server_on_this_machine_may_go_without_tls_and_login() {
    let server = SmtpServer::start(Way::Plain);
    let mut desk = Desk::new();
    desk.server = server;
    let text = desk.text("security = \"none\"");
    let lines = text.lines().filter(|line| {
        let unwanted = ["user =", "password =", "ca_file ="];
        !unwanted.iter().any(|key| line.starts_with(key))
    });
    let text: Vec<&str> = lines.collect();
    desk.harbour.configure(&text.join("\n"));
    assert_eq!(desk.harbour.night().code, 0);
    let mail = &desk.server.received()[0];
    assert_eq!((mail.secured, &mail.user), (false, &None));
}

#[test]
fn a_certificate_for_another_server_is_not_trusted() {
    let desk = at(SmtpServer::start_as("mail.example.com", Way::StartTls), "");
    let end = desk.harbour.night();
    assert_eq!(end.code, 7, "{end:?}");
    for said in [
        "invalid peer certificate",
        "name its file as ca_file in [mail]",
    ] {
        assert!(end.stderr.contains(said), "{}", end.stderr);
    }
    assert!(desk.server.received().is_empty());
}

#[test]
fn doctor_tries_the_mail_server_and_sends_nothing() {
    let desk = Desk::new();
    let end = desk.harbour.run(&["doctor"]);
    let port = desk.server.port;
    let line = |end: &super::super::End| {
        let lines = end.stdout.lines();
        lines
            .last()
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line(&end),
        format!("ok mail 127.0.0.1:{port} answers and takes the login")
    );
    assert_eq!(end.code, 0, "{end:?}");
    desk.server.is_in(Trouble::RefusesLogin);
    let end = desk.harbour.run(&["doctor"]);
    assert_eq!(end.code, 7);
    assert!(line(&end).starts_with(&format!(
        "PROBLEM mail the mail server 127.0.0.1:{port} refused the login: "
    )));
    assert!(!end.stdout.contains(PASSWORD));
    assert!(desk.server.received().is_empty());
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let server = SmtpServer::start(Way::StartTls);
    server.is_in(Trouble::SaysNothing);
    let silent = MailServer {
        host: "127.0.0.1".to_owned(),
        port: server.port,
        security: Security::StartTls,
        login: Some((
            USER.to_owned(),
            nightferry::secret::Secret::new(PASSWORD.to_owned()),
        )),
        ca_pem: None,
        timeout: Duration::from_millis(50),
    };
    let error = Session::open(&silent).err().unwrap().to_string();
    assert!(error.contains("it did not answer in time"), "{error}");
}
