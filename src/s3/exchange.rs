//! A request on its way: the HTTP client's own thread sends it and receives the
//! answer, while the thread that asks waits.
//!
//! To hand something from thread to thread costs about as much as to send it.
//! So a small answer comes over in one piece, together with its body; only a
//! large object comes chunk by chunk.

use std::fmt;
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use reqwest::header::HeaderMap;
use reqwest::{Client, Request, Response, StatusCode};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};

use super::http::HttpClient;
use super::request::time_to_move;
use super::stream::Stream;

/// The longest body of an error that is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// How long an answer may take, and how much of it comes at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Until the answer's headers are there; and then for its body, which has a
    /// second more for each 64 KiB: one that trickles is given up as one that
    /// stands still.
    pub(super) timeout: Duration,
    /// About how much of a good answer's body comes with it, if it has as much.
    pub(super) at_once_bytes: usize,
}

/// Why there is no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// It did not come in time.
    #[error("operation timed out")]
    TimedOut,
    /// The connection was not made, or broke.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// What was to be sent could not be read.
    #[error(transparent)]
    Reader(io::Error),
    /// The server did not wait for all that was to be sent.
    #[error("the server answered before it had all bytes")]
    Early,
    /// The client's thread does not answer.
    #[error("the HTTP client broke down")]
    Client,
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: AnswerBody,
}

/// The body of an [`Answer`]: what came with it, then the rest.
pub(super) struct AnswerBody {
    ready: Bytes,
    rest: Rest,
}

enum Rest {
    /// There is no more.
    End,
    /// It broke off.
    Broken(Broken),
    /// It comes chunk by chunk.
    Coming(Box<Coming>),
}

struct Coming {
    response: Response,
    runtime: Handle,
    /// For each chunk.
    timeout: Duration,
}

/// A request that is ready to leave.
pub(super) struct Outgoing {
    pub(super) request: Request,
    /// The bytes that it carries, if they are still to be read.
    pub(super) stream: Option<Stream>,
    pub(super) terms: Terms,
}

impl HttpClient {
    /// Sends a request and waits for the answer.
    pub(super) fn exchange(&self, outgoing: Outgoing) -> Result<Answer, Broken> {
        let Outgoing {
            request,
            stream,
            terms,
        } = outgoing;
        let runtime = self.runtime();
        let send = |request| runtime.spawn(exchange(self.client().clone(), request, terms));
        match stream {
            None => {
                let answer = runtime.block_on(send(request));
                answer.unwrap_or(Err(Broken::Client))
            }
            Some(stream) => stream.feed(&runtime, request, send),
        }
    }

    /// Sends a request whose bytes are at hand. Runs on the client's thread.
    pub(super) async fn ask(&self, outgoing: Outgoing) -> Result<Answer, Broken> {
        exchange(self.client().clone(), outgoing.request, outgoing.terms).await
    }

    /// Has `work` done on the client's thread while nobody waits for it; `done` is
    /// told there what came of it, or that it panicked. Both must not wait for
    /// anything but the network.
    pub(super) fn detach<T>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        done: impl FnOnce(Result<T, Broken>) + Send + 'static,
    ) {
        let guarded = AssertUnwindSafe(work).catch_unwind();
        let work = async { done(guarded.await.map_err(|_| Broken::Client)) };
        // What is still under way when the process ends is left to the next run.
        drop(self.runtime().spawn(work));
    }
}

async fn exchange(client: Client, request: Request, terms: Terms) -> Result<Answer, Broken> {
    let answer = timeout(terms.timeout, client.execute(request)).await;
    let mut response = answer.map_err(|_| Broken::TimedOut)??;
    Ok(Answer {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body: AnswerBody::receive(response, terms).await,
    })
}

impl AnswerBody {
    async fn receive(mut response: Response, terms: Terms) -> Self {
        let at_once_bytes = if response.status().is_success() {
            terms.at_once_bytes
        } else {
            MAX_ERROR_BYTES
        };
        let announced = response.content_length().unwrap_or(0);
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        let capacity = announced.min(at_once_bytes);
        let mut body = Received::default();
        let began = Instant::now();
        let rest = loop {
            if body.len() >= at_once_bytes {
                break Rest::Coming(Box::new(Coming {
                    response,
                    runtime: Handle::current(),
                    timeout: terms.timeout,
                }));
            }
            let due = began + terms.timeout + time_to_move(body.len() as u64);
            match timeout_at(due, response.chunk()).await {
                Ok(Ok(Some(chunk))) => body.add(chunk, capacity),
                Ok(Ok(None)) => break Rest::End,
                Ok(Err(error)) => break Rest::Broken(error.into()),
                Err(_) => break Rest::Broken(Broken::TimedOut),
            }
        };
        Self {
            ready: body.into(),
            rest,
        }
    }

    /// Reads on; 0 bytes are the end. What is still to come is waited for.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        while self.ready.is_empty() {
            match self.next_chunk()? {
                Some(chunk) => self.ready = chunk,
                None => return Ok(0),
            }
        }
        let count = self.ready.len().min(buffer.len());
        self.ready.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }

    /// Whether there is nothing more to be waited for.
    pub(super) const fn is_here(&self) -> bool {
        !matches!(self.rest, Rest::Coming(_))
    }

    /// What came with the answer; else why that is not all that was to come.
    pub(super) fn at_once(self) -> Result<Bytes, Broken> {
        match self.rest {
            Rest::Broken(why) => Err(why),
            Rest::End | Rest::Coming(_) => Ok(self.ready),
        }
    }

    fn next_chunk(&mut self) -> Result<Option<Bytes>, Broken> {
        match std::mem::replace(&mut self.rest, Rest::End) {
            Rest::End => Ok(None),
            Rest::Broken(why) => Err(why),
            Rest::Coming(mut coming) => {
                let chunk = coming.chunk()?;
                if chunk.is_some() {
                    self.rest = Rest::Coming(coming);
                }
                Ok(chunk)
            }
        }
    }
}

impl Coming {
    fn chunk(&mut self) -> Result<Option<Bytes>, Broken> {
        let chunk = async { timeout(self.timeout, self.response.chunk()).await };
        let chunk = self.runtime.block_on(chunk);
        Ok(chunk.map_err(|_| Broken::TimedOut)??)
    }
}

/// Says nothing of the response, whose URL holds a signature.
impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnswerBody({} bytes at hand)", self.ready.len())
    }
}

/// Chunks put together; a single one stays as it is.
enum Received {
    One(Bytes),
    More(Vec<u8>),
}

impl Default for Received {
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

impl Received {
    fn len(&self) -> usize {
        match self {
            Self::One(bytes) => bytes.len(),
            Self::More(bytes) => bytes.len(),
        }
    }

    fn add(&mut self, chunk: Bytes, capacity: usize) {
        match self {
            Self::One(first) if first.is_empty() => *first = chunk,
            Self::One(first) => {
                let mut bytes = Vec::with_capacity(capacity);
                bytes.extend_from_slice(first);
                bytes.extend_from_slice(&chunk);
                *self = Self::More(bytes);
            }
            Self::More(bytes) => bytes.extend_from_slice(&chunk),
        }
    }
}

impl From<Received> for Bytes {
    fn from(received: Received) -> Self {
        match received {
            Received::One(bytes) => bytes,
            Received::More(bytes) => bytes.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_on_the_clients_thread_is_an_answer_and_ends_nothing_else() {
        let http = HttpClient::new(1).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let told = |made: &Result<u8, Broken>| made.as_ref().ok().copied();
        for (panics, expected) in [(true, None), (false, Some(7))] {
            let sender = sender.clone();
            let work = async move {
                assert!(!panics, "as intended");
                7
            };
            http.detach(work, move |made| sender.send(told(&made)).unwrap());
            assert_eq!(receiver.recv().unwrap(), expected);
        }
    }
}
