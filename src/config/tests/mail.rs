//! The section `[mail]`.

use super::*;
use crate::model::MailAddress;

const WHOLE: &str = "server = 'smtp.example.com'\nfrom = 'nightferry@example.com'\n\
                     to = ['ops@example.com']\n";

fn with(lines: &str) -> String {
    format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{SOURCE}{DESTINATION}[mail]\n{lines}")
}

fn read(lines: &str) -> MailConfig {
    parse(&with(lines)).unwrap().mail.unwrap()
}

#[test]
fn what_is_not_said_of_a_mail_server_has_its_usual_value() {
    for (lines, port, security) in [
        ("", 587, MailSecurity::StartTls),
        ("security = 'tls'", 465, MailSecurity::Tls),
        (
            "security = 'none'\nallow_plain = true",
            25,
            MailSecurity::None,
        ),
        ("port = 2525", 2525, MailSecurity::StartTls),
    ] {
        let mail = read(&format!("{WHOLE}{lines}"));
        assert_eq!((mail.port, mail.security), (port, security));
        assert_eq!(mail.when, MailWhen::Always);
        assert!(mail.login.is_none() && mail.ca_file.is_none());
    }
    assert!(
        parse(&with("").replace("[mail]\n", ""))
            .unwrap()
            .mail
            .is_none()
    );
}

#[test]
fn addresses_may_have_names() {
    let mail = read(
        "server = '::1'\nfrom = 'Nightferry <nightferry@example.com>'\n\
         to = ['ops@mailhost', '\"Desk, night\" <desk@example.com>', 'Jörg Müller <j@example.com>']",
    );
    let address = |name: Option<&str>, address: &str| MailAddress {
        name: name.map(str::to_owned),
        address: address.to_owned(),
    };
    assert_eq!(
        mail.from,
        address(Some("Nightferry"), "nightferry@example.com")
    );
    assert_eq!(
        mail.to,
        [
            address(None, "ops@mailhost"),
            address(Some("Desk, night"), "desk@example.com"),
            address(Some("Jörg Müller"), "j@example.com"),
        ]
    );
}

#[test]
fn every_mistake_is_told_at_once_and_no_secret() {
    let lines = "server = 'user:hush@smtp.example.com'\nport = 0\nsecurity = 'ssl'\nuser = 'me'\n\
                 password = ['hush']\nfrom = 'nobody'\nto = ['ops@example.com', 7, 'a@b\\r\\nBcc: c@d']\n\
                 when = 'seldom'\nallow_plian = true\n";
    let said = mistakes(&with(
        &lines.replace("'a@b\\r\\nBcc: c@d'", "\"a@b\\r\\nBcc: c@d\""),
    ));
    let lines: Vec<&str> = said
        .lines()
        .map(|line| line.trim_start_matches("nightferry.toml:"))
        .collect();
    assert_eq!(
        lines,
        [
            "14: mail.server: is no name or address of a server; write it alone, such as \"smtp.example.com\", and its port as port = 587",
            "15: mail.port: is out of range; write a whole number from 1 to 65535",
            "16: mail.security: \"ssl\" is no such thing; write \"starttls\", \"tls\" or \"none\"",
            "18: mail.password: says no place of a key; write { env = \"NAME_OF_A_VARIABLE\" }, { file = \"path\" } or the key in quotes",
            "19: mail.from: \"nobody\" is no mail address; write one such as \"ops@example.com\" or \"Night desk <ops@example.com>\"",
            "20: mail.to: has an element that is no string in quotes",
            "20: mail.to: \"a@b\\r\\nBcc: c@d\" is no mail address; write one such as \"ops@example.com\" or \"Night desk <ops@example.com>\"",
            "21: mail.when: \"seldom\" is no such thing; write \"always\", \"problems\" or \"never\"",
            "22: mail.allow_plian: unknown key; did you mean `allow_plain`?",
        ]
    );
    assert!(!said.contains("hush"));
}

#[test]
fn what_is_missing_is_told_at_once() {
    let said = mistakes(&with("user = 'me'\nto = []\n"));
    let keys: Vec<&str> = said
        .lines()
        .map(|line| line.split(": ").nth(1).unwrap())
        .collect();
    assert_eq!(
        keys,
        ["mail.server", "mail.from", "mail.password", "mail.to"]
    );
}

#[test]
fn plain_text_is_for_this_machine_or_for_those_who_ask_for_it() {
    let plain = |server: &str, more: &str| {
        let lines = WHOLE.replace("smtp.example.com", server);
        parse(&with(&format!("{lines}security = 'none'\n{more}")))
    };
    for near in ["localhost", "127.0.0.1", "::1"] {
        plain(near, "").unwrap();
    }
    plain("10.0.0.1", "allow_plain = true").unwrap();
    let said = plain("10.0.0.1", "").unwrap_err().to_string();
    assert!(
        said.contains("mail.security: is none, and the server is another machine"),
        "{said}"
    );
    let said = plain("localhost", "ca_file = 'ca.pem'")
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("mail.ca_file: has no effect without TLS"),
        "{said}"
    );
}

#[test]
fn a_password_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("password");
    std::fs::write(&place, "hush\n").unwrap();
    let text = with(&format!(
        "{WHOLE}user = 'me'\npassword = {{ file = 'password' }}"
    ));
    let config = Config::parse(&text, &folder.path().join("nightferry.toml")).unwrap();
    let (user, password) = config
        .mail
        .as_ref()
        .unwrap()
        .login
        .as_ref()
        .unwrap()
        .resolve()
        .unwrap();
    assert_eq!((user.as_str(), password.reveal()), ("me", "hush"));
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode)).unwrap();
        let warnings = config.warnings().concat();
        assert_eq!(warnings.contains(&place.display().to_string()), warned);
    }
}
