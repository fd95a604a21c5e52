//! A file on its way out, a piece at a time.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

/// How much is read at once, and held for one reader.
const PIECE_BYTES: u64 = 128 * 1024;

type Piece = io::Result<(File, Vec<u8>)>;

/// So many bytes of a file as there were when it was opened. Read on another
/// thread, and only as far as the reader has come.
pub(super) struct FileBody {
    left_bytes: u64,
    state: State,
}

enum State {
    Idle(File),
    Reading(JoinHandle<Piece>),
    Ended,
}

impl FileBody {
    pub(super) fn new(file: File, bytes: u64) -> Self {
        Self {
            left_bytes: bytes,
            state: State::Idle(file),
        }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = self.get_mut();
        loop {
            match std::mem::replace(&mut body.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Idle(_) if body.left_bytes == 0 => return Poll::Ready(None),
                State::Idle(file) => {
                    let wanted = body.left_bytes.min(PIECE_BYTES);
                    body.state = State::Reading(spawn_blocking(move || read(file, wanted)));
                }
                State::Reading(mut reading) => {
                    let Poll::Ready(read) = Pin::new(&mut reading).poll(context) else {
                        body.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    let (file, piece) = read.map_err(io::Error::other).flatten()?;
                    if piece.is_empty() {
                        // It became shorter: the reader must not take it for whole.
                        return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                    }
                    body.left_bytes -= piece.len() as u64;
                    body.state = State::Idle(file);
                    return Poll::Ready(Some(Ok(Frame::data(piece.into()))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}

fn read(mut file: File, wanted: u64) -> Piece {
    let mut piece = Vec::new();
    file.by_ref().take(wanted).read_to_end(&mut piece)?;
    Ok((file, piece))
}
