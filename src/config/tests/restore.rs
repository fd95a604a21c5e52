use super::{DESTINATION, SOURCE, parse};
use crate::config::{Config, ConfigError};
use crate::model::{RestoreOrder, RestoreTier};

fn with(lines: &str) -> Result<Config, ConfigError> {
    parse(&format!(
        "data_dir = 'd'\n[[task]]\nid = 'photos'\n{lines}\n{SOURCE}{DESTINATION}"
    ))
}

#[test]
fn archived_objects_are_brought_back_only_if_a_task_says_so_and_how() {
    for (lines, expected) in [
        ("", None),
        ("restore = { days = 1 }", Some((1, RestoreTier::Standard))),
        (
            "restore = { days = 365, tier = 'Bulk' }",
            Some((365, RestoreTier::Bulk)),
        ),
        (
            "restore = { days = 3, tier = 'Expedited' }",
            Some((3, RestoreTier::Expedited)),
        ),
    ] {
        let restore = with(lines).unwrap().tasks[0].restore;
        let expected = expected.map(|(days, tier)| RestoreOrder { days, tier });
        assert_eq!(restore, expected, "{lines}");
    }
    for (lines, message) in [
        ("restore = {}", "restore.days: is missing; write days = 3"),
        ("restore = { days = 0 }", "restore.days"),
        ("restore = { days = 366 }", "restore.days"),
        (
            "restore = { days = 3, tier = 'standard' }",
            "`standard` is no restore tier; it is one of: Standard, Bulk, Expedited",
        ),
        (
            "restore = { days = 3, hours = 1 }",
            "restore.hours: unknown key",
        ),
        ("restore = 3", "restore: is of type integer"),
    ] {
        let mistakes = with(lines).unwrap_err().to_string();
        assert!(mistakes.contains(message), "{mistakes}");
    }
}
