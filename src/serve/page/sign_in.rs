//! The form in which a token is shown, and the session that follows.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::query::Query;
use super::super::who::Right;
use super::error::PageError;
use super::{Page, frame, guard, sessions};

/// Where the form is, and where it is sent.
pub(super) const PATH: &str = "/sign-in";

/// Leads to the form, and from there back to where one wanted to go.
pub(super) fn lead(wanted: &Uri) -> Response {
    let wanted = wanted
        .path_and_query()
        .map_or("/", |wanted| wanted.as_str());
    let next = utf8_percent_encode(wanted, NON_ALPHANUMERIC);
    Redirect::to(&format!("{PATH}?next={next}")).into_response()
}

/// Shows the form.
pub(super) async fn show(query: Query) -> Response {
    form(query.filled("next").unwrap_or("/"), None)
}

/// Takes a token. What is wrong with one that is not taken is not told.
pub(super) async fn take(State(page): State<Arc<Page>>, request: Request) -> Response {
    let body = match page.receiver.bodies.read(request.into_body()).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    let query = Query::form(body.bytes());
    let next = query.filled("next").unwrap_or("/");
    let token = query.filled("token").unwrap_or("").trim();
    let caller = page.receiver.callers.by_token(token);
    if let Err(refusal) = caller.and_then(|caller| caller.may(Right::Read)) {
        let why = "This token is not known, or may not read.";
        let form = form(next, Some(why));
        return (StatusCode::FORBIDDEN, Extension(refusal), form).into_response();
    }
    let Ok(value) = page.sessions.begin(page.receiver.clock.now()) else {
        return PageError::Unreadable.into_response();
    };
    let cookie = cookie(&page, value.reveal(), sessions::LASTS_MS / 1000);
    ([(header::SET_COOKIE, cookie)], Redirect::to(own(next))).into_response()
}

/// Ends the session.
pub(super) async fn end(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    if let Some(value) = guard::session(&headers) {
        page.sessions.end(value);
    }
    let cookie = cookie(&page, "", 0);
    ([(header::SET_COOKIE, cookie)], Redirect::to(PATH)).into_response()
}

fn cookie(page: &Page, value: &str, lasts_seconds: i64) -> String {
    let secure = if page.receiver.config.is_called_over_tls() {
        "; Secure"
    } else {
        ""
    };
    format!(
        "{}={value}; Path=/; Max-Age={lasts_seconds}; HttpOnly; SameSite=Strict{secure}",
        guard::COOKIE
    )
}

/// `next` if it is an address of this page, else the first one: nobody is sent
/// elsewhere by signing in here.
fn own(next: &str) -> &str {
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic());
    let is_own = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    if is_plain && is_own { next } else { "/" }
}

fn form(next: &str, problem: Option<&str>) -> Response {
    let body: Markup = html! {
        div.narrow {
            h1 { "Sign in" }
            @if let Some(problem) = problem {
                p.problem role="alert" id="problem" { (problem) }
            }
            form.card method="post" action=(PATH) {
                input type="hidden" name="next" value=(own(next));
                label for="token" { "Token" }
                input id="token" name="token" type="password" required autofocus
                    autocomplete="current-password" spellcheck="false"
                    aria-describedby=(if problem.is_some() { "problem hint" } else { "hint" });
                p.hint id="hint" {
                    "One of those in the section " code { "[[serve.token]]" } " with " code { "read = true" } "."
                }
                button type="submit" { "Sign in" }
            }
        }
    };
    frame::page("Sign in", false, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_this_page_and_to_no_other() {
        for next in [
            "/",
            "/tasks/photos?month=2026-10",
            "/tasks/a/objects?name=%0A%2F%2F",
        ] {
            assert_eq!(own(next), next);
        }
        for next in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "/a\r\nSet-Cookie: b=c",
            "javascript:alert(1)",
            " /",
        ] {
            assert_eq!(own(next), "/", "{next:?}");
        }
    }
}
