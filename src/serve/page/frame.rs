//! What stands around every page.

use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::assets;

/// A whole page; `signed_in` says whether there is a session to end.
pub(super) fn page(title: &str, signed_in: bool, body: &Markup) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Nightferry" }
                link rel="icon" type="image/svg+xml" href=(assets::ICON.address());
                link rel="stylesheet" href=(assets::STYLE.address());
                script defer src=(assets::SCRIPT.address()) {}
            }
            body {
                a.skip href="#main" { "To the content" }
                header.top {
                    a.brand href="/" {
                        img src=(assets::ICON.address()) alt="" width="24" height="24";
                        "Nightferry"
                    }
                    nav aria-label="Main" { a href="/" { "Tasks" } }
                    @if signed_in {
                        form method="post" action="/sign-out" {
                            button.quiet type="submit" { "Sign out" }
                        }
                    }
                }
                main id="main" tabindex="-1" { (body) }
                footer {
                    p { "Nightferry " (env!("CARGO_PKG_VERSION")) ". Figures are of the moment at which the page was made." }
                }
            }
        }
    };
    Html(document.into_string()).into_response()
}

/// Where the page stands: a link for each page above it.
pub(super) fn trail(above: &[(&str, String)], here: &str) -> Markup {
    html! {
        nav.trail aria-label="Where this is" {
            ol {
                li { a href="/" { "Tasks" } }
                @for (name, address) in above {
                    li { a href=(address) { (name) } }
                }
                li aria-current="page" { (here) }
            }
        }
    }
}
