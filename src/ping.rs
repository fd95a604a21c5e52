//! Tells a URL that a night begins and how it ended, as healthchecks and what is
//! like it take it: `<url>/start`, then `<url>/<exit code>` with a report.
//!
//! The URL is a secret: whoever knows it can speak for this machine. No message
//! of here holds it.

use std::error::Error;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::runtime::{Builder, Runtime};
use url::Url;

/// The most of a report that is sent, in bytes; healthchecks keeps no more.
pub const MOST_REPORT_BYTES: usize = 100_000;

/// How long a server is waited for, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long one try may take, from the connection to the answer.
    pub timeout: Duration,
    /// Tries in all.
    pub tries: u32,
    /// The pause between two of them.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            tries: 3,
            pause: Duration::from_secs(1),
        }
    }
}

/// Why the URL was not told.
#[derive(Debug, thiserror::Error)]
pub enum PingError {
    /// The HTTP client could not be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
    /// The server answered, but not that it is well.
    #[error("the server answers {0}; is the URL the right one, and still known there?")]
    Refused(StatusCode),
    /// No answer came in time.
    #[error("the server does not answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
    /// The server was not reached, or the connection broke.
    #[error("the server is not reached: {0}")]
    Unreached(String),
}

impl PingError {
    /// Whether another try may help.
    ///
    /// | answer | another try |
    /// |--|--|
    /// | none in time, or no connection | yes |
    /// | 408, 429, 5xx | yes |
    /// | anything else that is not 2xx | no |
    fn may_pass(&self) -> bool {
        match self {
            Self::Setup(_) => false,
            Self::Timeout(_) | Self::Unreached(_) => true,
            Self::Refused(status) => {
                let asks_to_wait =
                    [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(status);
                asks_to_wait || status.is_server_error()
            }
        }
    }
}

/// The URL that is told of a night.
pub struct Ping {
    url: Url,
    client: Client,
    runtime: Runtime,
    patience: Patience,
}

/// A ping that is on its way.
pub struct Sent(Receiver<Result<(), PingError>>);

impl Ping {
    /// A night that is told to `url`. Nothing is sent yet.
    ///
    /// # Errors
    /// TLS or the thread behind the client cannot be set up.
    pub fn new(url: Url, patience: Patience) -> Result<Self, PingError> {
        let setup = |error: &dyn Error| PingError::Setup(error.to_string());
        // It fails only where a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("nightferry/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .timeout(patience.timeout)
            .build()
            .map_err(|error| setup(&error.without_url()))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("ping")
            .enable_all()
            .build()
            .map_err(|error| setup(&error))?;
        Ok(Self {
            url,
            client,
            runtime,
            patience,
        })
    }

    /// Says that the night begins; nobody waits for the answer meanwhile.
    #[must_use]
    pub fn start(&self) -> Sent {
        self.send("start", String::new())
    }

    /// Says with which exit code the night ended, and sends as much of `report` as
    /// is kept there.
    #[must_use]
    pub fn end(&self, exit_code: u8, mut report: String) -> Sent {
        report.truncate(report.floor_char_boundary(MOST_REPORT_BYTES));
        self.send(&exit_code.to_string(), report)
    }

    fn send(&self, what: &str, body: String) -> Sent {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(what);
        }
        let (client, patience) = (self.client.clone(), self.patience);
        let (sender, answer) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            let told = tell(&client, &url, &body, patience).await;
            // Nobody may wait for it any more.
            drop(sender.send(told));
        });
        Sent(answer)
    }

    /// Ends what is still on its way.
    pub fn close(self) {
        self.runtime.shutdown_background();
    }
}

impl Sent {
    /// Waits for the answer: at most for all tries together.
    ///
    /// # Errors
    /// If no try was answered well: the last one's.
    pub fn answered(self) -> Result<(), PingError> {
        let gone = || PingError::Unreached("it was not waited for".to_owned());
        self.0.recv().unwrap_or_else(|_| Err(gone()))
    }
}

async fn tell(client: &Client, url: &Url, body: &str, patience: Patience) -> Result<(), PingError> {
    let mut tries = 1;
    loop {
        match once(client, url, body, patience).await {
            Err(error) if error.may_pass() && tries < patience.tries => {
                tries += 1;
                tokio::time::sleep(patience.pause).await;
            }
            told => return told,
        }
    }
}

async fn once(client: &Client, url: &Url, body: &str, patience: Patience) -> Result<(), PingError> {
    let request = client
        .post(url.clone())
        .header("content-type", "text/plain; charset=utf-8")
        .body(body.to_owned());
    match request.send().await {
        // What else it answers is not read.
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(PingError::Refused(answer.status())),
        Err(error) if error.is_timeout() => Err(PingError::Timeout(patience.timeout)),
        Err(error) => Err(PingError::Unreached(innermost(&error.without_url()))),
    }
}

/// What lies under an error of the library: it knows of addresses and
/// certificates, never of the URL's path.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |code| PingError::Refused(StatusCode::from_u16(code).unwrap());
        for (error, again) in [
            (PingError::Timeout(Duration::ZERO), true),
            (PingError::Unreached(String::new()), true),
            (PingError::Setup(String::new()), false),
            (refused(408), true),
            (refused(429), true),
            (refused(500), true),
            (refused(503), true),
            (refused(301), false),
            (refused(400), false),
            (refused(404), false),
        ] {
            assert_eq!(error.may_pass(), again, "{error}");
        }
    }
}
