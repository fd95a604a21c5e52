//! The walk along a listing, from queued name to queued name.

use std::time::Instant;

use super::before::{is_listed_as_it_is, just_before};
use super::{Listings, Sight};
use crate::model::Failure;
use crate::s3::{ListPage, ListedObject};

/// The most names on a page.
const PAGE: usize = 1000;

/// How many more keys are asked for than the last page made likely: a quarter.
const MARGIN: usize = 4;

/// Says what a bucket has of `names`, which ascend, as far as its listing is worth
/// its cost. `list` answers with a page of the objects after a key, at most so
/// many; `ask` asks about a name alone, to see how long that takes.
pub fn survey(
    names: &[&str],
    listings: &Listings,
    mut list: impl FnMut(&str, u16) -> Result<ListPage, Failure>,
    mut ask: impl FnMut(&str),
) -> Vec<Sight> {
    let mut sights = vec![Sight::Unknown; names.len()];
    let mut next = 0;
    let mut after = String::new();
    let mut keys = PAGE;
    while next < names.len() {
        after = after.max(just_before(names[next]));
        let began = Instant::now();
        let page = match list(&after, u16::try_from(keys).unwrap_or(u16::MAX)) {
            Ok(page) => page,
            Err(failure) => {
                if !failure.may_pass() && listings.distrust() {
                    tracing::info!("names are asked about one by one: {}", failure.message);
                }
                break;
            }
        };
        if !ascends(&after, &page.objects) {
            if listings.distrust() {
                tracing::warn!(
                    "the bucket is not listed in byte order: names are asked about one by one"
                );
            }
            break;
        }
        if let Some(last) = page.objects.last() {
            after.clone_from(&last.name);
        }
        let (has_next, listed) = (page.next.is_some(), page.objects.len());
        let said = see(page, &names[next..], &mut sights[next..]);
        next += said;
        let goes_on = has_next && next < names.len();
        // The last page of a stretch says what it can, however little.
        if goes_on && !listings.learn(said, began.elapsed(), || ask(names[next])) {
            break;
        }
        keys = keys_for(names.len() - next, said, listed);
    }
    sights
}

/// How many keys to ask for, if `left` names lie as close together as the last
/// page's: it said something of `said` names among `keys` keys.
fn keys_for(left: usize, said: usize, keys: usize) -> usize {
    let likely = left.saturating_mul(keys) / said.max(1);
    (likely + likely / MARGIN)
        .clamp(left.min(PAGE), PAGE)
        .max(1)
}

/// Whether keys begin behind `after` and ascend by byte.
fn ascends(after: &str, objects: &[ListedObject]) -> bool {
    let mut last = after;
    objects.iter().all(|object| {
        let ascends = last < object.name.as_str();
        last = object.name.as_str();
        ascends
    })
}

/// Writes down what `page` says of `names`; answers how many of them it covers.
fn see(page: ListPage, names: &[&str], sights: &mut [Sight]) -> usize {
    let covered = match (&page.next, page.objects.last()) {
        (None, _) => names.len(),
        (Some(_), Some(last)) => names.partition_point(|name| *name <= last.name.as_str()),
        (Some(_), None) => 0,
    };
    let mut objects = page.objects.into_iter().peekable();
    for (name, sight) in names[..covered].iter().zip(sights) {
        while objects
            .next_if(|object| object.name.as_str() < *name)
            .is_some()
        {}
        let found = objects.next_if(|object| object.name == *name);
        // A tag is what later shows whether the object is still the same.
        *sight = match found {
            _ if !is_listed_as_it_is(name) => Sight::Unknown,
            Some(object) if object.facts.etag.as_str().is_empty() => Sight::Unknown,
            Some(object) => Sight::Present(object.facts),
            None => Sight::Absent,
        };
    }
    covered
}

#[cfg(test)]
mod tests;
