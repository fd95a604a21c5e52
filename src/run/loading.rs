//! What is to be loaded next: pure rules, which look at sizes alone.
//!
//! Few uploads are open at a time, yet enough of them that their parts fill all
//! buffers. The largest is begun first, so that none is left alone at the end,
//! and what is small goes in between, so that it does not wait for hours.

use crate::transfer::Route;

/// How many ready objects are compared. All of them would cost more than they bring.
const COMPARED: usize = 128;

/// Of the slots and the memory parts leave one of so many to small objects that wait.
const SMALL_SHARE: u64 = 8;

/// How the parts of objects under way stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PartsLoad {
    /// Parts at work.
    pub(super) under_way: u64,
    /// The memory that they take.
    pub(super) bytes_under_way: u64,
    /// The memory that parts will take which have not begun.
    pub(super) bytes_waiting: u64,
}

/// What a task may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Slots.
    pub(super) slots: u64,
    /// Memory for buffers.
    pub(super) bytes: u64,
}

/// The place of the object that is to be begun next among the `ready` ones.
///
/// | the parts that wait | ready | next |
/// |--|--|--|
/// | would not fill all buffers | some in parts | the largest of those |
/// | would not fill all buffers | none in parts | the first |
/// | would | some in one piece | the first of those |
/// | would | only in parts | none: they would only wait |
pub(super) fn next<'r>(
    ready: impl Iterator<Item = &'r Route> + Clone,
    parts: PartsLoad,
    room: Room,
) -> Option<usize> {
    let may_begin_parts = parts.bytes_waiting < room.bytes;
    let compared = ready.clone().take(COMPARED).enumerate();
    let in_parts = compared.filter_map(|(place, route)| {
        let Route::Parts(plan) = route else {
            return None;
        };
        Some((place, plan.size_bytes))
    });
    // Of equal ones the first.
    let larger = |best: (usize, u64), next: (usize, u64)| if next.1 > best.1 { next } else { best };
    match in_parts.reduce(larger).filter(|_| may_begin_parts) {
        Some((place, _)) => Some(place),
        None => { ready }.position(|route| !matches!(route, Route::Parts(_))),
    }
}

/// Whether one more part of `part_bytes` may begin, as far as others want room.
///
/// | small objects | the parts under way with this one | may |
/// |--|--|--|
/// | do not wait | any | begin |
/// | wait | this is the only one | begin |
/// | wait | leave an eighth of the slots, and of the memory or as much as a part has | begin |
/// | wait | leave less | not |
///
/// What goes in one piece is no larger than a part, so one of them fits at least.
pub(super) fn may_begin_part(
    part_bytes: u64,
    parts: PartsLoad,
    room: Room,
    small_wait: bool,
) -> bool {
    let most_parts = room.slots - room.slots / SMALL_SHARE;
    let left_bytes = (room.bytes / SMALL_SHARE).max(part_bytes);
    let most_bytes = room.bytes.saturating_sub(left_bytes);
    let fits = parts.under_way < most_parts && parts.bytes_under_way + part_bytes <= most_bytes;
    !small_wait || parts.under_way == 0 || fits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transfer::PartPlan;

    const MIB: u64 = 1024 * 1024;

    const ROOM: Room = Room {
        slots: 16,
        bytes: 96 * MIB,
    };

    fn parts(mib: u64) -> Route {
        Route::Parts(PartPlan {
            size_bytes: mib * MIB,
            part_bytes: 8 * MIB,
            count: u32::try_from(mib.div_ceil(8)).unwrap(),
            streamed: false,
            buffer_bytes_per_part: 8 * MIB,
        })
    }

    const SMALL: Route = Route::Whole { buffer_bytes: 1000 };

    fn waiting(mib: u64) -> PartsLoad {
        PartsLoad {
            bytes_waiting: mib * MIB,
            ..PartsLoad::default()
        }
    }

    #[test]
    fn the_truth_table_of_what_is_next() {
        for (ready, waiting_mib, expected) in [
            (vec![], 0, None),
            (vec![SMALL, SMALL], 0, Some(0)),
            (vec![SMALL, parts(20), parts(300), parts(300)], 0, Some(2)),
            (vec![SMALL, parts(20)], 95, Some(1)),
            (vec![parts(20), SMALL, parts(300)], 96, Some(1)),
            (vec![parts(20), parts(300)], 100_000, None),
        ] {
            let next = next(ready.iter(), waiting(waiting_mib), ROOM);
            assert_eq!(next, expected, "{ready:?} {waiting_mib}");
        }
    }

    #[test]
    fn the_truth_table_of_whether_a_part_may_begin() {
        let load = |under_way: u64| PartsLoad {
            under_way,
            bytes_under_way: under_way * 8 * MIB,
            bytes_waiting: 0,
        };
        let few = Room { slots: 2, ..ROOM };
        for (under_way, room, small_wait, expected) in [
            (12, ROOM, false, true),
            (0, few, true, true),
            (9, ROOM, true, true),
            (10, ROOM, true, false),
            (1, few, true, true),
            (7, Room { slots: 8, ..ROOM }, true, false),
            (
                1,
                Room {
                    bytes: 24 * MIB,
                    ..ROOM
                },
                true,
                true,
            ),
            (
                2,
                Room {
                    bytes: 24 * MIB,
                    ..ROOM
                },
                true,
                false,
            ),
        ] {
            let may = may_begin_part(8 * MIB, load(under_way), room, small_wait);
            assert_eq!(may, expected, "{under_way} {room:?} {small_wait}");
        }
    }

    proptest! {
        #[test]
        fn something_begins_if_anything_may(
            sizes in prop::collection::vec(prop_oneof![Just(0_u64), 9_u64..999], 1..200),
            waiting_mib in 0_u64..200,
        ) {
            let route = |mib: &u64| if *mib == 0 { SMALL } else { parts(*mib) };
            let ready: Vec<Route> = sizes.iter().map(route).collect();
            let has_small = sizes.contains(&0);
            let compared = &sizes[..sizes.len().min(COMPARED)];
            let next = next(ready.iter(), waiting(waiting_mib), ROOM);
            let largest = compared.iter().copied().max().unwrap_or_default();
            match next {
                None => prop_assert!(!has_small && waiting_mib >= 96),
                Some(place) if sizes[place] == 0 => {
                    prop_assert!(waiting_mib >= 96 || largest == 0);
                    prop_assert!(!sizes[..place].contains(&0));
                }
                Some(place) => {
                    prop_assert!(waiting_mib < 96);
                    prop_assert_eq!(sizes[place], largest);
                }
            }
        }

        #[test]
        fn a_part_that_is_alone_may_always_begin(part_mib in 1_u64..6000, slots in 1_u64..64) {
            let room = Room { slots, ..ROOM };
            prop_assert!(may_begin_part(part_mib * MIB, PartsLoad::default(), room, true));
        }
    }
}
