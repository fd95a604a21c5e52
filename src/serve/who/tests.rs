//! Who is known by what, and may do what.

use axum::http::Request;

use super::*;

fn task(id: &str) -> TaskId {
    id.parse().unwrap()
}

/// Its shortest form that is taken.
const TOKEN: &str = "a-token-as-long-as-one";

fn caller(send: SendTo, read: bool) -> Caller {
    Caller {
        id: "one".to_owned(),
        proof: KnownProof::Token(Sha256::digest(TOKEN).into()),
        send,
        read,
        control: false,
    }
}

#[test]
fn the_truth_table_of_rights() {
    let photos = task("photos");
    let only = |id| SendTo::Only(vec![task(id)]);
    for (send, read, right, may) in [
        (
            SendTo::All,
            true,
            Right::Send(None),
            Err(Refusal::UnknownTask),
        ),
        (
            only("photos"),
            false,
            Right::Send(None),
            Err(Refusal::UnknownTask),
        ),
        (
            SendTo::All,
            true,
            Right::SendElsewhere,
            Err(Refusal::UnknownProject),
        ),
        (SendTo::All, false, Right::Send(Some(&photos)), Ok(())),
        (only("photos"), false, Right::Send(Some(&photos)), Ok(())),
        (
            only("films"),
            true,
            Right::Send(Some(&photos)),
            Err(Refusal::NotAllowed),
        ),
        (
            SendTo::Only(vec![]),
            true,
            Right::Send(Some(&photos)),
            Err(Refusal::NotAllowed),
        ),
        (only("photos"), true, Right::Read, Ok(())),
        (SendTo::All, false, Right::Read, Err(Refusal::NotAllowed)),
    ] {
        assert_eq!(
            caller(send.clone(), read).may(right),
            may,
            "{send:?} {read} {right:?}"
        );
    }
}

#[test]
fn who_may_do_all_else_may_not_control_unless_it_is_said() {
    let may = |control| {
        let caller = Caller {
            control,
            ..caller(SendTo::All, true)
        };
        caller.may(Right::Control)
    };
    assert_eq!(may(true), Ok(()));
    assert_eq!(may(false), Err(Refusal::NotAllowed));
}

#[test]
fn a_token_is_known_by_its_hash_and_by_nothing_less() {
    let callers = Callers(vec![caller(SendTo::All, false)]);
    assert!(callers.by_token(TOKEN).is_ok());
    let hash = base16ct::lower::encode_string(&Sha256::digest(TOKEN));
    let upper = TOKEN.to_uppercase();
    for wrong in ["", &TOKEN[1..], "a-token-as-long-as-one ", &upper, &hash] {
        let refused = callers.by_token(wrong).err();
        assert_eq!(refused, Some(Refusal::Unknown), "{wrong:?}");
    }
}

#[test]
fn a_token_that_could_be_guessed_is_not_taken_though_it_is_right() {
    for (token, refused) in [
        ("test", true),
        ("a-token-as-long-as-on", true),
        ("éééééééééééééééééééé", true),
        (TOKEN, false),
    ] {
        let callers = Callers(vec![Caller {
            proof: KnownProof::Token(Sha256::digest(token).into()),
            ..caller(SendTo::All, true)
        }]);
        let expected = refused.then(|| Refusal::WeakToken("one".to_owned()));
        assert_eq!(callers.by_token(token).err(), expected, "{token}");
    }
}

#[test]
fn a_new_token_is_long_fits_a_path_and_has_its_hash_beside_it() {
    let (token, hash) = new_token().unwrap();
    assert_eq!(token.reveal().len(), "nightferry_".len() + 64);
    assert_eq!(
        hash,
        base16ct::lower::encode_string(&Sha256::digest(token.reveal()))
    );
    assert_ne!(token.reveal(), new_token().unwrap().0.reveal());
}

#[test]
fn a_hook_is_the_part_after_hooks_and_only_with_something_behind_it() {
    let hook = |path| hook_of(path).map(|(hook, rest)| (hook.0.reveal().to_owned(), rest));
    assert_eq!(hook("/hooks/t/v1/x"), Some(("t".to_owned(), "/v1/x")));
    assert_eq!(hook("/hooks//v1"), Some((String::new(), "/v1")));
    assert_eq!(hook("/hooks/t"), None);
    assert_eq!(hook("/v1/hooks/t/x"), None);
}

/// What a request with these fields shows, in words.
fn shown(fields: &[(&str, &str)], hook: Option<&str>) -> String {
    let mut request = Request::new(());
    for (name, value) in fields {
        let name = HeaderName::try_from(*name).unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    if let Some(hook) = hook {
        request
            .extensions_mut()
            .insert(Hook(Secret::new(hook.into())));
    }
    match claim(request.headers(), request.extensions()) {
        Claim::Nothing => "nothing".to_owned(),
        Claim::Token(token) => format!("token {token}"),
        Claim::Signed(signed) => format!("keys {}", signed.access),
    }
}

#[test]
fn of_what_a_caller_shows_the_first_counts() {
    let signature = "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=00";
    let date = ("x-sdk-date", "20261122T120000Z");
    for (fields, hook, expected) in [
        (vec![], None, "nothing"),
        (vec![("authorization", "Bearer one")], None, "token one"),
        (vec![("authorization", "bearer  one ")], None, "token one"),
        (vec![("x-auth-token", "two")], None, "token two"),
        (vec![("authorization", "Basic one")], None, "nothing"),
        (
            vec![("authorization", "Basic one"), ("x-auth-token", "two")],
            None,
            "nothing",
        ),
        (
            vec![("authorization", "Bearer one"), ("x-auth-token", "two")],
            None,
            "token one",
        ),
        (
            vec![("authorization", "Bearer one")],
            Some("three"),
            "token three",
        ),
        (vec![("authorization", signature), date], None, "keys AK"),
        (vec![("authorization", signature)], None, "nothing"),
    ] {
        assert_eq!(shown(&fields, hook), expected, "{fields:?}");
    }
}
