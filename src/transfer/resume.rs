//! Beginning a copy in parts, or going on with one of an earlier run.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::digest::Crc;
use super::dress::Dress;
use super::parts::tag_of;
use super::route::PartPlan;
use super::whole_md5::WholeMd5;
use super::{PartsCopy, Tally, Transfer, proof};
use crate::model::{
    ArrivedPart, CarriedHeaders, Checksum, ChecksumAlgorithm, ChecksumMode, ETag, Failure,
    ObjectFacts, OpenUpload, UploadId, WriteOptions,
};
use crate::s3::{Head, Piece};

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
    /// holds of the same object in the same parts, begun with the same headers, is
    /// not carried again. One that does not fit, or would become an object of
    /// another name, is aborted.
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
        let dress = self.dressed(name, &head, tally)?;
        let mark = dress.mark(self.destination.encryption());
        let cut = self.cut(name, &head, plan, open, tally)?;
        let sent = self.sent_with_parts(&head.facts, &cut);
        if let Some(open) = open {
            let fits = fits(open, &head.facts, &cut.plan) && self.is_begun_alike(open, &mark);
            if self.is_here(open) && fits {
                if let Some(held) = self.held_parts(name, open, tally)? {
                    let upload = (open.id.clone(), sent, dress);
                    return Ok(self.parts_copy(name, head, cut, upload, Some(&held)));
                }
            } else {
                self.give_up(name, open, tally)?;
            }
        }
        let (id, sent) = self.create_upload(name, &dress.all(), sent, tally)?;
        Ok(self.parts_copy(name, head, cut, (id, sent, dress), None))
    }

    /// Whether `open` was begun with the headers that `mark` stands for, which its
    /// object will have. An older release knew no options.
    fn is_begun_alike(&self, open: &OpenUpload, mark: &str) -> bool {
        let Some(begun_with) = &open.begun_with else {
            let plain = self.write_options == WriteOptions::default();
            return plain && self.destination.encryption().is_none();
        };
        begun_with == mark
    }

    /// What is sent along with parts, for the destination to check. Of parts that
    /// are streamed it is known too late, of parts that the server copies never.
    fn sent_with_parts(&self, source: &ObjectFacts, cut: &Cut) -> Option<ChecksumAlgorithm> {
        let is_checked = |algorithm| self.destination.is_checking(algorithm, Piece::Part);
        let stated: Vec<Checksum> = stated_crc(source).cloned().into_iter().collect();
        (!cut.plan.streamed && !cut.server_side)
            .then(|| proof::choose(self.checksum, is_checked, &stated))
            .flatten()
    }

    /// Begins an upload for parts with checksums of this kind, or, if the
    /// destination refuses that, with MD5; answers which.
    fn create_upload(
        &self,
        name: &str,
        headers: &CarriedHeaders,
        sent: Option<ChecksumAlgorithm>,
        tally: &Tally,
    ) -> Result<(UploadId, Option<ChecksumAlgorithm>), Failure> {
        let create =
            |crc| self.attempts(tally, || self.destination.create_upload(name, headers, crc));
        let crc = sent.filter(|sent| sent.is_crc());
        match create(crc) {
            Err(refusal) if crc.is_some() && proof::may_be_about_checksum(&refusal) => {
                Ok((create(None)?, None))
            }
            id => Ok((id?, sent)),
        }
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
            && open
                .filter(|open| self.is_here(open))
                .is_none_or(|open| fits(open, &source.facts, &cut.plan))
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

    /// Whether `open` is of the name that the copy is to have at the destination.
    fn is_here(&self, open: &OpenUpload) -> bool {
        open.destination_prefix == *self.destination.prefix()
    }

    /// Aborts an upload of an earlier run, where that put it. A destination that does
    /// not allow it must not keep the object from being copied anew.
    fn give_up(&self, name: &str, open: &OpenUpload, tally: &Tally) -> Result<(), Failure> {
        let there = self.destination.clone();
        let there = there.under(open.destination_prefix.clone());
        match self.attempts(tally, || there.abort_upload(name, &open.id)) {
            Err(failure) if failure.may_pass() => Err(failure),
            _ => Ok(()),
        }
    }

    fn parts_copy(
        &self,
        name: &str,
        head: Head,
        cut: Cut,
        (upload_id, sent, dress): (UploadId, Option<ChecksumAlgorithm>, Dress),
        resumed: Option<&[ArrivedPart]>,
    ) -> PartsCopy {
        let Cut { plan, .. } = cut;
        // Of parts that are not read no checksum is computed.
        let stated = stated_crc(&head.facts).filter(|_| !cut.server_side);
        let stated = stated.cloned();
        let at_hand = resumed.unwrap_or_default();
        let mut arrived = vec![None; plan.count as usize];
        let mut whole = None;
        let adds_up = self.checksum == ChecksumMode::Md5 && !plan.streamed;
        // A part without what the whole is to be proven by is of no use.
        let of_use: Vec<&ArrivedPart> = match (&stated, &head.facts.md5_hex) {
            (Some(_), _) => at_hand.iter().filter(|part| part.crc.is_some()).collect(),
            (None, Some(md5)) if adds_up => {
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
            begun_with: dress.mark(self.destination.encryption()),
            dress,
            sent,
            plain: AtomicBool::new(false),
            crc: stated
                .as_ref()
                .map_or(sent, |stated| Some(stated.algorithm))
                .and_then(Crc::of),
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

/// A CRC that the source states of the whole.
fn stated_crc(source: &ObjectFacts) -> Option<&Checksum> {
    let mut stated = source.checksums.iter();
    stated.find(|stated| stated.algorithm.is_crc())
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
/// `None` while some are missing, or if it is not made of their MD5s.
#[must_use]
pub fn tag_of_parts(open: &OpenUpload) -> Option<ETag> {
    let count = open.size_bytes.div_ceil(open.part_bytes.max(1));
    let all = (1..)
        .zip(&open.parts)
        .all(|(number, part)| part.number == number);
    let is_whole = all && open.parts.len() as u64 == count;
    is_whole.then(|| tag_of(&open.parts)).flatten()
}
