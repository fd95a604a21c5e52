//! A listing from its first page to its last.

use super::bucket::Bucket;
use super::cause::Operation;
use super::list::{ListPage, ListedObject};
use crate::model::Failure;

/// Names asked for at once.
const PAGE: u16 = 1000;

/// The most pages that are read: ten million names, where nobody keeps as many.
const MOST_PAGES: u32 = 10_000;

/// Pages without a name that may follow each other. Servers that just removed
/// much send some.
const MOST_EMPTY_PAGES: u32 = 100;

/// Walks through the names that begin with a prefix, page by page, in little
/// memory. No server can keep it walking for ever.
#[derive(Debug, Clone)]
pub struct Listing {
    prefix: String,
    next: Next,
    walk: Walk,
}

#[derive(Debug, Clone)]
enum Next {
    First,
    At(String),
    End,
}

impl Listing {
    /// All names that begin with `prefix`.
    #[must_use]
    pub const fn new(prefix: String) -> Self {
        Self {
            prefix,
            next: Next::First,
            walk: Walk::new(),
        }
    }

    /// The objects on the next page of `bucket`; `None` behind the last. After a
    /// failure the same page may be asked for again.
    ///
    /// # Errors
    /// The server refused or did not answer, its answer cannot be read, or it
    /// goes on without end.
    pub fn next_page(&mut self, bucket: &Bucket) -> Result<Option<Vec<ListedObject>>, Failure> {
        let after = match &self.next {
            Next::First => None,
            Next::At(token) => Some(token.as_str()),
            Next::End => return Ok(None),
        };
        let page = bucket.list(&self.prefix, None, after, PAGE)?;
        let mut walk = self.walk.clone();
        walk.step(&page)
            .map_err(|why| bucket.nonsense(Operation::ListObjectsV2, None, why))?;
        self.walk = walk;
        self.next = page.next.map_or(Next::End, Next::At);
        Ok(Some(page.objects))
    }
}

/// Whether a listing gets on. A name that stands in it once cannot come again,
/// so one name is kept and looked out for: that of a page whose number is a power
/// of two (Brent's way to find a cycle). A listing that goes round is found out
/// before it has gone round three times, whatever tokens it gives.
///
/// | page | more follow | verdict |
/// |--|--|--|
/// | any | no | the end |
/// | ends with the name that is looked out for | yes | refused |
/// | the 101st without a name in a row | yes | refused |
/// | the 10,000th | yes | refused |
/// | any other | yes | on |
#[derive(Debug, Clone)]
struct Walk {
    pages: u32,
    empty: u32,
    mark: Option<String>,
}

impl Walk {
    const fn new() -> Self {
        Self {
            pages: 0,
            empty: 0,
            mark: None,
        }
    }

    fn step(&mut self, page: &ListPage) -> Result<(), &'static str> {
        if page.next.is_none() {
            return Ok(());
        }
        self.pages += 1;
        let Some(last) = page.objects.last() else {
            self.empty += 1;
            return if self.empty > MOST_EMPTY_PAGES {
                Err("answered with page after page without a name, and no end")
            } else {
                self.bounded()
            };
        };
        self.empty = 0;
        if self.mark.as_ref() == Some(&last.name) {
            return Err("answered with a listing that goes round, without end");
        }
        if self.mark.is_none() || self.pages.is_power_of_two() {
            self.mark = Some(last.name.clone());
        }
        self.bounded()
    }

    fn bounded(&self) -> Result<(), &'static str> {
        if self.pages >= MOST_PAGES {
            return Err("answered with a listing of more than 10,000 pages");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{ETag, ObjectFacts, Timestamp};

    fn page(last: Option<&str>) -> ListPage {
        let object = |name: &str| ListedObject {
            name: name.to_owned(),
            facts: ObjectFacts {
                etag: ETag::new("x"),
                size_bytes: 0,
                modified_at: Timestamp::from_ms(0),
                md5_hex: None,
                checksums: Vec::new(),
                readiness: crate::model::Readiness::Ready,
            },
        };
        ListPage {
            objects: last.map(object).into_iter().collect(),
            next: Some("more".to_owned()),
        }
    }

    /// After how many pages of an endless listing it is refused, and why.
    fn refused(page_of: impl Fn(u32) -> ListPage) -> (u32, &'static str) {
        let mut walk = Walk::new();
        let mut number = 0;
        loop {
            match walk.step(&page_of(number)) {
                Ok(()) => number += 1,
                Err(why) => return (number, why),
            }
        }
    }

    #[test]
    fn pages_without_names_are_borne_for_a_while() {
        let (pages, why) = refused(|_| page(None));
        assert_eq!(pages, 100);
        assert!(why.contains("without a name"));
        // A name now and then is getting on.
        let (pages, why) = refused(|number| {
            let name = number.to_string();
            page((number % 100 == 0).then_some(name.as_str()))
        });
        assert_eq!((pages, why.contains("10,000")), (9_999, true));
    }

    #[test]
    fn a_listing_that_never_repeats_itself_ends_too() {
        let (pages, why) = refused(|number| page(Some(&number.to_string())));
        assert_eq!((pages, why.contains("10,000")), (9_999, true));
        let mut walk = Walk::new();
        let mut last = page(Some("a"));
        last.next = None;
        assert_eq!(walk.step(&last), Ok(()));
    }

    proptest! {
        #[test]
        fn a_listing_that_goes_round_is_found_out(before in 0_u32..50, round in 1_u32..50) {
            let name = |number: u32| {
                let place = if number < before { number } else { before + (number - before) % round };
                page(Some(&place.to_string()))
            };
            let (pages, why) = refused(name);
            prop_assert!(why.contains("goes round"));
            prop_assert!(pages <= 3 * (before + round), "{}", pages);
        }
    }
}
