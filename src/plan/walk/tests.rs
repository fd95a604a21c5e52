use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::{DestinationPrefix, ETag, FailureCause, ObjectFacts, Timestamp};

fn object(name: &str) -> ListedObject {
    ListedObject {
        name: name.to_owned(),
        facts: ObjectFacts {
            etag: ETag::new(&format!("tag of {name}")),
            size_bytes: 1,
            modified_at: Timestamp::from_ms(0),
            md5_hex: None,
            checksums: Vec::new(),
            readiness: crate::model::Readiness::Ready,
        },
    }
}

/// A bucket that lists as S3 does, and counts its pages.
struct Bucket {
    keys: BTreeSet<String>,
    pages: RefCell<usize>,
}

impl Bucket {
    fn of(keys: impl IntoIterator<Item = String>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            pages: RefCell::default(),
        }
    }

    fn page(&self, after: &str, most: u16) -> ListPage {
        *self.pages.borrow_mut() += 1;
        let mut behind = self
            .keys
            .iter()
            .filter(|key| key.as_str() > after)
            .map(|key| object(key));
        let objects = behind.by_ref().take(most.into()).collect();
        ListPage {
            objects,
            next: behind.next().map(|_| "more".to_owned()),
        }
    }

    fn survey(&self, names: &[&str], listings: &Listings) -> Vec<Sight> {
        surveyed(names, listings, |after, most| Ok(self.page(after, most)))
    }
}

fn surveyed(
    names: &[&str],
    listings: &Listings,
    list: impl FnMut(&str, u16) -> Result<ListPage, Failure>,
) -> Vec<Sight> {
    survey(names, listings, list, |_| {})
}

fn numbered(numbers: impl Iterator<Item = u32>) -> Vec<String> {
    numbers.map(|number| format!("k/{number:07}")).collect()
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

#[test]
fn names_that_are_the_whole_bucket_cost_a_page_a_thousand() {
    let names = numbered(0..3000);
    let bucket = Bucket::of(names.clone());
    let sights = bucket.survey(&borrowed(&names), &Listings::new());
    assert!(
        sights
            .iter()
            .all(|sight| matches!(sight, Sight::Present(_)))
    );
    assert_eq!(*bucket.pages.borrow(), 3);
}

#[test]
fn an_empty_bucket_costs_one_page() {
    let names = numbered(0..1000);
    let bucket = Bucket::of([]);
    let sights = bucket.survey(&borrowed(&names), &Listings::new());
    assert_eq!(sights, vec![Sight::Absent; 1000]);
    assert_eq!(*bucket.pages.borrow(), 1);
}

#[test]
fn a_listing_that_says_little_is_left() {
    let bucket = Bucket::of(numbered(0..200_000));
    let names = numbered((0..1000).map(|number| number * 200));
    let listings = Listings::new();
    let sights = bucket.survey(&borrowed(&names), &listings);
    assert_eq!(*bucket.pages.borrow(), 1);
    // What it did say holds.
    for (name, sight) in names.iter().zip(&sights[..5]) {
        assert_eq!(*sight, Sight::Present(object(name).facts));
    }
    assert_eq!(sights[5..], vec![Sight::Unknown; 995]);
}

#[test]
fn a_gap_is_jumped_over() {
    let bucket = Bucket::of(numbered(0..100_000));
    let mut names = numbered(0..900);
    names.extend(numbered(90_000..90_900));
    let sights = bucket.survey(&borrowed(&names), &Listings::new());
    assert!(
        sights
            .iter()
            .all(|sight| matches!(sight, Sight::Present(_)))
    );
    assert_eq!(*bucket.pages.borrow(), 2);
}

#[test]
fn a_server_that_does_not_list_in_byte_order_is_not_believed() {
    let names = numbered(0..100);
    for wrong in ["backwards", "from the beginning again"] {
        let listings = Listings::new();
        let sights = surveyed(&borrowed(&names), &listings, |_, _| {
            let mut objects: Vec<ListedObject> = names.iter().map(|name| object(name)).collect();
            if wrong == "backwards" {
                objects.reverse();
            } else {
                objects.insert(0, object("a"));
            }
            Ok(ListPage {
                objects,
                next: None,
            })
        });
        assert_eq!(sights, vec![Sight::Unknown; 100], "{wrong}");
        assert!(!listings.are_trusted(), "{wrong}");
    }
}

#[test]
fn a_listing_that_is_denied_is_not_asked_for_again() {
    let names = numbered(0..100);
    for (cause, trusted) in [
        (FailureCause::PermissionMissing, false),
        (FailureCause::Network, true),
    ] {
        let listings = Listings::new();
        let sights = surveyed(&borrowed(&names), &listings, |_, _| {
            Err(Failure::new(cause, "as intended"))
        });
        assert_eq!(sights, vec![Sight::Unknown; 100]);
        assert_eq!(listings.are_trusted(), trusted, "{cause}");
    }
}

#[test]
fn an_object_without_a_tag_is_asked_about() {
    let names = numbered(0..40);
    let sights = surveyed(&borrowed(&names), &Listings::new(), |_, _| {
        let mut objects: Vec<ListedObject> = names.iter().map(|name| object(name)).collect();
        objects[7].facts.etag = ETag::new("");
        Ok(ListPage {
            objects,
            next: None,
        })
    });
    assert_eq!(sights[7], Sight::Unknown);
    assert!(matches!(sights[8], Sight::Present(_)));
}

proptest! {
    #[test]
    fn whatever_is_said_is_true(
        keys in prop::collection::btree_set("[ab+/]{1,4}|k[0-9]{1,3}", 0..400),
        asked in prop::collection::btree_set("[ab+/]{1,4}|k[0-9]{1,3}", 0..300),
        most in 1_u16..50,
    ) {
        let bucket = Bucket::of(keys.clone());
        let asked: Vec<String> = asked.into_iter().collect();
        let sights = surveyed(&borrowed(&asked), &Listings::new(), |after, keys| {
            Ok(bucket.page(after, keys.min(most)))
        });
        for (name, sight) in asked.iter().zip(sights) {
            match sight {
                Sight::Unknown => {}
                Sight::Absent => prop_assert!(!keys.contains(name), "{}", name),
                Sight::Present(facts) => {
                    prop_assert!(keys.contains(name), "{}", name);
                    prop_assert_eq!(facts, object(name).facts);
                }
            }
        }
    }

    /// The same of what lies behind a prefix, among keys that begin almost like it. The
    /// bucket is asked as one is that is seen under a prefix.
    #[test]
    fn whatever_is_said_of_what_lies_behind_a_prefix_is_true(
        prefix in "[ab/.]{0,3}",
        keys in prop::collection::btree_set("[ab/.]{1,6}|[ab/]{0,3}k[0-9]{1,3}", 0..400),
        asked in prop::collection::btree_set("[ab/.]{1,4}|k[0-9]{1,3}", 0..300),
        most in 1_u16..50,
    ) {
        let Ok(prefix) = prefix.parse::<DestinationPrefix>() else {
            return Ok(());
        };
        let bucket = Bucket::of(keys.iter().filter(|key| key.starts_with(prefix.as_str())).cloned());
        let asked: Vec<String> = asked.into_iter().collect();
        let sights = surveyed(&borrowed(&asked), &Listings::under(&prefix), |after, keys| {
            let page = bucket.page(&prefix.place(after), keys.min(most));
            Ok(page.seen_under(&prefix).unwrap())
        });
        for (name, sight) in asked.iter().zip(sights) {
            let place = prefix.place(name);
            match sight {
                Sight::Unknown => {}
                Sight::Absent => prop_assert!(!keys.contains(&*place), "{}", place),
                Sight::Present(facts) => {
                    prop_assert!(keys.contains(&*place), "{}", place);
                    prop_assert_eq!(facts, object(&place).facts);
                }
            }
        }
    }
}
