//! Comparing both ends byte by byte, where their tags say nothing.

use sha2::{Digest, Sha256};

use super::{Tally, Transfer, check_unchanged};
use crate::model::{Failure, ObjectFacts};
use crate::s3::{Bucket, GetOptions};

impl Transfer {
    /// Whether the destination's object has the source's bytes: reads both,
    /// which must still be the objects of these facts. What lies in an archive
    /// there cannot be read, so it is not known to have them.
    ///
    /// # Errors
    /// What remains after all attempts; `source_changed` if one of them is not
    /// the object of its facts any more.
    pub fn have_same_bytes(
        &self,
        name: &str,
        source: &ObjectFacts,
        destination: &ObjectFacts,
        tally: &Tally,
    ) -> Result<bool, Failure> {
        let ours = self.attempts(tally, || sha256(&self.source, name, source))?;
        match self.attempts(tally, || sha256(&self.destination, name, destination)) {
            Ok(theirs) => Ok(ours == theirs),
            Err(failure) if failure.error_code.as_deref() == Some("InvalidObjectState") => {
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }
}

fn sha256(bucket: &Bucket, name: &str, facts: &ObjectFacts) -> Result<[u8; 32], Failure> {
    let options = GetOptions {
        if_match: Some(&facts.etag),
        ..GetOptions::default()
    };
    let download = bucket.get(name, options)?;
    check_unchanged(name, facts, &download.head.facts)?;
    let mut sha256 = Sha256::new();
    download.body.read_through(|chunk| sha256.update(chunk))?;
    Ok(sha256.finalize().into())
}
