//! Whether, and how, archived objects are brought back.

use std::str::FromStr;

use super::section::Section;
use crate::model::{RestoreOrder, RestoreTier};

const MOST_DAYS: u32 = 365;

/// Reads `restore` of a task, which need not be there.
pub(super) fn read(task: &mut Section<'_>) -> Option<RestoreOrder> {
    if !task.has("restore") {
        // Asked for, so that it is known.
        task.value("restore");
        return None;
    }
    let mut section = task.section("restore")?;
    section.require("days", "3");
    let days = section.number("days", &(1..=MOST_DAYS));
    let tier = section.parsed("tier", RestoreTier::from_str);
    let is_wrong = section.has("tier") && tier.is_none();
    section.finish();
    (!is_wrong).then_some(RestoreOrder {
        days: days?,
        tier: tier.unwrap_or(RestoreTier::Standard),
    })
}
