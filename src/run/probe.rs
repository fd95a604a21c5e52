//! Is it the side or a few bad objects? The side is asked outright.

use std::sync::Arc;

use super::breaker::suspect;
use super::conveyor::{Conveyor, Event};
use super::names::Names;
use crate::ledger::LedgerError;
use crate::model::{Failure, ObjectName, Side};
use crate::pool::guarded;
use crate::preflight::{can_be_read, tried, write_canary};
use crate::s3::{Bucket, GetOptions, ListPage};

/// The most that is read of an object to see whether it can be.
const SAMPLE_BYTES: u64 = 64 * 1024;

/// What of the source may be asked for, besides what failed.
struct Samples {
    /// What failed.
    held: Vec<ObjectName>,
    /// What the source gave tonight.
    last_synced: Option<ObjectName>,
    /// What is to come, from the other end of the alphabet.
    last_pending: Option<String>,
}

impl Conveyor<'_> {
    /// Sends a probe to `side`; its answer comes as an event.
    pub(super) fn probe(&self, side: Side, names: &Names<'_>) -> Result<(), LedgerError> {
        let samples = Samples {
            held: self.breaker.held(side),
            last_synced: self.breaker.last_synced().cloned(),
            last_pending: names.last_pending()?,
        };
        let transfer = Arc::clone(&self.means.transfer);
        let canary = self.means.probes.canary.clone();
        self.spawn(move || {
            let answer = guarded(|| match side {
                Side::Source => probe_source(&transfer.source, &canary, &samples),
                Side::Destination => probe_destination(&transfer.destination, &canary),
            });
            Event::Probed(side, answer)
        });
        Ok(())
    }

    /// Records what was held back, or leaves it and all the rest.
    pub(super) fn on_probed(&mut self, side: Side, answer: Result<(), Failure>) {
        for (sequence, attempt) in self.breaker.probed(side, answer) {
            self.record(sequence, attempt);
        }
    }
}

/// Writes and removes the canary. It lies in a folder of its own, under the task's
/// destination prefix: a folder of objects that refuses them does not refuse it.
fn probe_destination(bucket: &Bucket, canary: &str) -> Result<(), Failure> {
    write_canary(bucket, canary)?;
    // No run needs this right.
    drop(bucket.delete(canary));
    Ok(())
}

/// Lists, and reads samples until one can be read. Samples that lie where all
/// failures do say nothing against the whole side. If no sample says anything,
/// a name that cannot be there is asked for: that it is missing is an answer
/// that only those get who may read.
fn probe_source(bucket: &Bucket, canary: &str, samples: &Samples) -> Result<(), Failure> {
    let folder = common_folder(&samples.held);
    let first = tried(|| bucket.list("", None, None, 1))?;
    let behind = folder.strip_suffix('/').map(|folder| format!("{folder}0"));
    let behind = match &behind {
        Some(behind) => Some(tried(|| bucket.list("", Some(behind), None, 1))?),
        None => None,
    };
    let listed = |page: &ListPage| page.objects.first().map(|object| object.name.clone());
    let elsewhere = |name: &str| folder.is_empty() || !name.starts_with(folder);
    let is_held = |name: &str| samples.held.iter().any(|held| held.as_str() == name);
    let known_good = samples
        .last_synced
        .as_ref()
        .map(|name| name.as_str().to_owned());
    let candidates = [
        (known_good, true),
        (samples.last_pending.clone(), false),
        (behind.as_ref().and_then(listed), false),
        (listed(&first), false),
    ];
    let mut refused = None;
    for (name, was_read) in candidates {
        let Some(name) = name.filter(|name| !is_held(name)) else {
            continue;
        };
        match tried(|| read_sample(bucket, &name)) {
            Ok(true) => return Ok(()),
            Err(failure)
                if suspect(&failure) == Some(Side::Source) && (was_read || elsewhere(&name)) =>
            {
                refused.get_or_insert(failure);
            }
            Ok(false) | Err(_) => {}
        }
    }
    match refused {
        Some(failure) => Err(failure),
        None => can_be_read(bucket, canary, 0).map(drop),
    }
}

/// Reads the beginning of an object; `false` if it is missing.
fn read_sample(bucket: &Bucket, name: &str) -> Result<bool, Failure> {
    let Some(head) = bucket.head(name)? else {
        return Ok(false);
    };
    let sample_bytes = head.facts.size_bytes.min(SAMPLE_BYTES);
    let range = sample_bytes.checked_sub(1).map(|last| (0, last));
    let options = GetOptions {
        range,
        if_match: None,
    };
    let mut sample = vec![0; usize::try_from(sample_bytes).unwrap_or(0)];
    bucket.get(name, options)?.body.read_into(&mut sample)?;
    Ok(true)
}

/// The deepest folder, with its `/`, that holds all `names`; empty if they have
/// none in common.
fn common_folder(names: &[ObjectName]) -> &str {
    let Some((first, rest)) = names.split_first() else {
        return "";
    };
    let first = first.as_str();
    let common = rest.iter().fold(first.len(), |common, name| {
        first
            .bytes()
            .zip(name.as_str().bytes())
            .take(common)
            .take_while(|(a, b)| a == b)
            .count()
    });
    first.as_bytes()[..common]
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or("", |slash| &first[..=slash])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_folder_is_the_deepest_that_holds_all() {
        for (names, expected) in [
            (&["a/b/c", "a/b/d"][..], "a/b/"),
            (&["a/b/c", "a/bc/d"], "a/"),
            (&["a/b/c"], "a/b/"),
            (&["a", "a/b"], ""),
            (&["a1", "a2"], ""),
            (&["ü/é", "ü/è"], "ü/"),
            (&[], ""),
        ] {
            let names: Vec<ObjectName> = names
                .iter()
                .map(|name| ObjectName::new(name).unwrap())
                .collect();
            assert_eq!(common_folder(&names), expected, "{names:?}");
        }
    }
}
