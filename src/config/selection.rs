//! What a task takes: `include`, `exclude`, `min_size`, `max_size`, `max_age`.

use std::time::Duration;

use bytesize::ByteSize;

use super::section::Section;
use crate::model::{Limit, Pattern, Patterns, Selection};

/// More patterns than this are hardly written by hand.
const MOST_PATTERNS: usize = 1000;

const SHORTEST_AGE: Duration = Duration::from_secs(1);
const LONGEST_AGE: Duration = Duration::from_hours(36_525 * 24);

pub(super) fn read(section: &mut Section<'_>) -> Selection {
    let include = patterns(section, "include");
    let exclude = patterns(section, "exclude");
    let min_size_bytes = section.parsed("min_size", size);
    let max_size_bytes = section.parsed("max_size", size);
    let max_age = section.parsed("max_age", age);
    if let (Some(min), Some(max)) = (&min_size_bytes, &max_size_bytes)
        && min.value > max.value
    {
        section.mistake(
            "max_size",
            format_args!(
                "is less than min_size, {:?}, so that nothing would be taken; write more",
                min.text
            ),
        );
    }
    Selection {
        include,
        exclude,
        min_size_bytes,
        max_size_bytes,
        max_age,
    }
}

fn patterns(section: &mut Section<'_>, key: &'static str) -> Option<Patterns> {
    let patterns = section.texts(key, MOST_PATTERNS, Pattern::new)?;
    let patterns = Patterns::new(patterns);
    patterns.map_err(|wrong| section.mistake(key, wrong)).ok()
}

fn size(text: &str) -> Result<Limit<u64>, String> {
    let size: ByteSize = text
        .parse()
        .map_err(|_| format!("{text:?} is no size; write one such as \"1KiB\""))?;
    Ok(Limit {
        value: size.as_u64(),
        text: text.to_owned(),
    })
}

fn age(text: &str) -> Result<Limit<Duration>, String> {
    let age = humantime::parse_duration(text).map_err(|_| {
        format!("{text:?} is no duration; write one with its unit, such as \"30d\"")
    })?;
    if !(SHORTEST_AGE..=LONGEST_AGE).contains(&age) {
        return Err(format!(
            "{text:?} is out of range; write \"1s\" to \"36525d\""
        ));
    }
    Ok(Limit {
        value: age,
        text: text.to_owned(),
    })
}
