//! Comparing what lies at the destination with the source, byte by byte.
//!
//! ```text
//! HEAD both ─▶ there? ─▶ source as recorded? ─▶ as long? ─▶ GET source ▶ SHA-256 ┐
//!                                                           GET destination ▶ SHA-256 ┴▶ the same, or once more?
//! ```

use sha2::{Digest, Sha256};

use super::{Tally, Transfer, check_unchanged};
use crate::model::{Comparison, ETag, Failure, FailureCause, ObjectFacts, Timestamp};
use crate::s3::{Bucket, GetOptions};

/// How often an object that changes while it is compared is looked at.
const LOOKS: u32 = 3;

/// An object at both ends, and what is recorded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its name at the source.
    pub name: String,
    /// Its name at the destination.
    pub destination_name: String,
    /// The tag that the source had then; `None`: not known.
    pub source_etag: Option<ETag>,
    /// When it was copied, or left alone.
    pub recorded_at: Timestamp,
}

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The verdict.
    pub finding: Comparison,
    /// Why it was unreadable; `None` of all others.
    pub failure: Option<Failure>,
    /// What the source has, if it was asked and has it.
    pub source: Option<ObjectFacts>,
    /// What the destination has, likewise.
    pub destination: Option<ObjectFacts>,
}

/// What facts alone say of a pair.
///
/// | destination | source | sizes | finding |
/// |--|--|--|--|
/// | not there | any | | gone |
/// | there | not there | | source gone |
/// | there | not as recorded | any | source changed |
/// | there | as recorded | different | differs |
/// | there | as recorded | equal | none: both are to be read |
///
/// A source whose tag is not known is as recorded unless it was modified since, in
/// whole seconds.
fn by_facts(
    pair: &Pair,
    source: Option<&ObjectFacts>,
    destination: Option<&ObjectFacts>,
) -> Option<Comparison> {
    let (source, destination) = match (source, destination) {
        (_, None) => return Some(Comparison::Gone),
        (None, Some(_)) => return Some(Comparison::SourceGone),
        (Some(source), Some(destination)) => (source, destination),
    };
    let is_as_recorded = match &pair.source_etag {
        Some(recorded) => source.etag == *recorded,
        None => source.modified_at.seconds() <= pair.recorded_at.seconds(),
    };
    if !is_as_recorded {
        return Some(Comparison::SourceChanged);
    }
    (source.size_bytes != destination.size_bytes).then_some(Comparison::Differs)
}

impl Transfer {
    /// Compares both ends of `pair`: reads each whole, one version of it, and keeps
    /// nothing. `None` if this was [stopped](Self::stop) meanwhile.
    pub fn compare(&self, pair: &Pair, tally: &Tally) -> Option<Compared> {
        let mut compared = Compared {
            finding: Comparison::Unreadable,
            failure: None,
            source: None,
            destination: None,
        };
        for _ in 0..LOOKS {
            match self.compare_once(pair, &mut compared, tally) {
                Ok(finding) => {
                    compared.finding = finding?;
                    compared.failure = None;
                    return Some(compared);
                }
                // Gone or another since it was asked about: what is it now?
                Err(failure) if is_outdated(&failure) => compared.failure = Some(failure),
                Err(failure) => {
                    compared.failure = Some(failure);
                    break;
                }
            }
        }
        (!self.is_stopped()).then_some(compared)
    }

    /// One look; `None` if it was stopped.
    fn compare_once(
        &self,
        pair: &Pair,
        compared: &mut Compared,
        tally: &Tally,
    ) -> Result<Option<Comparison>, Failure> {
        let (name, copy) = (pair.name.as_str(), pair.destination_name.as_str());
        compared.destination = self.destination_facts(copy, tally)?;
        compared.source = self.source_head(name, tally)?.map(|head| head.facts);
        let facts = (compared.source.as_ref(), compared.destination.as_ref());
        if let Some(finding) = by_facts(pair, facts.0, facts.1) {
            return Ok(Some(finding));
        }
        let (Some(source), Some(destination)) = facts else {
            return Ok(Some(Comparison::Gone));
        };
        // What is read differently is read once more: a byte may have turned on its way.
        for _ in 0..2 {
            let ours = self.attempts(tally, || self.sha256(&self.source, name, source))?;
            let theirs =
                self.attempts(tally, || self.sha256(&self.destination, copy, destination))?;
            match ours.zip(theirs) {
                None => return Ok(None),
                Some((ours, theirs)) if ours == theirs => return Ok(Some(Comparison::Same)),
                Some(_) => {}
            }
        }
        Ok(Some(Comparison::Differs))
    }

    /// Of the object of these facts; `None` if it was stopped.
    fn sha256(
        &self,
        bucket: &Bucket,
        name: &str,
        facts: &ObjectFacts,
    ) -> Result<Option<[u8; 32]>, Failure> {
        let options = GetOptions {
            if_match: Some(&facts.etag),
            ..GetOptions::default()
        };
        let download = bucket.get(name, options)?;
        check_unchanged(name, facts, &download.head.facts)?;
        let mut sha256 = Sha256::new();
        let whole = download.body.read_while(|chunk| {
            sha256.update(chunk);
            !self.is_stopped()
        })?;
        Ok(whole.then(|| sha256.finalize().into()))
    }
}

/// Whether an end has something else by now than its facts said.
fn is_outdated(failure: &Failure) -> bool {
    matches!(failure.http_status, Some(404 | 412))
        || matches!(
            failure.cause,
            FailureCause::SourceChanged | FailureCause::SourceMissing
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Readiness;

    fn object(etag: &str, size_bytes: u64, second: i64) -> ObjectFacts {
        ObjectFacts {
            etag: ETag::new(etag),
            size_bytes,
            modified_at: Timestamp::from_ms(second * 1000),
            md5_hex: None,
            checksums: Vec::new(),
            readiness: Readiness::Ready,
        }
    }

    #[test]
    fn the_truth_table_of_facts() {
        use Comparison::{Differs, Gone, SourceChanged, SourceGone};
        let (source, later) = (object("s", 7, 100), object("s", 7, 101));
        let (copy, longer) = (object("c", 7, 200), object("c", 8, 200));
        for (recorded, source, destination, finding) in [
            (Some("s"), Some(&source), None, Some(Gone)),
            (Some("s"), None, None, Some(Gone)),
            (Some("s"), None, Some(&copy), Some(SourceGone)),
            (Some("r"), Some(&source), Some(&copy), Some(SourceChanged)),
            (Some("r"), Some(&source), Some(&longer), Some(SourceChanged)),
            (Some("s"), Some(&source), Some(&longer), Some(Differs)),
            (Some("s"), Some(&later), Some(&copy), None),
            (None, Some(&source), Some(&copy), None),
            (None, Some(&later), Some(&copy), Some(SourceChanged)),
            (None, Some(&source), Some(&longer), Some(Differs)),
        ] {
            let pair = Pair {
                name: "a".to_owned(),
                destination_name: "a".to_owned(),
                source_etag: recorded.map(ETag::new),
                recorded_at: Timestamp::from_ms(100_999),
            };
            let found = by_facts(&pair, source, destination);
            assert_eq!(found, finding, "{recorded:?} {source:?} {destination:?}");
        }
    }
}
