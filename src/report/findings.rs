//! What a check found, kept until its end in a file without a name: nothing is
//! told of a check that breaks off, and memory stays flat however much is found.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use crate::model::Finding;

/// Findings in the order in which they were found.
#[derive(Debug)]
pub struct Findings {
    file: BufWriter<File>,
    count: u64,
}

impl Findings {
    /// None yet.
    ///
    /// # Errors
    /// If there can be no temporary file.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(tempfile::tempfile()?),
            count: 0,
        })
    }

    /// Adds one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn push(&mut self, finding: &Finding) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, finding)?;
        self.count += 1;
        self.file.write_all(b"\n")
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// All of them, from the first.
    ///
    /// # Errors
    /// If they cannot be read again.
    pub fn read(&mut self) -> io::Result<impl Iterator<Item = io::Result<Finding>> + use<>> {
        self.file.flush()?;
        let mut file = self.file.get_ref().try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let lines = BufReader::new(file).lines();
        Ok(lines.map(|line| Ok(serde_json::from_str(&line?)?)))
    }
}
