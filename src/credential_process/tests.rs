use std::fs;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_ms(1_780_000_000_000)
}

/// What a shell script with this text gives.
fn run(script: &str) -> Result<AccessKeys, String> {
    let process = CredentialProcess::new(["sh", "-c", script].map(str::to_owned).to_vec());
    process.run(now).map_err(|error| error.to_string())
}

fn refused(printed: &str) -> String {
    let error = read(printed.as_bytes(), now()).map(drop).unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(!said.contains("hush"), "{said}");
    error.to_string()
}

#[test]
fn keys_are_read_with_and_without_token_and_expiration() {
    let lasting = run(r#"echo '{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "hush"}'"#);
    let lasting = lasting.unwrap();
    assert_eq!(lasting.access_key_id, "AK");
    assert_eq!(lasting.secret_access_key.reveal(), "hush");
    assert_eq!((lasting.session_token, lasting.expires_at), (None, None));
    for (expiration, ms) in [
        ("2026-05-28T20:26:41Z", 1_780_000_001_000),
        ("2026-05-28T20:26:41.250+00:00", 1_780_000_001_250),
        ("2026-05-28T22:26:41+0200", 1_780_000_001_000),
    ] {
        let text = format!(
            r#"{{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "hush",
                "SessionToken": "token", "Expiration": "{expiration}", "AccountId": 7}}"#
        );
        let keys = read(text.as_bytes(), now()).unwrap();
        assert_eq!(keys.session_token.as_ref().unwrap().reveal(), "token");
        assert_eq!(
            keys.expires_at,
            Some(Timestamp::from_ms(ms)),
            "{expiration}"
        );
    }
}

#[test]
fn what_is_no_answer_is_told_without_any_of_it() {
    let keys = r#""AccessKeyId": "hush", "SecretAccessKey": "hush""#;
    let with = |more: &str| format!("{{\"Version\": 1, {keys}{more}}}");
    for (printed, said) in [
        (
            String::new(),
            "printed what is no JSON object with keys (line 1, column 0)",
        ),
        (
            "hush".into(),
            "printed what is no JSON object with keys (line 1, column 1)",
        ),
        (
            r#"{"Version": 1, "AccessKeyId": 5}"#.into(),
            "printed what is no JSON object with keys (line 1, column 31)",
        ),
        (
            format!("{{{keys}}}"),
            "printed JSON without Version 1; only that version is known",
        ),
        (
            format!("{{\"Version\": 2, {keys}}}"),
            "printed JSON without Version 1; only that version is known",
        ),
        (
            format!("{{\"Version\": \"hush\", {keys}}}"),
            "printed JSON without Version 1; only that version is known",
        ),
        (
            r#"{"Version": 1, "AccessKeyId": "", "SecretAccessKey": "hush"}"#.into(),
            "printed JSON whose AccessKeyId is missing or empty",
        ),
        (
            r#"{"Version": 1, "AccessKeyId": "hush"}"#.into(),
            "printed JSON whose SecretAccessKey is missing or empty",
        ),
        (
            with(r#", "Expiration": "tomorrow, hush""#),
            "printed an Expiration that is no ISO 8601 time with its zone",
        ),
        (
            with(r#", "Expiration": "2026-05-28T20:26:40Z""#),
            "printed keys that expired at 2026-05-28T20:26:40Z",
        ),
    ] {
        assert_eq!(refused(&printed), said, "{printed}");
    }
}

#[test]
fn a_program_that_is_not_there_or_fails_or_says_too_much_is_an_error() {
    let process = CredentialProcess::new(vec!["/no/such/program".into(), "hush".into()]);
    let error = process.run(now).unwrap_err();
    assert_eq!(
        error.to_string(),
        "credential_process \"/no/such/program\" could not be started: \
         No such file or directory (os error 2)"
    );
    assert!(!format!("{error:?}").contains("hush"));
    assert_eq!(
        run("echo hush; exit 3").unwrap_err(),
        "credential_process \"sh\" ended with exit status: 3; what it says of that is on stderr"
    );
    assert_eq!(
        run("exec yes hush").unwrap_err(),
        "credential_process \"sh\" printed more than 64 KiB; it is to print JSON with keys"
    );
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("started");
    for script in [
        "sleep 600 & echo $! > $0; wait",
        "sleep 600 & echo $! > $0",
        "echo $$ > $0; exec >&-; sleep 600",
    ] {
        let words = ["sh", "-c", script, started.to_str().unwrap()].map(str::to_owned);
        let process = CredentialProcess {
            words: words.to_vec(),
            limit: Duration::from_millis(500),
        };
        assert_eq!(
            process.run(now).unwrap_err().to_string(),
            "credential_process \"sh\" was ended, as it took longer than 0.5 s"
        );
        let id: i32 = fs::read_to_string(&started)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        // Gone, or dead and not yet waited for by whoever inherited it.
        while fs::read_to_string(format!("/proc/{id}/stat"))
            .is_ok_and(|state| !state.contains(") Z ") && !state.contains(") X "))
        {
            std::thread::yield_now();
        }
    }
}
