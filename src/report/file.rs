//! A file that appears whole under its name, or not at all.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::ListFile;
use crate::data_dir::Modes;

/// A list or manifest in the making, under a temporary name beside its own.
pub struct WholeFile {
    path: String,
    place: PathBuf,
    modes: Modes,
    written: BufWriter<NamedTempFile>,
    hash: Sha256,
    bytes: u64,
    lines: u64,
}

impl WholeFile {
    /// Begins the file at `path` under `root`; makes missing folders.
    ///
    /// # Errors
    /// If there can be no file.
    pub fn create(root: &Path, path: String, modes: Modes) -> io::Result<Self> {
        let place = root.join(&path);
        let folder = folder_of(&place);
        make_folders(folder, modes.folder)?;
        let temporary = tempfile::Builder::new()
            .prefix(".")
            .suffix(".tmp")
            .tempfile_in(folder)?;
        Ok(Self {
            path,
            place,
            modes,
            written: BufWriter::new(temporary),
            hash: Sha256::new(),
            bytes: 0,
            lines: 0,
        })
    }

    /// Adds one line, which ends in LF.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_line(&mut self, line: &str) -> io::Result<()> {
        self.written.write_all(line.as_bytes())?;
        self.hash.update(line.as_bytes());
        self.bytes += line.len() as u64;
        self.lines += 1;
        Ok(())
    }

    /// Lines so far.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Puts the file in its place, for good once this returns. A file that is
    /// there with the same bytes stays untouched.
    ///
    /// # Errors
    /// If it cannot be written or put there.
    pub fn finish(self) -> io::Result<ListFile> {
        let list = ListFile {
            path: self.path,
            lines: self.lines,
            bytes: self.bytes,
            sha256: hex(self.hash),
        };
        if holds(&self.place, &list)? {
            return Ok(list);
        }
        let temporary = self.written.into_inner().map_err(io::Error::from)?;
        temporary
            .as_file()
            .set_permissions(Permissions::from_mode(self.modes.file))?;
        temporary.as_file().sync_all()?;
        temporary.persist(&self.place)?;
        sync_folder(folder_of(&self.place))?;
        Ok(list)
    }
}

/// For what is no list, and has no lines to count.
impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.written.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.written.flush()
    }
}

/// Whether the file at `place` is `list`, byte for byte.
fn holds(place: &Path, list: &ListFile) -> io::Result<bool> {
    match fs::symlink_metadata(place) {
        Ok(there) if there.is_file() && there.len() == list.bytes => {}
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    let mut there = File::open(place)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match there.read(&mut buffer)? {
            0 => return Ok(hex(hash) == list.sha256),
            length => hash.update(&buffer[..length]),
        }
    }
}

fn make_folders(folder: &Path, mode: u32) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder_of(folder);
    make_folders(parent, mode)?;
    match DirBuilder::new().mode(mode).create(folder) {
        // The process's umask may have taken bits away.
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(mode))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        Err(error) => return Err(error),
    }
    sync_folder(parent)
}

/// Makes a new name in `folder` survive a crash.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

fn hex(hash: Sha256) -> String {
    base16ct::lower::encode_string(&hash.finalize())
}
