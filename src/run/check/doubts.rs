//! What a listing leaves in doubt is asked about by itself, so that nothing is
//! said that is not so: a run may be at work, and listings may lag behind.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::mpsc::channel;

use super::error::CheckError;
use super::judge::{Verdict, judge};
use super::{Means, Told};
use crate::model::{Claim, Differs, Failure, Finding, FindingKind, ObjectFacts, ObjectName};
use crate::plan::Sight;
use crate::pool::guarded;
use crate::transfer::{Tally, Transfer};

/// Names that are asked about together.
const BATCH: usize = 256;

/// Copies of which a listing says that they are not right, and that are asked
/// about: beyond so many something happened to the bucket, not to a few copies.
const MOST_ASKED: u64 = 10_000;

/// The same of objects that the ledger knows nothing of.
const MOST_FOREIGN_ASKED: u64 = 1_000;

/// A name that is not plainly right.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    /// The name, as it is at the source.
    pub(super) name: String,
    /// What the ledger claimed; `None`: nothing.
    pub(super) claim: Option<Claim>,
    /// What the destination's listing says.
    pub(super) destination: Sight,
    /// What the source's does; `None`: it is left aside.
    pub(super) source: Option<Sight>,
}

/// How the ledger stands to a name at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    claim: Option<Claim>,
    /// A copy was begun, and how it ended is not recorded.
    is_at_work: bool,
    /// This task, or another that copies into the bucket, knows the name.
    is_known: bool,
}

/// What both ends answered: the destination, the source if it was to be asked.
type Answer = Result<(Sight, Option<Sight>), Failure>;

/// Doubts that are still to be settled.
pub(super) struct Doubts<'m> {
    means: &'m Means<'m>,
    waiting: Vec<Doubt>,
    asked: u64,
    foreign_asked: u64,
}

impl<'m> Doubts<'m> {
    pub(super) const fn new(means: &'m Means<'m>) -> Self {
        Self {
            means,
            waiting: Vec::new(),
            asked: 0,
            foreign_asked: 0,
        }
    }

    /// Adds a doubt; some at a time are settled.
    pub(super) fn push(&mut self, doubt: Doubt, told: &mut Told) -> Result<(), CheckError> {
        self.waiting.push(doubt);
        if self.waiting.len() >= BATCH {
            self.settle(told)?;
        }
        Ok(())
    }

    /// Settles all that are left. The ledger is read before a name is asked about
    /// and after it: a run commits what it is about to write before it does, and
    /// its outcome with the plan's end, so that whatever it does in between shows.
    pub(super) fn settle(&mut self, told: &mut Told) -> Result<(), CheckError> {
        let doubts = std::mem::take(&mut self.waiting);
        let mut asked = Vec::with_capacity(doubts.len());
        for doubt in doubts {
            let before = self.standing(&doubt)?;
            if doubt.claim.is_none() && (before.is_known || before.is_at_work) {
                continue;
            }
            let ask = self.may_ask(&doubt);
            asked.push((doubt, before, ask));
        }
        let answers = self.ask(&asked)?;
        for ((doubt, before, ask), answer) in asked.into_iter().zip(answers) {
            let after = self.standing(&doubt)?;
            let is_at_work = after != before || after.is_at_work || after.claim != doubt.claim;
            let place = self.means.claimant.prefix.place(&doubt.name);
            tell(&doubt, place, (is_at_work, ask), answer, told)?;
        }
        Ok(())
    }

    /// Whether the name is asked about. What a listing leaves open always is.
    fn may_ask(&mut self, doubt: &Doubt) -> bool {
        let Some(claim) = &doubt.claim else {
            let may =
                ObjectName::new(&doubt.name).is_ok() && self.foreign_asked < MOST_FOREIGN_ASKED;
            self.foreign_asked += u64::from(may);
            return may;
        };
        if judge(claim, &doubt.destination, doubt.source.as_ref()) == Verdict::Unclear {
            return true;
        }
        let may = self.asked < MOST_ASKED;
        self.asked += u64::from(may);
        may
    }

    fn standing(&self, doubt: &Doubt) -> Result<Standing, CheckError> {
        let (ledger, ours) = (self.means.ledger, &self.means.claimant);
        let mut standing = Standing {
            claim: ledger.claim(ours, &doubt.name)?,
            is_at_work: ledger.is_being_copied(ours, &doubt.name)?,
            is_known: false,
        };
        if doubt.claim.is_none() {
            let place = ours.prefix.place(&doubt.name);
            for neighbour in &self.means.neighbours {
                if let Some(name) = neighbour.prefix.name_at(&place) {
                    standing.is_known |= ledger.knows(neighbour.task, name)?;
                }
            }
        }
        Ok(standing)
    }

    /// Asks about those that are to be asked about, all at once as far as there are
    /// workers. For others the listing answers.
    fn ask(&self, doubts: &[(Doubt, Standing, bool)]) -> Result<Vec<Answer>, CheckError> {
        let (sender, answers) = channel();
        let mut said: Vec<Answer> = doubts
            .iter()
            .map(|(doubt, _, _)| Ok((doubt.destination.clone(), doubt.source.clone())))
            .collect();
        let mut awaited = 0;
        for (place, (doubt, _, ask)) in doubts.iter().enumerate() {
            if !*ask {
                continue;
            }
            awaited += 1;
            let (doubt, sender) = (doubt.clone(), sender.clone());
            let transfer = Arc::clone(&self.means.transfer);
            self.means.engine.pool.spawn(move || {
                let answer = guarded(|| look(&transfer, doubt));
                // Nobody waits for it any more if the check was stopped.
                drop(sender.send((place, answer)));
            });
        }
        while awaited > 0 {
            let (place, answer) = self.means.await_answer(&answers)?;
            said[place] = answer;
            awaited -= 1;
        }
        Ok(said)
    }
}

/// Says what is to be said of a name, which lies at `place`.
fn tell(
    doubt: &Doubt,
    place: Cow<'_, str>,
    (is_at_work, asked): (bool, bool),
    answer: Answer,
    told: &mut Told,
) -> Result<(), CheckError> {
    let Some(claim) = &doubt.claim else {
        // What is at work now is known now, or gone again.
        return match answer {
            Ok((Sight::Present(facts), _)) if !is_at_work => {
                told.found(&foreign(place.into_owned(), &facts, asked))
            }
            _ => Ok(()),
        };
    };
    let (destination, source) = match answer {
        _ if is_at_work => {
            told.totals.unsettled += 1;
            return Ok(());
        }
        Ok(answer) => answer,
        Err(failure) => {
            told.unanswered(failure);
            return Ok(());
        }
    };
    match judge(claim, &destination, source.as_ref()) {
        Verdict::Right => {
            told.right(source.as_ref());
            Ok(())
        }
        Verdict::Found(kind, differs) => {
            let ends = (&destination, source.as_ref());
            told.found(&finding(claim, (kind, differs), ends, asked))
        }
        // It was asked for, and what it said leaves it open: no tags.
        Verdict::Unclear => {
            told.totals.right += 1;
            told.by_size_alone += 1;
            Ok(())
        }
    }
}

/// Asks the destination, unless its listing shows the copy as it should be, and
/// then the source, unless its listing does.
fn look(transfer: &Transfer, doubt: Doubt) -> Answer {
    let seen = |facts: Option<ObjectFacts>| facts.map_or(Sight::Absent, Sight::Present);
    let tally = Tally::default();
    let is_right = |claim: &Option<Claim>, destination: &Sight| {
        let verdict = claim.as_ref().map(|claim| judge(claim, destination, None));
        verdict == Some(Verdict::Right)
    };
    let mut destination = doubt.destination;
    if !is_right(&doubt.claim, &destination) {
        destination = seen(transfer.destination_facts(&doubt.name, &tally)?);
    }
    let (Some(claim), Some(mut source)) = (&doubt.claim, doubt.source) else {
        return Ok((destination, None));
    };
    let is_open = judge(claim, &destination, Some(&source)) != Verdict::Right;
    if is_open && is_right(&doubt.claim, &destination) {
        let head = transfer.source_head(claim.name.as_str(), &tally)?;
        source = seen(head.map(|head| head.facts));
    }
    Ok((destination, Some(source)))
}

fn finding(
    claim: &Claim,
    (finding, differs): (FindingKind, Option<Differs>),
    (destination, source): (&Sight, Option<&Sight>),
    asked: bool,
) -> Finding {
    let facts = |sight: &Sight| match sight {
        Sight::Present(facts) => Some(facts.clone()),
        Sight::Absent | Sight::Unknown => None,
    };
    let (destination, source) = (facts(destination), source.and_then(facts));
    Finding {
        name: claim.name.as_str().to_owned(),
        finding,
        differs,
        recorded_size_bytes: claim.size_bytes,
        recorded_etag: Some(claim.copy.copy_etag.as_str().to_owned()),
        recorded_source_etag: Some(claim.copy.source_etag.as_str().to_owned()),
        destination_size_bytes: destination.as_ref().map(|facts| facts.size_bytes),
        destination_modified_at: destination.as_ref().map(|facts| facts.modified_at.ms()),
        destination_etag: destination.map(|facts| facts.etag.as_str().to_owned()),
        source_etag: source.map(|facts| facts.etag.as_str().to_owned()),
        asked,
    }
}

fn foreign(name: String, facts: &ObjectFacts, asked: bool) -> Finding {
    Finding {
        name,
        finding: FindingKind::Foreign,
        differs: None,
        recorded_size_bytes: None,
        recorded_etag: None,
        recorded_source_etag: None,
        destination_size_bytes: Some(facts.size_bytes),
        destination_etag: Some(facts.etag.as_str().to_owned()),
        destination_modified_at: Some(facts.modified_at.ms()),
        source_etag: None,
        asked,
    }
}
