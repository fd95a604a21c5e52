//! The rule for what a task takes of what it is asked for, as pure functions.

use crate::model::{Exclusion, ObjectFacts, Selection, Timestamp};

/// What leaves the object out that is called `name` at the source; nobody need be
/// asked about it. `None` if its name is taken.
///
/// | a pattern of `exclude` matches | of `include` | verdict |
/// |--|--|--|
/// | yes | any | left out, by that pattern |
/// | no, or there is none | one matches, or there is none | taken |
/// | no, or there is none | none matches | left out |
#[must_use]
pub fn excluded_by_name(selection: &Selection, name: &str) -> Option<Exclusion> {
    let matching = selection.exclude.as_ref();
    if let Some(pattern) = matching.and_then(|exclude| exclude.matching(name)) {
        return Some(Exclusion::Excluded(pattern.to_owned()));
    }
    let include = selection.include.as_ref()?;
    match include.matching(name) {
        Some(_) => None,
        None => Some(Exclusion::NotIncluded),
    }
}

/// What leaves the object out that has these facts at the source, for a run that
/// began at `began`.
///
/// | size | last modified | verdict |
/// |--|--|--|
/// | below `min_size` | any | left out |
/// | above `max_size` | any | left out |
/// | within, or without limits | longer than `max_age` before `began` | left out |
/// | within, or without limits | just so long before, later, or without a limit | taken |
#[must_use]
pub fn excluded_by_facts(
    selection: &Selection,
    facts: &ObjectFacts,
    began: Timestamp,
) -> Option<Exclusion> {
    let (min, max) = (&selection.min_size_bytes, &selection.max_size_bytes);
    if let Some(min) = min.as_ref().filter(|min| facts.size_bytes < min.value) {
        return Some(Exclusion::TooSmall(min.text.clone()));
    }
    if let Some(max) = max.as_ref().filter(|max| facts.size_bytes > max.value) {
        return Some(Exclusion::TooLarge(max.text.clone()));
    }
    let age_ms = began.ms().saturating_sub(facts.modified_at.ms());
    let age_ms = u128::from(u64::try_from(age_ms).unwrap_or(0));
    let max = selection.max_age.as_ref();
    max.filter(|max| age_ms > max.value.as_millis())
        .map(|max| Exclusion::TooOld(max.text.clone()))
}

#[cfg(test)]
mod tests;
