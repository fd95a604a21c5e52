//! Beginning a copy in parts, or going on with one of an earlier run.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::digest::{self, Crc};
use super::route::PartPlan;
use super::whole_md5::WholeMd5;
use super::{PartsCopy, Tally, Transfer};
use crate::model::{ArrivedPart, ETag, Failure, ObjectFacts, OpenUpload, UploadId};
use crate::s3::Head;

/// How an object is cut, and for which way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Its parts.
    pub(super) plan: PartPlan,
    /// Whether they are those of the source, so that they make its tag.
    pub(super) as_at_source: bool,
    /// Whether the server is asked to copy them by itself.
    pub(super) server_side: bool,
}

impl Transfer {
    /// Begins the copy of the object of the facts `planned` in the parts of
    /// `plan`, or goes on with `open`, an upload of an earlier run: what it
    /// holds of the same object in the same parts is not carried again. One
    /// that does not fit is aborted.
    ///
    /// # Errors
    /// What remains after all attempts; `source_missing` or `source_changed` if
    /// the object is not there any more or no longer the planned one.
    pub fn begin_parts(
        &self,
        name: &str,
        planned: &ObjectFacts,
        plan: PartPlan,
        open: Option<&OpenUpload>,
        tally: &Tally,
    ) -> Result<PartsCopy, Failure> {
        let head = self.planned_head(name, planned, tally)?;
        let cut = self.cut(name, &head, plan, open, tally)?;
        if let Some(open) = open {
            if fits(open, &head.facts, &cut.plan) {
                if let Some(held) = self.held_parts(name, open, tally)? {
                    return Ok(self.parts_copy(name, head, cut, open.id.clone(), Some(&held)));
                }
            } else {
                self.give_up(name, open, tally)?;
            }
        }
        let headers = head.carried()?;
        let upload_id = self.attempts(tally, || self.destination.create_upload(name, headers))?;
        Ok(self.parts_copy(name, head, cut, upload_id, None))
    }

    /// Cuts the object where the source did, if it was put together from parts of
    /// one size: then the parts make the source's own tag, which proves them.
    /// The server is asked to copy them unless `open`, which it is to go on with,
    /// was cut for other ways.
    fn cut(
        &self,
        name: &str,
        source: &Head,
        plan: PartPlan,
        open: Option<&OpenUpload>,
        tally: &Tally,
    ) -> Result<Cut, Failure> {
        let at_source = self.parts_at_source(name, source, tally)?;
        if let Some(cut) = self.server_side.cut(&plan, at_source)
            && open.is_none_or(|open| fits(open, &source.facts, &cut.plan))
        {
            return Ok(cut);
        }
        let as_at_source = at_source
            .and_then(|(part_bytes, parts)| plan.as_at_source(part_bytes, parts, &self.limits));
        Ok(Cut {
            plan: as_at_source.unwrap_or(plan),
            as_at_source: as_at_source.is_some(),
            server_side: false,
        })
    }

    /// The size in bytes and the number of the parts from which the source's
    /// object was put together; `None` if it was not, or that cannot be told.
    fn parts_at_source(
        &self,
        name: &str,
        source: &Head,
        tally: &Tally,
    ) -> Result<Option<(u64, u64)>, Failure> {
        let Some(parts) = source.parts else {
            return Ok(None);
        };
        let asked = self.attempts(tally, || self.source.first_part_bytes(name));
        let part_bytes = match asked {
            Err(failure) if failure.may_pass() => return Err(failure),
            // Not every server knows parts of an object.
            asked => asked.unwrap_or_default().unwrap_or_default(),
        };
        Ok(Some((part_bytes, parts)))
    }

    /// The parts of `open` that the destination holds as the ledger knows them;
    /// `None` if it does not know the upload (any more).
    fn held_parts(
        &self,
        name: &str,
        open: &OpenUpload,
        tally: &Tally,
    ) -> Result<Option<Vec<ArrivedPart>>, Failure> {
        let listed = match self.attempts(tally, || self.destination.list_parts(name, &open.id)) {
            Ok(Some(listed)) => listed,
            Ok(None) => return Ok(None),
            Err(failure) if failure.may_pass() => return Err(failure),
            // Parts that may not be listed cannot be trusted.
            Err(_) => {
                self.give_up(name, open, tally)?;
                return Ok(None);
            }
        };
        let at_destination = |part: &&ArrivedPart| {
            listed
                .iter()
                .any(|held| held.number == part.number && held.etag == part.etag)
        };
        Ok(Some(
            open.parts.iter().filter(at_destination).cloned().collect(),
        ))
    }

    /// Aborts an upload of an earlier run. A destination that does not allow it
    /// must not keep the object from being copied anew.
    fn give_up(&self, name: &str, open: &OpenUpload, tally: &Tally) -> Result<(), Failure> {
        match self.attempts(tally, || self.destination.abort_upload(name, &open.id)) {
            Err(failure) if failure.may_pass() => Err(failure),
            _ => Ok(()),
        }
    }

    fn parts_copy(
        &self,
        name: &str,
        head: Head,
        cut: Cut,
        upload_id: UploadId,
        resumed: Option<&[ArrivedPart]>,
    ) -> PartsCopy {
        let Cut { plan, .. } = cut;
        // Of parts that are not read no checksum is computed.
        let mut stated = head.facts.checksums.iter().filter(|_| !cut.server_side);
        let stated = stated.find_map(|stated| Some((Crc::of(stated.algorithm)?, stated.clone())));
        let at_hand = resumed.unwrap_or_default();
        let mut arrived = vec![None; plan.count as usize];
        let mut whole = None;
        // A part without what the whole is to be proven by is of no use.
        let of_use: Vec<&ArrivedPart> = match (&stated, &head.facts.md5_hex) {
            (Some(_), _) => at_hand.iter().filter(|part| part.crc.is_some()).collect(),
            (None, Some(md5)) if !plan.streamed => {
                let (done, of_use) = in_order(at_hand);
                whole = Some((done, md5.clone()));
                of_use.iter().collect()
            }
            (None, _) => at_hand.iter().collect(),
        };
        for part in of_use {
            if let Some(place) = arrived.get_mut(part.number.wrapping_sub(1) as usize) {
                *place = Some(part.clone());
            }
        }
        PartsCopy {
            transfer: self.clone(),
            name: name.to_owned(),
            source: head.facts,
            plan,
            upload_id,
            stated,
            whole,
            cut_as_at_source: cut.as_at_source,
            server_side: cut.server_side,
            arrived: Mutex::new(arrived),
            resumed: resumed.is_some(),
            gone: AtomicBool::new(false),
        }
    }
}

/// The MD5 over the first parts, as far as it was kept, and these parts.
fn in_order(held: &[ArrivedPart]) -> (WholeMd5, &[ArrivedPart]) {
    let unbroken = (1..)
        .zip(held)
        .take_while(|(number, part)| part.number == *number);
    let kept = unbroken.filter_map(|(number, part)| {
        WholeMd5::resumed(part.whole_md5.as_deref()?, number).map(|whole| (number, whole))
    });
    match kept.last() {
        Some((parts, whole)) => (whole, &held[..parts as usize]),
        None => (WholeMd5::new(), &[]),
    }
}

/// Whether the parts of `open` are parts of this object, cut this way.
fn fits(open: &OpenUpload, source: &ObjectFacts, plan: &PartPlan) -> bool {
    open.source_etag == source.etag
        && open.size_bytes == plan.size_bytes
        && open.part_bytes == plan.part_bytes
}

/// The tag that the object has if it was put together from all parts of `open`;
/// `None` while some are missing.
#[must_use]
pub fn tag_of_parts(open: &OpenUpload) -> Option<ETag> {
    let count = open.size_bytes.div_ceil(open.part_bytes.max(1));
    let all = (1..)
        .zip(&open.parts)
        .all(|(number, part)| part.number == number);
    (all && open.parts.len() as u64 == count).then(|| {
        let md5s: Vec<_> = open.parts.iter().map(|part| part.md5).collect();
        ETag::new(&digest::etag_of_parts(&md5s))
    })
}
