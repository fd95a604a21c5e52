//! How many bytes a second may be read, by time of day.

use chrono::{NaiveTime, Timelike};

use super::time::{Timestamp, Zone};

/// A time of day from which to which a cap holds; over midnight if `to` comes
/// before `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// When it begins, on the zone's clocks.
    pub from: NaiveTime,
    /// When it ends.
    pub to: NaiveTime,
    /// The cap within it, in bytes a second.
    pub bytes_per_second: u64,
}

impl Slot {
    /// Whether both hold at some time of the day. A slot that ends where the
    /// other begins does not overlap it.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.shows(other.from) || other.shows(self.from)
    }

    /// Whether it holds while clocks show `time`.
    fn shows(&self, time: NaiveTime) -> bool {
        let seconds = |time: NaiveTime| time.num_seconds_from_midnight();
        let after = |time| (seconds(time) + 86_400 - seconds(self.from)) % 86_400;
        after(time) < after(self.to)
    }

    /// Whether it holds at `at`: its end comes before its next beginning. Where
    /// clocks jump over one of them, the end of the gap counts; where they show
    /// it twice, the first.
    fn holds(&self, zone: Zone, at: Timestamp) -> bool {
        zone.next(self.to, at) < zone.next(self.from, at)
    }
}

/// The caps of a day. Outside all slots there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    zone: Zone,
    /// At all times, whatever the slots say.
    always: Option<u64>,
    slots: Vec<Slot>,
}

impl Timetable {
    /// The same cap at all times.
    #[must_use]
    pub const fn always(zone: Zone, bytes_per_second: u64) -> Self {
        Self {
            zone,
            always: Some(bytes_per_second),
            slots: Vec::new(),
        }
    }

    /// Caps by `slots`, which do not overlap.
    #[must_use]
    pub const fn slots(zone: Zone, slots: Vec<Slot>) -> Self {
        Self {
            zone,
            always: None,
            slots,
        }
    }

    /// The cap at `at`, in bytes a second; `None`: unlimited.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<u64> {
        let slot = self.slots.iter().find(|slot| slot.holds(self.zone, at));
        slot.map(|slot| slot.bytes_per_second).or(self.always)
    }

    /// The lowest cap of all, in bytes a second.
    #[must_use]
    pub fn lowest(&self) -> Option<u64> {
        let caps = self.slots.iter().map(|slot| slot.bytes_per_second);
        caps.chain(self.always).min()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn slot(from: &str, to: &str, bytes_per_second: u64) -> Slot {
        Slot {
            from: NaiveTime::parse_from_str(from, "%H:%M").unwrap(),
            to: NaiveTime::parse_from_str(to, "%H:%M").unwrap(),
            bytes_per_second,
        }
    }

    /// The caps at these times, which are written as RFC 3339.
    fn caps(timetable: &Timetable, times: &[&str]) -> Vec<Option<u64>> {
        let at = |time: &&str| timetable.at(time.parse::<DateTime<Utc>>().unwrap().into());
        times.iter().map(at).collect()
    }

    #[test]
    fn a_cap_without_times_holds_always() {
        let timetable = Timetable::always(Zone::UTC, 5);
        assert_eq!(caps(&timetable, &["2026-11-22T12:00:00Z"]), [Some(5)]);
        assert_eq!(timetable.lowest(), Some(5));
    }

    #[test]
    fn a_slot_holds_from_its_first_to_before_its_last_minute() {
        let slots = vec![slot("01:00", "05:00", 2), slot("22:30", "01:00", 1)];
        let timetable = Timetable::slots("Asia/Shanghai".parse().unwrap(), slots);
        assert_eq!(timetable.lowest(), Some(1));
        assert_eq!(
            caps(
                &timetable,
                &[
                    "2026-11-22T22:29:59+08:00",
                    "2026-11-22T22:30:00+08:00",
                    "2026-11-23T00:59:59+08:00",
                    "2026-11-23T01:00:00+08:00",
                    "2026-11-23T04:59:59+08:00",
                    "2026-11-23T05:00:00+08:00",
                ]
            ),
            [None, Some(1), Some(1), Some(2), Some(2), None]
        );
    }

    #[test]
    fn a_time_that_clocks_jump_over_is_the_end_of_the_gap() {
        // On this night 02:00 was followed by 03:00.
        let slots = vec![slot("01:00", "02:30", 1), slot("02:45", "04:00", 2)];
        let timetable = Timetable::slots("Europe/Berlin".parse().unwrap(), slots);
        assert_eq!(
            caps(
                &timetable,
                &[
                    "2026-03-29T01:59:59+01:00",
                    "2026-03-29T03:00:00+02:00",
                    "2026-03-29T04:00:00+02:00"
                ]
            ),
            [Some(1), Some(2), None]
        );
        let within = Timetable::slots(
            "Europe/Berlin".parse().unwrap(),
            vec![slot("02:15", "02:45", 1)],
        );
        let times = ["2026-03-29T01:59:59+01:00", "2026-03-29T03:00:00+02:00"];
        assert_eq!(caps(&within, &times), [None, None]);
    }

    #[test]
    fn a_time_that_clocks_show_twice_is_the_first() {
        // On this night 03:00 was followed by 02:00.
        let slots = vec![slot("02:15", "02:30", 1)];
        let timetable = Timetable::slots("Europe/Berlin".parse().unwrap(), slots);
        assert_eq!(
            caps(
                &timetable,
                &["2026-10-25T02:20:00+02:00", "2026-10-25T02:20:00+01:00"]
            ),
            [Some(1), None]
        );
    }

    #[test]
    fn slots_overlap_if_both_hold_at_some_time() {
        let of = |a: (&str, &str), b: (&str, &str)| {
            let (a, b) = (slot(a.0, a.1, 1), slot(b.0, b.1, 1));
            assert_eq!(a.overlaps(&b), b.overlaps(&a));
            a.overlaps(&b)
        };
        assert!(!of(("01:00", "05:00"), ("05:00", "06:00")));
        assert!(of(("01:00", "05:00"), ("04:59", "06:00")));
        assert!(of(("01:00", "05:00"), ("02:00", "03:00")));
        assert!(of(("22:00", "02:00"), ("01:00", "03:00")));
        assert!(!of(("22:00", "02:00"), ("02:00", "22:00")));
        assert!(of(("22:00", "02:00"), ("23:00", "01:00")));
    }
}
