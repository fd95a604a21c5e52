//! One object on its way through a run, and the tasks that move it on.

mod archived;
mod carried;

use std::sync::Arc;
use std::time::Instant;

use self::archived::Shelf;
use super::listed::Listed;
use super::rule::Rule;
use crate::clock::Clock;
use crate::decide::{ListedTags, Weighed, decide, is_suspect};
use crate::ledger::Queued;
use crate::model::{
    Attempt, Copied, Decision, ETag, Exclusion, Failure, FailureCause, IgnoreReason, LastCopy,
    ObjectFacts, ObjectName, OpenUpload, Outcome, OverwriteMode, PlannedCopy, Readiness,
    RestoreOrder, Side, Timestamp, Verified,
};
use crate::plan::Sight;
use crate::recognise::{Recognition, recognise};
use crate::s3::Download;
use crate::transfer::{Route, Tally, Transfer, tag_of_parts};

/// How often an object that changes under our hands is looked at anew.
const LOOKS: u32 = 3;

/// Facts older than this, in milliseconds, are read afresh before anything rests
/// on them.
const FRESH_MS: i64 = 60_000;

/// An object on its way.
pub struct Voyage {
    /// Its place in the order of work.
    pub sequence: u64,
    /// The name and our own last copy of it.
    pub queued: Queued,
    began: Instant,
    looks: u32,
    listed: Listed,
    source: Option<ObjectFacts>,
    destination: Option<ObjectFacts>,
    /// When the oldest of the facts was read.
    seen_at: Timestamp,
    /// The object, if it was easier to begin to read it than to ask about it.
    opened: Option<Download>,
    /// Our own copy that the destination has, if no outcome tells of it and the
    /// source has changed since.
    recognised: Option<LastCopy>,
    /// Whether it is to be ignored although the tags of both ends say that it should not.
    suspect: bool,
    /// Whether both ends are asked only to learn what their tags are.
    asked_for_tags: bool,
    shelf: Shelf,
    /// Whether what proves wrong has not been tried again by then.
    proven_at_end: bool,
    tally: Arc<Tally>,
    server_request_id: Option<String>,
}

/// What a look at both ends says.
pub enum Look {
    /// It is left as it is.
    Settled(IgnoreReason),
    /// The task does not take it.
    Excluded(Exclusion),
    /// Its copy is there already, made by a run that could not record it.
    Found(Copied),
    /// It is to be carried, this way.
    Carry(Route),
    /// It would be carried, but cannot be read.
    Archived(Readiness),
    /// The source is bringing it back; if this run asked for that, as follows.
    Awaits(Option<RestoreOrder>),
}

/// What a look is made with.
#[derive(Debug, Clone)]
pub struct Glass {
    /// Both ends.
    pub transfer: Arc<Transfer>,
    /// What the run decides by.
    pub rule: Rule,
    /// Whether the object may be read at once where that saves asking about it.
    pub may_open: bool,
    /// How archived objects are brought back; `None`: they are not.
    pub restore: Option<RestoreOrder>,
    /// Tells the time.
    pub clock: Clock,
}

impl Voyage {
    /// A voyage that begins now.
    pub fn new(sequence: u64, queued: Queued) -> Self {
        Self {
            sequence,
            queued,
            began: Instant::now(),
            looks: 0,
            listed: Listed::default(),
            source: None,
            destination: None,
            seen_at: Timestamp::from_ms(0),
            opened: None,
            recognised: None,
            suspect: false,
            asked_for_tags: false,
            shelf: Shelf::default(),
            proven_at_end: false,
            tally: Arc::new(Tally::default()),
            server_request_id: None,
        }
    }

    /// What listings say of it.
    pub fn listed(&mut self, listed: Listed) {
        self.listed = listed;
    }

    /// The object's name.
    pub fn name(&self) -> &ObjectName {
        &self.queued.name
    }

    /// What the source says of the object.
    ///
    /// # Errors
    /// If it was not found there.
    pub fn source(&self) -> Result<ObjectFacts, Failure> {
        self.source
            .clone()
            .ok_or_else(|| missing(&self.queued.name))
    }

    /// What the object costs; its parts count into it too.
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Whether the facts are too old to rest anything on them.
    pub fn is_stale(&self, clock: &Clock) -> bool {
        clock.now().ms() - self.seen_at.ms() > FRESH_MS
    }

    /// Forgets what is known of both ends, as if they had not been looked at yet.
    pub fn forget_facts(&mut self) {
        self.looks = self.looks.saturating_sub(1);
        self.listed = Listed::default();
        self.source = None;
        self.destination = None;
        self.opened = None;
    }

    /// Forgets a look at listings that was not enough; what they say is not forgotten.
    fn forget_look(&mut self) {
        self.looks = 0;
        self.source = None;
        self.destination = None;
    }

    /// Decides from what listings say; `None` if that is not enough, as where `tags`
    /// leave open whether what is ignored is suspect. The first look of each voyage: a
    /// name that its copy must not have fails here.
    pub fn look_at_listings(
        &mut self,
        transfer: &Transfer,
        rule: &Rule,
        tags: ListedTags,
    ) -> Option<Result<Look, Failure>> {
        if let Err(failure) = check_place(transfer, &self.queued.name) {
            return Some(Err(failure));
        }
        let planned = self.queued.planned.is_some();
        let (source, destination) = self.listed.facts(rule.mode, planned)?;
        self.began = Instant::now();
        self.looks = 1;
        self.seen_at = self.listed.at;
        self.source = Some(source);
        self.destination = destination;
        let look = self.decide(transfer, rule);
        if matches!(look, Ok(Look::Archived(_))) {
            self.forget_look();
            return None;
        }
        if let (Ok(Look::Settled(reason)), Some(source), Some(destination)) =
            (&look, &self.source, &self.destination)
        {
            match tags.weigh(*reason, source, destination) {
                Weighed::Clear => {}
                Weighed::Suspect => self.suspect = true,
                Weighed::Ask => {
                    self.forget_facts();
                    self.asked_for_tags = true;
                    return None;
                }
            }
        }
        Some(look)
    }

    /// Whether the tags of both ends are MD5s; `None` unless both were asked to learn
    /// that.
    pub fn are_tags_md5s(&self) -> Option<bool> {
        let (Some(source), Some(destination)) = (&self.source, &self.destination) else {
            return None;
        };
        let known = source.md5_hex.is_some() && destination.md5_hex.is_some();
        self.asked_for_tags.then_some(known)
    }

    /// The time that it takes counts from now on.
    pub fn set_out(&mut self) {
        self.began = Instant::now();
    }

    /// Whether all that a first look has to do is to open the object.
    pub fn is_opened_first(&self, glass: &Glass) -> bool {
        let (source, destination) = (&self.listed.source, &self.listed.destination);
        self.looks == 0
            && glass.may_open
            && self.may_be_opened()
            && matches!((source, destination), (Sight::Unknown, Sight::Absent))
    }

    /// Whether a first look has to ask the source for an object of which its
    /// listing says nothing.
    pub fn asks_source(&self, mode: OverwriteMode) -> bool {
        let known = self.listed.known(mode, self.queued.planned.is_some());
        let is_known = matches!(known.source, Sight::Present(_));
        self.looks == 0 && !is_known && !matches!(self.listed.source, Sight::Absent)
    }

    /// Looks at both ends and decides. What listings say is enough for the first
    /// look, where it is certain. `tried` is what came of opening the object, if
    /// that is [all that was to do](Self::is_opened_first); if that went well, this
    /// waits for nothing.
    pub fn look(
        &mut self,
        glass: &Glass,
        tried: Option<Result<Download, Failure>>,
    ) -> Result<Look, Failure> {
        if self.looks == 0 && tried.is_none() {
            self.set_out();
        }
        self.looks += 1;
        self.opened = None;
        self.seen_at = glass.clock.now();
        let (transfer, mode) = (&*glass.transfer, glass.rule.mode);
        let name = self.queued.name.as_str();
        let known = match self.looks {
            1 => self.listed.known(mode, self.queued.planned.is_some()),
            _ => Listed::default(),
        };
        if matches!(known.source, Sight::Present(_)) || matches!(known.destination, Sight::Absent) {
            self.seen_at = known.at;
        }
        // What the source does not have fails, whatever the destination has.
        if matches!(self.listed.source, Sight::Absent) || self.looks > 1 {
            self.source = transfer
                .source_head(name, &self.tally)?
                .map(|head| head.facts);
            if self.source.is_none() {
                return Err(missing(&self.queued.name));
            }
        }
        self.destination = match known.destination {
            Sight::Absent => None,
            Sight::Present(facts) => Some(facts),
            Sight::Unknown => transfer.destination_facts(name, &self.tally)?,
        };
        if self.source.is_none() {
            self.source = match known.source {
                Sight::Present(facts) => Some(facts),
                _ if self.destination.is_none() && glass.may_open && self.may_be_opened() => {
                    self.opened = transfer.open(name, tried, &self.tally)?;
                    self.opened.as_ref().map(|opened| opened.head.facts.clone())
                }
                _ => transfer
                    .source_head(name, &self.tally)?
                    .map(|head| head.facts),
            };
        }
        match self.decide(transfer, &glass.rule)? {
            Look::Archived(Readiness::Unclear) => {
                self.look_for_archive(glass)?;
                self.decide(transfer, &glass.rule)
            }
            look => Ok(look),
        }
    }

    fn decide(&mut self, transfer: &Transfer, rule: &Rule) -> Result<Look, Failure> {
        let Some(source) = &self.source else {
            return Err(missing(&self.queued.name));
        };
        let ours = self.made_before(transfer, source)?;
        match ours {
            Some((copy, verified)) if copy.source_etag == source.etag => {
                let name = self.queued.name.as_str();
                if !transfer.is_dressed(name, source, &self.tally)? {
                    let route = transfer.route(source.size_bytes)?;
                    return Ok(Look::Carry(self.on(route)));
                }
                return Ok(Look::Found(Copied {
                    copy_etag: copy.copy_etag,
                    verified,
                    size_bytes: source.size_bytes,
                }));
            }
            // Made of an older version of the object, and our own all the same. The
            // next plan takes the place of the one that says so.
            Some((copy, _)) => {
                self.recognised = Some(copy.clone());
                self.queued.last_copy = Some(copy);
            }
            None => {}
        }
        if let Some(exclusion) = rule.excludes(&self.queued.name, source) {
            self.opened = None;
            return Ok(Look::Excluded(exclusion));
        }
        let last_copy = self.queued.last_copy.as_ref();
        let (destination, mends) = (self.destination.as_ref(), self.queued.mends.as_ref());
        Ok(
            match decide(rule.mode, source, destination, last_copy, mends) {
                Decision::Ignore(reason) => {
                    self.suspect =
                        destination.is_some_and(|found| is_suspect(reason, source, found));
                    Look::Settled(reason)
                }
                Decision::Copy => {
                    let route = transfer.route(source.size_bytes)?;
                    match self.readiness(source) {
                        Readiness::Ready => Look::Carry(self.on(route)),
                        not_ready => Look::Archived(not_ready),
                    }
                }
            },
        )
    }

    /// Whether the listing of an end said otherwise.
    pub fn contradicts(&self, side: Side) -> bool {
        let found = match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        };
        self.listed.is_contradicted(side, found.as_ref())
    }

    fn on(&mut self, route: Route) -> Route {
        self.proven_at_end = !matches!(route, Route::Whole { .. });
        if self.proven_at_end {
            self.opened = None;
        }
        route
    }

    /// The copy that an earlier run, or an earlier look of this one, planned and
    /// made without getting to its outcome; `None` if there is none.
    fn made_before(
        &self,
        transfer: &Transfer,
        source: &ObjectFacts,
    ) -> Result<Option<(LastCopy, Verified)>, Failure> {
        let (Some(planned), Some(found)) = (&self.queued.planned, &self.destination) else {
            return Ok(None);
        };
        let upload = self.queued.upload.as_ref();
        let here =
            |upload: &&OpenUpload| upload.destination_prefix == *transfer.destination.prefix();
        let of_parts = upload.filter(here).and_then(tag_of_parts);
        let verified = match recognise(planned, of_parts.as_ref(), Some(found)) {
            Recognition::Made => Verified::EtagMd5,
            Recognition::Unclear if planned.source_etag == source.etag => {
                let name = self.queued.name.as_str();
                if !transfer.have_same_bytes(name, source, found, &self.tally)? {
                    return Ok(None);
                }
                Verified::Sha256
            }
            Recognition::NotMade | Recognition::Unclear => return Ok(None),
        };
        let copy = LastCopy {
            source_etag: planned.source_etag.clone(),
            copy_etag: found.etag.clone(),
        };
        Ok(Some((copy, verified)))
    }

    /// What is to be committed before anything of the object is written.
    ///
    /// # Errors
    /// If it was not found at the source.
    pub fn plan(&mut self) -> Result<PlannedCopy, Failure> {
        let source = self.source()?;
        let destination = self.destination.as_ref();
        let planned = PlannedCopy {
            source_etag: source.etag,
            source_md5_hex: source.md5_hex,
            size_bytes: source.size_bytes,
            replaces: destination.map(|facts| (facts.etag.clone(), facts.modified_at)),
        };
        Ok(self.queued.planned.insert(planned).clone())
    }

    /// What must be kept before the copy is planned anew.
    pub fn take_recognised(&mut self) -> Option<LastCopy> {
        self.recognised.take()
    }

    /// The tag of what the copy is to replace; `None` if there is nothing.
    pub fn replaces(&self) -> Option<ETag> {
        self.destination.as_ref().map(|facts| facts.etag.clone())
    }

    /// Whether `failure` is worth another look within this run: the source
    /// changed while it was read, or the destination before it was written, so
    /// that the facts are stale; or the parts, each of which was tried often
    /// enough, do not make the whole, or what the server copied is not the source.
    pub fn may_look_again(&self, failure: &Failure) -> bool {
        let stale = failure.cause == FailureCause::SourceChanged || failure.is_refused_condition();
        let wrong_whole = failure.cause == FailureCause::Integrity && self.proven_at_end;
        (stale || wrong_whole) && self.looks < LOOKS
    }

    /// Keeps the id that the destination gave the deciding request.
    pub fn answered(&mut self, request_id: Option<String>) {
        self.server_request_id = request_id;
    }

    /// The outcome of a failure.
    pub fn failed(&mut self, failure: Failure) -> Outcome {
        self.server_request_id
            .clone_from(&failure.server_request_id);
        Outcome::Failed(failure)
    }

    /// The end of the voyage.
    pub fn settle(self, outcome: Outcome, clock: &Clock) -> Attempt {
        let suspect = self.suspect && matches!(outcome, Outcome::Ignored(_));
        Attempt {
            name: self.queued.name,
            at: clock.now(),
            outcome,
            suspect,
            source: self.source,
            destination: self.destination,
            server_request_id: self.server_request_id,
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            // A look after the first one is a retry too.
            retries: self.tally.retries() + self.looks.saturating_sub(1),
            throttled: self.tally.throttled(),
        }
    }
}

/// Refuses a name that the intake took and that another prefix, given to the task
/// since, makes one that the destination cannot have.
fn check_place(transfer: &Transfer, name: &ObjectName) -> Result<(), Failure> {
    let prefix = transfer.destination.prefix();
    prefix.check(name).map_err(|reason| {
        let message = format!(
            "the destination cannot have {name:?} behind the prefix {:?} ({reason})",
            prefix.as_str()
        );
        Failure::new(FailureCause::BadRequest, message)
    })
}

fn missing(name: &ObjectName) -> Failure {
    Failure {
        error_code: Some("NoSuchKey".to_owned()),
        http_status: Some(404),
        ..Failure::new(
            FailureCause::SourceMissing,
            format!("the source bucket has no object {name:?}"),
        )
        .at(Side::Source)
    }
}
