//! Lists in bodies: counted to their end, and kept only as far as anybody may ask.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::config::MOST_NAMES;

/// A list of which so many elements are kept as the longest list may have that is
/// not refused. A body of next to empty elements would take many times its size.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    /// The first elements.
    pub(super) kept: Vec<T>,
    /// How many there are.
    pub(super) count: usize,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Counting(PhantomData))
    }
}

struct Counting<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Counting<T> {
    type Value = Bounded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bounded<T>, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < MOST_NAMES as usize {
            let Some(element) = list.next_element()? else {
                let count = kept.len();
                return Ok(Bounded { kept, count });
            };
            kept.push(element);
        }
        let mut count = kept.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Bounded { kept, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_list_without_end_no_more_is_kept_than_may_be_asked_for() {
        for count in [0, 3, 99_999, 100_000, 100_001, 150_000] {
            let list = format!("[{}]", vec!["\"\""; count].join(","));
            let bounded: Bounded<String> = serde_json::from_str(&list).unwrap();
            assert_eq!(
                (bounded.count, bounded.kept.len()),
                (count, count.min(100_000))
            );
        }
    }
}
