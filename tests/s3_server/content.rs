//! The bytes of objects and parts: small ones in memory, large ones in files.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use s3s::crypto::{Checksum as _, Md5, Sha256};

/// Bodies of at least this size are kept in files.
const MEMORY_LIMIT: usize = 1 << 20;
const CHUNK_BYTES: u64 = 256 << 10;

/// A file that is removed with the last content that needs it.
struct BodyFile(PathBuf);

impl Drop for BodyFile {
    fn drop(&mut self) {
        // Nothing can be done about a failure, and the directory is removed later anyway.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[derive(Clone)]
enum Segment {
    Memory(Bytes),
    File {
        file: Arc<BodyFile>,
        range: Range<u64>,
    },
}

impl Segment {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { range, .. } => range.end - range.start,
        }
    }

    fn slice(&self, wanted: Range<u64>) -> Self {
        match self {
            Self::Memory(bytes) => {
                Self::Memory(bytes.slice(to_usize(wanted.start)..to_usize(wanted.end)))
            }
            Self::File { file, range } => Self::File {
                file: Arc::clone(file),
                range: range.start + wanted.start..range.start + wanted.end,
            },
        }
    }
}

fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).expect("a size in memory fits usize")
}

/// Bytes that never change; cloning, slicing and joining them copies none.
#[derive(Clone, Default)]
pub(super) struct Content {
    segments: Vec<Segment>,
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.segments.iter().map(Segment::len).sum()
    }

    /// The contents of the parts of a multipart upload, one after the other.
    pub(super) fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        let segments = parts.into_iter().flat_map(|part| part.segments).collect();
        Self { segments }
    }

    pub(super) fn slice(&self, wanted: Range<u64>) -> Self {
        let mut segments = Vec::new();
        let mut start = 0;
        for segment in &self.segments {
            let end = start + segment.len();
            let from = wanted.start.clamp(start, end);
            let to = wanted.end.clamp(start, end);
            if from < to {
                segments.push(segment.slice(from - start..to - start));
            }
            start = end;
        }
        Self { segments }
    }

    pub(super) fn chunks(&self) -> Chunks {
        Chunks {
            remaining: self.len(),
            segments: self.segments.clone().into_iter(),
            file: None,
        }
    }

    pub(super) fn to_vec(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(to_usize(self.len()));
        for chunk in self.chunks() {
            bytes.extend_from_slice(&chunk?);
        }
        Ok(bytes)
    }

    pub(super) fn md5(&self) -> io::Result<[u8; 16]> {
        let mut md5 = Md5::new();
        for chunk in self.chunks() {
            md5.update(&chunk?);
        }
        Ok(md5.finalize())
    }

    pub(super) fn sha256_hex(&self) -> io::Result<String> {
        let mut sha256 = Sha256::new();
        for chunk in self.chunks() {
            sha256.update(&chunk?);
        }
        Ok(hex(&sha256.finalize()))
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes any text");
        text
    })
}

/// The bytes of a content in pieces; also the body of an answer.
pub(super) struct Chunks {
    remaining: u64,
    segments: std::vec::IntoIter<Segment>,
    file: Option<OpenFile>,
}

/// A file of which `remaining` bytes are still to be read; it is not removed before.
struct OpenFile {
    file: File,
    remaining: u64,
    _keep: Arc<BodyFile>,
}

impl OpenFile {
    fn open(body: Arc<BodyFile>, range: &Range<u64>) -> io::Result<Self> {
        let mut file = File::open(&body.0)?;
        file.seek(SeekFrom::Start(range.start))?;
        Ok(Self {
            file,
            remaining: range.end - range.start,
            _keep: body,
        })
    }

    fn read_chunk(&mut self) -> io::Result<Bytes> {
        let mut chunk = vec![0; to_usize(self.remaining.min(CHUNK_BYTES))];
        self.file.read_exact(&mut chunk)?;
        self.remaining -= chunk.len() as u64;
        Ok(chunk.into())
    }
}

impl Chunks {
    fn read_next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(open) = self.file.as_mut().filter(|open| open.remaining > 0) {
                return open.read_chunk().map(Some);
            }
            match self.segments.next() {
                None => return Ok(None),
                Some(Segment::Memory(bytes)) if bytes.is_empty() => {}
                Some(Segment::Memory(bytes)) => return Ok(Some(bytes)),
                Some(Segment::File { file, range }) => {
                    self.file = Some(OpenFile::open(file, &range)?);
                }
            }
        }
    }
}

impl Iterator for Chunks {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.read_next().transpose()?;
        if let Ok(bytes) = &chunk {
            self.remaining -= bytes.len() as u64;
        }
        Some(chunk)
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        // Reading blocks, but only for a chunk that mostly is in the page cache.
        Poll::Ready(self.next().map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

/// Takes bytes as they come and moves them to a file once they are many.
pub(super) struct ContentWriter<'a> {
    directory: &'a Path,
    memory: Vec<u8>,
    file: Option<(Arc<BodyFile>, File)>,
    len: u64,
}

impl<'a> ContentWriter<'a> {
    pub(super) fn new(directory: &'a Path) -> Self {
        Self {
            directory,
            memory: Vec::new(),
            file: None,
            len: 0,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        if self.file.is_none() && self.memory.len() + bytes.len() >= MEMORY_LIMIT {
            let (body, mut file) = create_file(self.directory)?;
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.file = Some((body, file));
        }
        if let Some((_, file)) = &mut self.file {
            file.write_all(bytes)
        } else {
            self.memory.extend_from_slice(bytes);
            Ok(())
        }
    }

    pub(super) fn finish(self) -> Content {
        let segment = match self.file {
            Some((file, _)) => Segment::File {
                file,
                range: 0..self.len,
            },
            None => Segment::Memory(self.memory.into()),
        };
        Content {
            segments: vec![segment],
        }
    }
}

fn create_file(directory: &Path) -> io::Result<(Arc<BodyFile>, File)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
    let path = directory.join(name);
    let file = File::create_new(&path)?;
    Ok((Arc::new(BodyFile(path)), file))
}
