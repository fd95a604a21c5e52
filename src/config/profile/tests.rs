use super::*;

const FILE: &str = "\u{feff}# keys\n\
    [default]\naws_access_key_id = DEFAULT\naws_secret_access_key = hush-default\n\
    [ night ]\r\n  aws_access_key_id=NIGHT # since May\r\n;aws_access_key_id=OLD\r\n\
    aws_secret_access_key = hush+/night==\r\naws_session_token = hush-token\r\n\
    [half]\naws_access_key_id = HALF\naws_secret_access_key =\n\
    [here]\ncredential_process = /opt/here --as \"two words\"\n";

const CONFIG_FILE: &str = "[default]\nregion = eu-west-1\n\
    [profile night]\ncredential_process = /opt/never\n\
    [profile here]\ncredential_process = /opt/never\n\
    [ profile  there ]\ncredential_process = /opt/bin/creds --for there\n\
    aws_access_key_id = NEVER\naws_secret_access_key = hush\n\
    [profile static]\naws_access_key_id = STATIC\naws_secret_access_key = hush-static\n\
    [profile bare]\nregion = eu-west-1\n\
    [profile open]\ncredential_process = /opt/bin/creds 'hush\n\
    [unprefixed]\ncredential_process = /opt/never\n";

/// What is found where the two files hold these texts; `None`: one is not there.
fn resolve_in(
    credentials: Option<&str>,
    config: Option<&str>,
    profile: &str,
) -> Result<Credentials, CredentialsError> {
    let folder = tempfile::tempdir().unwrap();
    let places = [
        (CREDENTIALS.variable, "credentials", credentials),
        (CONFIG.variable, "config", config),
    ];
    for (_, name, text) in places {
        if let Some(text) = text {
            fs::write(folder.path().join(name), text).unwrap();
        }
    }
    resolve(profile, &|variable| {
        let place = places.iter().find(|(known, ..)| *known == variable);
        place.map(|(_, name, _)| folder.path().join(name).into_os_string())
    })
}

fn found(profile: &str) -> Result<Credentials, CredentialsError> {
    resolve_in(Some(FILE), Some(CONFIG_FILE), profile)
}

fn keys(profile: &str) -> AccessKeys {
    match found(profile).unwrap() {
        Credentials::Keys(keys) => keys,
        Credentials::Process(words) => panic!("{words:?}"),
    }
}

fn process(words: &[&str]) -> Credentials {
    Credentials::Process(words.iter().map(|&word| word.to_owned()).collect())
}

#[test]
fn a_profile_gives_its_static_keys() {
    let night = keys("night");
    assert_eq!(night.access_key_id, "NIGHT");
    assert_eq!(night.secret_access_key.reveal(), "hush+/night==");
    assert_eq!(night.session_token.unwrap().reveal(), "hush-token");
    let default = keys("default");
    assert_eq!(default.access_key_id, "DEFAULT");
    assert_eq!(default.session_token, None);
    assert_eq!(keys("static").access_key_id, "STATIC");
}

#[test]
fn a_profile_gives_its_program_where_the_aws_tools_look_for_it() {
    assert_eq!(
        found("here").unwrap(),
        process(&["/opt/here", "--as", "two words"])
    );
    let there = process(&["/opt/bin/creds", "--for", "there"]);
    assert_eq!(found("there").unwrap(), there);
    assert_eq!(resolve_in(None, Some(CONFIG_FILE), "there").unwrap(), there);
    let default = "[default]\ncredential_process = a b\n";
    for header in ["default", "profile default"] {
        let text = default.replace("default", header);
        assert_eq!(
            resolve_in(Some(""), Some(&text), "default").unwrap(),
            process(&["a", "b"])
        );
    }
}

#[test]
fn a_profile_that_is_missing_or_incomplete_is_named_without_its_secrets() {
    for missing in ["day", "unprefixed"] {
        let said = found(missing).unwrap_err().to_string();
        assert!(
            said.contains(&format!("has a profile {missing:?}")),
            "{said}"
        );
    }
    for (profile, place, lack) in [
        ("half", "credentials", "aws_secret_access_key"),
        ("bare", "config", "aws_access_key_id"),
    ] {
        let said = found(profile).unwrap_err().to_string();
        assert!(
            said.starts_with(&format!("profile: {profile:?} in ")),
            "{said}"
        );
        assert!(said.contains(&format!("/{place} has no {lack}")), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
    let open = found("open").unwrap_err().to_string();
    assert!(
        open.contains("/config, credential_process has a quote that is not closed"),
        "{open}"
    );
    assert!(!open.contains("hush"), "{open}");
    let neither = resolve_in(None, None, "night").unwrap_err().to_string();
    assert!(neither.contains("/credentials: No such file"), "{neither}");
}
