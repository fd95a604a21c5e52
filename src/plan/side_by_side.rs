//! Two streams of names side by side, each in byte order.

use std::iter::Peekable;

/// What two streams have at one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EitherOrBoth<L, R> {
    /// Only the left one has the name.
    Left(L),
    /// Only the right one has it.
    Right(R),
    /// Both have it.
    Both(L, R),
}

/// One of two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The first that was given.
    Left,
    /// The second.
    Right,
}

/// Why the walk cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalkError<E> {
    /// A stream broke off.
    #[error("{error}")]
    BrokeOff {
        /// Which.
        stream: Stream,
        /// What it said.
        error: E,
    },
    /// A stream gave a name that is not behind the one before it by byte: to go on
    /// would find names missing that are there.
    #[error("{name:?} comes behind {before:?}, which is not the order of bytes")]
    OutOfOrder {
        /// Which.
        stream: Stream,
        /// The name before.
        before: String,
        /// The name out of its place.
        name: String,
    },
}

/// Walks along two streams of names, each of which must ascend by byte without a
/// name twice, and says of every name which of them has it. Nothing is kept but
/// the next item of each. The walk ends with the first error.
///
/// | left's next | right's next | item |
/// |--|--|--|
/// | an error | any | the error |
/// | a name or none | an error | the error |
/// | none | none | the end |
/// | a name | none, or a greater name | left |
/// | none, or a greater name | a name | right |
/// | a name | the same name | both |
pub fn side_by_side<L, R, E>(
    left: impl Iterator<Item = Result<(String, L), E>>,
    right: impl Iterator<Item = Result<(String, R), E>>,
) -> impl Iterator<Item = Result<(String, EitherOrBoth<L, R>), WalkError<E>>> {
    let mut left = ascending(left, Stream::Left).peekable();
    let mut right = ascending(right, Stream::Right).peekable();
    let mut is_broken = false;
    std::iter::from_fn(move || {
        if is_broken {
            return None;
        }
        let item = next_of(&mut left, &mut right);
        is_broken = matches!(item, Some(Err(_)));
        item
    })
}

type Named<T, E> = Result<(String, T), WalkError<E>>;

fn next_of<L, R, E>(
    left: &mut Peekable<impl Iterator<Item = Named<L, E>>>,
    right: &mut Peekable<impl Iterator<Item = Named<R, E>>>,
) -> Option<Named<EitherOrBoth<L, R>, E>> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (left.peek(), right.peek()) {
        (Some(Err(_)), _) | (Some(Ok(_)), None) => Less,
        (_, Some(Err(_))) | (None, _) => Greater,
        (Some(Ok((ours, _))), Some(Ok((theirs, _)))) => ours.cmp(theirs),
    };
    let (ours, theirs) = match order {
        Less => (left.next(), None),
        Equal => (left.next(), right.next()),
        Greater => (None, right.next()),
    };
    Some(match (ours.transpose(), theirs.transpose()) {
        (Err(error), _) | (_, Err(error)) => Err(error),
        (Ok(Some((name, ours))), Ok(None)) => Ok((name, EitherOrBoth::Left(ours))),
        (Ok(None), Ok(Some((name, theirs)))) => Ok((name, EitherOrBoth::Right(theirs))),
        (Ok(Some((name, ours))), Ok(Some((_, theirs)))) => {
            Ok((name, EitherOrBoth::Both(ours, theirs)))
        }
        (Ok(None), Ok(None)) => return None,
    })
}

/// The items of `stream` as long as their names ascend.
fn ascending<T, E>(
    items: impl Iterator<Item = Result<(String, T), E>>,
    stream: Stream,
) -> impl Iterator<Item = Named<T, E>> {
    let mut last: Option<String> = None;
    items.map(move |item| {
        let (name, value) = item.map_err(|error| WalkError::BrokeOff { stream, error })?;
        match &mut last {
            Some(before) if *before >= name => Err(WalkError::OutOfOrder {
                stream,
                before: before.clone(),
                name,
            }),
            Some(before) => {
                before.clone_from(&name);
                Ok((name, value))
            }
            None => {
                last = Some(name.clone());
                Ok((name, value))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::EitherOrBoth::{Both, Left, Right};
    use super::*;

    type Item<'a> = Result<&'a str, &'static str>;
    type Walked = Result<(String, EitherOrBoth<usize, usize>), WalkError<&'static str>>;

    /// The walk over two streams whose values are the places in them.
    fn walk(left: &[Item<'_>], right: &[Item<'_>]) -> Vec<Walked> {
        let stream = |items: &[Item<'_>]| {
            let item =
                |(place, item): (usize, &Item<'_>)| item.map(|name| (name.to_owned(), place));
            items.iter().enumerate().map(item).collect::<Vec<_>>()
        };
        side_by_side(stream(left).into_iter(), stream(right).into_iter()).collect()
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands beside errors")]
    fn found(name: &str, found: EitherOrBoth<usize, usize>) -> Walked {
        Ok((name.to_owned(), found))
    }

    #[test]
    fn the_truth_table() {
        let none: [Item<'_>; 0] = [];
        assert_eq!(walk(&none, &none), []);
        assert_eq!(walk(&[Ok("a")], &none), [found("a", Left(0))]);
        assert_eq!(walk(&none, &[Ok("a")]), [found("a", Right(0))]);
        assert_eq!(
            walk(&[Ok("a"), Ok("b"), Ok("d")], &[Ok("b"), Ok("c")]),
            [
                found("a", Left(0)),
                found("b", Both(1, 0)),
                found("c", Right(1)),
                found("d", Left(2)),
            ]
        );
    }

    #[test]
    fn the_order_is_that_of_bytes_and_not_of_utf_16() {
        let names = [Ok("B"), Ok("a"), Ok("\u{ffff}"), Ok("\u{10000}")];
        assert!(walk(&names, &names).iter().all(Result::is_ok));
    }

    #[test]
    fn a_stream_that_breaks_off_ends_the_walk_before_anything_is_called_missing() {
        let broke_off = |stream| {
            Err(WalkError::BrokeOff {
                stream,
                error: "gone",
            })
        };
        // Names behind the break are not said to be on one side alone.
        assert_eq!(
            walk(
                &[Ok("a"), Ok("b"), Ok("c")],
                &[Ok("a"), Err("gone"), Ok("c")]
            ),
            [found("a", Both(0, 0)), broke_off(Stream::Right)]
        );
        assert_eq!(walk(&[Err("gone")], &[Ok("a")]), [broke_off(Stream::Left)]);
    }

    #[test]
    fn a_stream_out_of_order_or_with_a_name_twice_ends_the_walk() {
        for (first, second) in [("b", "a"), ("b", "b")] {
            let out_of_order = Err(WalkError::OutOfOrder {
                stream: Stream::Right,
                before: first.to_owned(),
                name: second.to_owned(),
            });
            assert_eq!(
                walk(&[Ok("z")], &[Ok(first), Ok(second)]),
                [found("b", Right(0)), out_of_order]
            );
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_once_in_order_with_what_each_side_has_of_it(
            left in proptest::collection::btree_set("[ab/\u{ffff}\u{10000}]{0,3}", 0..30),
            right in proptest::collection::btree_set("[ab/\u{ffff}\u{10000}]{0,3}", 0..30),
        ) {
            let stream = |names: &BTreeSet<String>| {
                names.iter().map(|name| Ok::<_, ()>((name.clone(), name.clone()))).collect::<Vec<_>>()
            };
            let walked: Vec<_> = side_by_side(stream(&left).into_iter(), stream(&right).into_iter())
                .map(Result::unwrap)
                .collect();
            let expected: BTreeMap<_, _> = left.union(&right).map(|name| {
                let found = match (left.contains(name), right.contains(name)) {
                    (true, false) => Left(name.clone()),
                    (false, _) => Right(name.clone()),
                    (true, true) => Both(name.clone(), name.clone()),
                };
                (name.clone(), found)
            }).collect();
            prop_assert_eq!(walked, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
