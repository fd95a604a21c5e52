//! A body that is read on the thread that asks while the HTTP client's thread
//! sends it.

use std::future::{Future, poll_fn};
use std::io::{self, Read};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::Request;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::bandwidth::CHUNK_BYTES;
use super::exchange::{Answer, Broken};

/// A request that the HTTP client's thread is at.
pub(super) type Sending = JoinHandle<Result<Answer, Broken>>;

/// Bytes that can be read once, and how many there are.
pub(super) struct Stream {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) size_bytes: u64,
}

impl Stream {
    /// Gives `request` to `send`, and then, chunk by chunk, what it is to carry.
    /// An answer that comes before all is sent ends it.
    pub(super) fn feed(
        mut self,
        runtime: &Handle,
        mut request: Request,
        send: impl FnOnce(Request) -> Sending,
    ) -> Result<Answer, Broken> {
        let (sender, chunks) = mpsc::channel(1);
        *request.body_mut() = Some(reqwest::Body::wrap(Piped {
            chunks,
            left_bytes: self.size_bytes,
        }));
        let mut answer = pin!(send(request));
        while self.size_bytes > 0 {
            let chunk = match self.next_chunk() {
                Ok(chunk) => chunk,
                Err(error) => {
                    // Breaks the connection: what was sent must not pass for all.
                    answer.abort();
                    return Err(Broken::Reader(error));
                }
            };
            match runtime.block_on(hand_over(&sender, chunk, answer.as_mut())) {
                Handed::Over => {}
                Handed::NotNeeded => return refused_only(result(runtime, answer)),
                Handed::TooLate(answer) => return refused_only(answer),
            }
        }
        result(runtime, answer)
    }

    fn next_chunk(&mut self) -> io::Result<Bytes> {
        let most = usize::try_from(self.size_bytes).unwrap_or(usize::MAX);
        let mut chunk = vec![0; CHUNK_BYTES.min(most)];
        let count = self.reader.read(&mut chunk)?;
        if count == 0 {
            let why = "what was to be sent is shorter than was said";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        chunk.truncate(count);
        self.size_bytes -= count as u64;
        Ok(chunk.into())
    }
}

/// What became of a chunk.
enum Handed {
    Over,
    /// Nobody takes it: there is an answer, or soon will be.
    NotNeeded,
    /// The answer was there first.
    TooLate(Result<Answer, Broken>),
}

/// Waits until `chunk` is taken, or `answer` is there.
async fn hand_over(
    sender: &mpsc::Sender<Bytes>,
    chunk: Bytes,
    mut answer: Pin<&mut Sending>,
) -> Handed {
    let mut handed = pin!(sender.send(chunk));
    poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(Handed::TooLate(answer.unwrap_or(Err(Broken::Client)))),
        Poll::Pending => handed.as_mut().poll(cx).map(|sent| match sent {
            Ok(()) => Handed::Over,
            Err(_) => Handed::NotNeeded,
        }),
    })
    .await
}

fn result(runtime: &Handle, answer: Pin<&mut Sending>) -> Result<Answer, Broken> {
    runtime.block_on(answer).unwrap_or(Err(Broken::Client))
}

/// What a server says that does not have all bytes can only be that it refuses.
fn refused_only(answer: Result<Answer, Broken>) -> Result<Answer, Broken> {
    match answer {
        Ok(answer) if answer.status.is_success() => Err(Broken::Early),
        answer => answer,
    }
}

/// The end of the pipe at which the HTTP client takes chunks out.
struct Piped {
    chunks: mpsc::Receiver<Bytes>,
    left_bytes: u64,
}

impl Body for Piped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left_bytes == 0 {
            return Poll::Ready(None);
        }
        self.chunks.poll_recv(cx).map(|chunk| match chunk {
            Some(chunk) => {
                self.left_bytes = self.left_bytes.saturating_sub(chunk.len() as u64);
                Some(Ok(Frame::data(chunk)))
            }
            None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}
