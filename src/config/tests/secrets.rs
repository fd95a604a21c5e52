//! What is said of credentials, and that no secret is ever shown.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// What is said about a task whose source has these lines for its credentials.
fn mistakes_of_credentials(lines: &str) -> String {
    mistakes(&format!(
        "data_dir = 'd'\n[[task]]\nid = 'photos'\n{DESTINATION}[task.source]\n\
         endpoint = 'https://s3.example.com'\nbucket = 'photos'\n{lines}"
    ))
}

#[test]
fn credentials_are_keys_or_a_profile_and_complete() {
    let cases = [
        (
            "profile = 'night'\naccess_key_id = 'AKIA'\nsecret_access_key = 'hush'",
            "nightferry.toml:11: task \"photos\", source.profile: stands beside keys; \
             write either profile, or access_key_id and secret_access_key",
        ),
        (
            "",
            "nightferry.toml:8: task \"photos\", source.access_key_id: is missing; \
             write access_key_id and secret_access_key, profile = \"…\" or credential_process = \"…\"",
        ),
        (
            "access_key_id = 'AKIA'",
            "nightferry.toml:8: task \"photos\", source.secret_access_key: is missing; \
             write secret_access_key = { env = \"…\" }",
        ),
        (
            "secret_access_key = 'hush'",
            "nightferry.toml:8: task \"photos\", source.access_key_id: is missing; \
             write access_key_id = { env = \"…\" }",
        ),
    ];
    for (lines, said) in cases {
        assert_eq!(mistakes_of_credentials(lines), said);
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for secret in [
        "['hush']",
        "{ hush = 1 }",
        "{ env = 'hu/sh' }",
        "{ env = 'A', file = 'hush' }",
        "{ env = 1 }",
        "''",
        "7",
    ] {
        let said = mistakes_of_credentials(&format!(
            "access_key_id = 'AKIA'\nsecret_access_key = {secret}"
        ));
        assert_eq!(
            said,
            "nightferry.toml:12: task \"photos\", source.secret_access_key: says no place of a key; \
             write { env = \"NAME_OF_A_VARIABLE\" }, { file = \"path\" } or the key in quotes"
        );
    }
    // Every way to break the syntax around a secret.
    let line = "secret_access_key = \"hush\" ";
    for broken in [
        "=",
        "\"",
        "hush",
        "]",
        "\\",
        "'",
        "\u{1}",
        "\nsecret_access_key = 'hush'",
    ] {
        let said = mistakes_of_credentials(&format!("{line}{broken}\n"));
        assert!(said.starts_with("nightferry.toml:1"), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
}

#[test]
fn neither_debug_nor_mistakes_show_a_literal_secret() {
    let source = SOURCE.replace("{ env = 'NIGHTFERRY_NO_SUCH_SECRET' }", "'hush'");
    let text = format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{source}{DESTINATION}");
    let config = parse(&text).unwrap();
    assert!(!format!("{config:?}").contains("hush"));
    // Cut anywhere, and with anything before it, the text has mistakes; none shows the secret.
    for cut in 0..text.len() {
        for wrong in [&text[..cut], &text[cut..]] {
            if let Err(error) = parse(wrong) {
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("hush"), "{wrong}\n{shown}");
            }
        }
    }
}

#[test]
fn an_unset_variable_matters_only_when_credentials_are_resolved() {
    let text = format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{SOURCE}{DESTINATION}");
    let config = parse(&text).unwrap();
    assert_eq!(
        config.tasks[0]
            .source
            .resolve_credentials()
            .unwrap_err()
            .to_string(),
        "access_key_id: the environment variable NIGHTFERRY_NO_SUCH_KEY is not set"
    );
}

#[test]
fn files_with_secrets_that_others_may_read_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let (path, secret) = (
        folder.path().join("nightferry.toml"),
        folder.path().join("secret"),
    );
    let keys = |secret: &str| {
        let keys = SOURCE.replace("{ env = 'NIGHTFERRY_NO_SUCH_SECRET' }", secret);
        keys.replace("photos", "originals")
    };
    let source = keys("'hush'");
    let destination = keys("{ file = 'secret' }")
        .replace("originals", "copies")
        .replace("source", "destination");
    let text = format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{source}{destination}");
    fs::write(&path, text).unwrap();
    fs::write(&secret, "hush").unwrap();
    let config = Config::load(&path).unwrap();
    let warnings = |mode: u32| {
        for file in [&path, &secret] {
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        }
        config.warnings()
    };
    assert_eq!(warnings(0o600), Vec::<String>::new());
    assert_eq!(
        warnings(0o644),
        [&path, &secret].map(|file| format!(
            "{} holds a secret and can be read by others; run chmod 600 on it",
            file.display()
        ))
    );
}
