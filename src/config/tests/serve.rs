//! The `[serve]` section.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::*;

/// The SHA-256 of `token`, as `nightferry token` prints it.
const HASH: &str = "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0";

fn text(lines: &str) -> String {
    format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{SOURCE}{DESTINATION}[serve]\n{lines}\n")
}

fn token(lines: &str) -> String {
    format!("[[serve.token]]\nid = 'one'\n{lines}\n")
}

fn good(lines: &str) -> ServeConfig {
    let token = token(&format!("sha256 = '{HASH}'\nsend = 'all'"));
    let config = parse(&text(&format!("{lines}\n{token}"))).unwrap();
    config.serve.unwrap()
}

/// What is said of the section, without the file's name.
fn said(lines: &str) -> Vec<String> {
    mistakes(&text(lines))
        .lines()
        .map(|line| line.splitn(3, ':').nth(2).unwrap().trim().to_owned())
        .collect()
}

#[test]
fn without_keys_it_listens_on_loopback_and_has_bounds() {
    let serve = good("");
    assert_eq!(serve.listen, "127.0.0.1:8030".parse().unwrap());
    assert_eq!((serve.tls, serve.project_id), (None, None));
    assert_eq!(
        serve.limits,
        ServeLimits {
            most_names: 1_000,
            most_body_bytes: 4 << 20,
            memory_bytes: 64 << 20,
            connections: 512,
            patience: Duration::from_secs(30),
        }
    );
    assert_eq!(serve.tokens[0].send, SendTo::All);
    assert!(!serve.tokens[0].read);
    assert!(
        parse(&text("").replace("[serve]", ""))
            .unwrap()
            .serve
            .is_none()
    );
}

#[test]
fn an_address_that_others_reach_needs_a_certificate_or_a_word() {
    let open = "listen = '0.0.0.0:8030'";
    for lines in [
        "allow_http = true",
        "tls_certificate = 'c.pem'\ntls_key = 'k.pem'",
    ] {
        good(&format!("{open}\n{lines}"));
    }
    good("listen = '[::1]:8030'");
    let token = token(&format!("sha256 = '{HASH}'\nread = true"));
    let said = said(&format!("{open}\n{token}"));
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("serve.listen: 0.0.0.0:8030 is open to other machines"));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let token = token(&format!(
        "sha256 = '{HASH}'\nsend = ['photos', 'films', 7]\nraed = true"
    ));
    let lines = format!(
        "listen = 'localhost'\ntls_key = 'k.pem'\nmost_names = 0\nmost_body = '1KiB'\n\
         memory = '1MiB'\nconnections = 'x'\npatience = '5'\nlisten_on = 1\n{token}"
    );
    let said = said(&lines);
    let expected = [
        "serve.tls_certificate: is missing; write tls_certificate = \"/etc/nightferry/….pem\"",
        "serve.listen: \"localhost\" is no address;",
        "serve.most_names: is out of range;",
        "serve.most_body: \"1KiB\" is out of range;",
        "serve.memory: is less than one body may have",
        "serve.connections: is of type string;",
        "serve.patience: \"5\" is no duration;",
        "serve.listen_on: unknown key; did you mean `listen`?",
        "serve.token 1, send: \"films\" is no task of this configuration;",
        "serve.token 1, send: one of them is no task of this configuration;",
        "serve.token 1, raed: unknown key; did you mean `read`?",
    ];
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn somebody_has_to_be_known_and_by_one_proof_alone() {
    assert!(said("")[0].starts_with("serve.token: is missing, so nobody could call;"));
    let keys = "access_key_id = 'AK'\nsecret_access_key = 'hush'";
    for (lines, expected) in [
        ("read = true", "serve.token 1, sha256: is missing;"),
        (
            "sha256 = 'hush'\nread = true",
            "serve.token 1, sha256: is no SHA-256;",
        ),
        (
            "access_key_id = 'AK'\nread = true",
            "serve.token 1, secret_access_key: is missing;",
        ),
        (
            keys,
            "serve.token 1, send: is missing, and so are read and control,",
        ),
        (
            &format!("sha256 = '{HASH}'\n{keys}\nread = true"),
            "serve.token 1, sha256: stands beside keys;",
        ),
    ] {
        let said = said(&token(lines));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with(expected), "{said:?}");
        assert!(!said[0].contains("hush"), "{said:?}");
    }
    let wrong = token(&format!("sha256 = '{HASH}'\nsend = ['typo']"));
    assert_eq!(
        said(&wrong.repeat(2)),
        [
            "serve.token 1, send: \"typo\" is no task of this configuration; write the id of one",
            "serve.token 2, id: is the id of an earlier token too; write another",
            "serve.token 2, send: \"typo\" is no task of this configuration; write the id of one",
        ]
    );
    let two = token(&format!("sha256 = '{HASH}'\nread = true")).repeat(2);
    assert_eq!(
        said(&two),
        ["serve.token 2, id: is the id of an earlier token too; write another"]
    );
    let serve = parse(&text(&token(&format!("{keys}\nread = true"))))
        .unwrap()
        .serve
        .unwrap();
    let resolved = serve.tokens[0].resolve_keys().unwrap().unwrap();
    assert_eq!(resolved.access_key_id, "AK");
    assert!(!format!("{serve:?} {resolved:?}").contains("hush"));
}

#[test]
fn files_of_its_secrets_that_others_may_read_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    for (name, mode) in [("k.pem", 0o644), ("secret", 0o644), ("c.pem", 0o644)] {
        fs::write(folder.path().join(name), "x").unwrap();
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.path().join(name), mode).unwrap();
    }
    let lines = format!(
        "tls_certificate = 'c.pem'\ntls_key = 'k.pem'\n{}",
        token("access_key_id = 'AK'\nsecret_access_key = { file = 'secret' }\nread = true")
    );
    let config = Config::parse(&text(&lines), &folder.path().join("nightferry.toml")).unwrap();
    let warned = config.warnings().join("\n");
    assert!(warned.contains("k.pem holds a secret") && warned.contains("secret holds a secret"));
    assert!(!warned.contains("c.pem"));
}

#[test]
fn where_callers_reach_it_is_said_or_worked_out() {
    let photos = "photos".parse().unwrap();
    for (lines, host, origin, is_tls) in [
        ("", None, "http://127.0.0.1:8030", false),
        ("", Some("localhost:8030"), "http://localhost:8030", false),
        (
            "public_url = 'https://ferry.example.com/'",
            Some("localhost"),
            "https://ferry.example.com",
            true,
        ),
        (
            "tls_certificate = 'c'\ntls_key = 'k'",
            Some("ferry"),
            "https://ferry",
            true,
        ),
    ] {
        let serve = good(lines);
        assert_eq!(serve.origin(host), origin);
        assert_eq!(serve.is_called_over_tls(), is_tls, "{lines}");
        let url = serve.events_url(origin, &photos);
        assert_eq!(url, format!("{origin}/v2/any/sync-tasks/photos/events"));
    }
    for (lines, origin) in [
        ("", "http://127.0.0.1:8030"),
        ("listen = '0.0.0.0:1'\nallow_http = true", "http://ferry:1"),
        ("listen = '[::]:1'\nallow_http = true", "http://ferry:1"),
        (
            "listen = '[::]:1'\nallow_http = true\npublic_url = 'https://a.example'",
            "https://a.example",
        ),
    ] {
        assert_eq!(good(lines).own_origin("ferry"), origin);
    }
    let named = good("project_id = 'a b'");
    assert_eq!(
        named.events_url("http://x", &photos),
        "http://x/v2/a%20b/sync-tasks/photos/events"
    );
}

#[test]
fn a_public_url_is_scheme_host_and_port_alone() {
    let token = token(&format!("sha256 = '{HASH}'\nsend = 'all'"));
    for url in [
        "ferry.example.com",
        "ftp://ferry",
        "https://ferry/path",
        "https://u:p@ferry",
        "https://ferry/?a",
    ] {
        assert_eq!(
            said(&format!("public_url = '{url}'\n{token}")),
            [format!(
                "serve.public_url: {url:?} is no such address; write scheme, host and port alone, such as \"https://nightferry.example.com\""
            )]
        );
    }
}

#[test]
fn the_page_is_open_on_loopback_alone() {
    assert!(!good("").open_page);
    for listen in ["127.0.0.1:1", "[::1]:1"] {
        assert!(good(&format!("listen = '{listen}'\nopen_page = true")).open_page);
    }
    let token = token(&format!("sha256 = '{HASH}'\nsend = 'all'"));
    assert_eq!(
        said(&format!(
            "listen = '0.0.0.0:1'\nallow_http = true\nopen_page = true\n{token}"
        )),
        [
            "serve.open_page: would show the page to whoever reaches 0.0.0.0:1; leave it out, and sign in with a token that has read = true"
        ]
    );
    assert_eq!(
        said(&format!(
            "public_url = 'https://a.example'\nopen_page = true\n{token}"
        )),
        [
            "serve.open_page: would show the page to whoever reaches it through the proxy at public_url; leave out one of them"
        ]
    );
}
