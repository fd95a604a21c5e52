//! `bandwidth`: one cap for all times, or slots of the day with one each.

use bytesize::ByteSize;
use chrono::NaiveTime;
use toml::de::DeValue;

use super::section::Section;
use crate::model::{self, Slot, Timetable, Zone};

/// The pace below which Nightferry itself gives a server up; servers do no less.
const LEAST: ByteSize = ByteSize::kib(64);

/// Reads `bandwidth` of a task whose clocks are those of `zone`.
pub(super) fn read(section: &mut Section<'_>, zone: Zone) -> Option<Timetable> {
    let array = match section.value("bandwidth")?.get_ref() {
        DeValue::Array(array) => array,
        DeValue::String(_) => {
            let rate = section.parsed("bandwidth", bytes_per_second)?;
            return Some(Timetable::always(zone, rate));
        }
        _ => {
            section.mistake(
                "bandwidth",
                "is neither a rate such as \"50MB/s\" nor a list such as \
                 [{ from = \"01:00\", to = \"05:00\", max = \"200MB/s\" }]",
            );
            return None;
        }
    };
    let mut slots: Vec<Slot> = Vec::new();
    for (number, element) in (1..).zip(array.iter().as_slice()) {
        let Some(slot) = section.element("bandwidth", number, element).and_then(slot) else {
            continue;
        };
        if let Some(earlier) = slots.iter().find(|earlier| earlier.overlaps(&slot)) {
            let (from, to) = (earlier.from.format("%H:%M"), earlier.to.format("%H:%M"));
            section.mistake(
                "bandwidth",
                format_args!("slot {number} overlaps the one from {from} to {to}; write slots that follow each other"),
            );
        }
        slots.push(slot);
    }
    Some(Timetable::slots(zone, slots))
}

fn slot(mut section: Section<'_>) -> Option<Slot> {
    section.require("from", "\"01:00\"");
    section.require("to", "\"05:00\"");
    section.require("max", "\"200MB/s\"");
    let from = section.parsed("from", time_of_day);
    let to = section.parsed("to", time_of_day);
    let rate = section.parsed("max", bytes_per_second);
    if from.is_some() && from == to {
        section.mistake(
            "to",
            "is the same as from; write a later time, or bandwidth = \"…\" for a cap at all times",
        );
    }
    section.finish();
    Some(Slot {
        from: from?,
        to: to.filter(|to| Some(*to) != from)?,
        bytes_per_second: rate?,
    })
}

fn time_of_day(text: &str) -> Result<NaiveTime, String> {
    model::time_of_day(text)
        .ok_or_else(|| format!("{text:?} is no time of day; write one from \"00:00\" to \"23:59\""))
}

/// Reads a rate such as `50MB/s`.
///
/// # Errors
/// What is wrong with it, and how one is written.
pub fn bytes_per_second(text: &str) -> Result<u64, String> {
    let rate = text
        .strip_suffix("/s")
        .and_then(|size| size.trim_end().parse::<ByteSize>().ok());
    let rate = rate.ok_or_else(|| format!("{text:?} is no rate; write one such as \"50MB/s\""))?;
    if rate < LEAST {
        return Err(format!(
            "{text:?} is too little, servers give up on who reads so slowly; write \"64KiB/s\" or more"
        ));
    }
    Ok(rate.as_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_size_each_second() {
        assert_eq!(bytes_per_second("50MB/s"), Ok(50_000_000));
        assert_eq!(bytes_per_second("64 KiB/s"), Ok(65_536));
        for bad in [
            "", "/s", "50MB", "50 MB/h", "fast", "-1MB/s", "0B/s", "1KB/s",
        ] {
            assert!(bytes_per_second(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_of_day_has_hours_and_minutes() {
        assert_eq!(
            time_of_day("23:59"),
            Ok(NaiveTime::from_hms_opt(23, 59, 0).unwrap())
        );
        for bad in [
            "", "1:00", " 1:00", "+1:00", "01:+0", "24:00", "01:60", "01:00:00", "noon",
        ] {
            assert!(time_of_day(bad).is_err(), "{bad}");
        }
    }
}
