//! Style, script and icon: files of our own, in the program itself.

use std::sync::Arc;
use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::Page;

pub(super) static STYLE: Asset = Asset::new(
    "/static/style.css",
    "text/css; charset=utf-8",
    crate::report::html::STYLE,
);
pub(super) static SCRIPT: Asset = Asset::new(
    "/static/script.js",
    "text/javascript; charset=utf-8",
    include_str!("script.js"),
);
pub(super) static ICON: Asset = Asset::new(
    "/static/icon.svg",
    "image/svg+xml",
    include_str!("icon.svg"),
);

/// Changes with the files, so that browsers may keep them for good.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for asset in [&STYLE, &SCRIPT, &ICON] {
        hash.update(asset.content);
    }
    base16ct::lower::encode_string(&hash.finalize()[..8])
});

/// A file that every page may use.
pub(super) struct Asset {
    path: &'static str,
    kind: &'static str,
    content: &'static str,
}

impl Asset {
    const fn new(path: &'static str, kind: &'static str, content: &'static str) -> Self {
        Self {
            path,
            kind,
            content,
        }
    }

    /// Where it is.
    pub(super) fn address(&self) -> String {
        format!("{}?v={}", self.path, *VERSION)
    }

    fn send(&'static self) -> impl IntoResponse {
        let headers = [
            (header::CONTENT_TYPE, self.kind),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ];
        (headers, self.content)
    }
}

/// They are for everybody: the sign-in form uses them too.
pub(super) fn routes() -> Router<Arc<Page>> {
    [&STYLE, &SCRIPT, &ICON]
        .into_iter()
        .fold(Router::new(), |routes, asset| {
            routes.route(asset.path, get(async || asset.send()))
        })
}
