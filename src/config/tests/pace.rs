//! `requests_per_second` and `bandwidth`.

use super::{DESTINATION, SOURCE, mistakes, parse};
use crate::model::Timestamp;

fn with(task_line: &str, source_line: &str) -> String {
    format!(
        "data_dir = '/x'\n[[task]]\nid = 'photos'\ntime_zone = 'Asia/Shanghai'\n{task_line}\n{SOURCE}{source_line}\n{DESTINATION}"
    )
}

#[test]
fn what_is_not_said_is_unlimited() {
    let config = parse(&with("", "")).unwrap();
    assert_eq!(config.tasks[0].bandwidth, None);
    assert_eq!(config.tasks[0].source.requests_per_second, None);
}

#[test]
fn caps_are_read_in_the_tasks_zone() {
    let slots = "bandwidth = [{ from = '22:00', to = '01:00', max = '1MB/s' },\n{ from = '01:00', to = '05:00', max = '2MB/s' }]";
    let config = parse(&with(slots, "requests_per_second = 50")).unwrap();
    assert_eq!(config.tasks[0].source.requests_per_second, Some(50));
    let timetable = config.tasks[0].bandwidth.as_ref().unwrap();
    // The epoch is 08:00 in Shanghai.
    let at = |hour: i64| timetable.at(Timestamp::from_ms((hour - 8) * 3_600_000));
    assert_eq!(
        [at(8), at(22), at(25), at(29)],
        [None, Some(1_000_000), Some(2_000_000), None]
    );
    let config = parse(&with("bandwidth = '50MB/s'", "")).unwrap();
    let timetable = config.tasks[0].bandwidth.as_ref().unwrap();
    assert_eq!(timetable.lowest(), Some(50_000_000));
}

#[test]
fn mistakes_in_caps_are_told_with_their_line() {
    for (task_line, source_line, mistake) in [
        (
            "",
            "requests_per_second = 0",
            "nightferry.toml:11: task \"photos\", source.requests_per_second: is out of range; write a whole number from 1 to 10000",
        ),
        (
            "bandwidth = 5",
            "",
            "nightferry.toml:5: task \"photos\", bandwidth: is neither a rate such as \"50MB/s\" nor a list such as [{ from = \"01:00\", to = \"05:00\", max = \"200MB/s\" }]",
        ),
        (
            "bandwidth = 'fast'",
            "",
            "nightferry.toml:5: task \"photos\", bandwidth: \"fast\" is no rate; write one such as \"50MB/s\"",
        ),
        (
            "bandwidth = [{ from = '01:00', to = '01:00', max = '1MB/s' }]",
            "",
            "nightferry.toml:5: task \"photos\", bandwidth 1, to: is the same as from; write a later time, or bandwidth = \"…\" for a cap at all times",
        ),
        (
            "bandwidth = [{ from = '1', to = '02:00', max = '1MB/s' }]",
            "",
            "nightferry.toml:5: task \"photos\", bandwidth 1, from: \"1\" is no time of day; write one from \"00:00\" to \"23:59\"",
        ),
        (
            "bandwidth = [{ from = '01:00', max = '1MB/s' }]",
            "",
            "nightferry.toml:5: task \"photos\", bandwidth 1, to: is missing; write to = \"05:00\"",
        ),
        (
            "bandwidth = [{ from = '22:00', to = '02:00', max = '1MB/s' }, { from = '01:00', to = '05:00', max = '1MB/s' }]",
            "",
            "nightferry.toml:5: task \"photos\", bandwidth: slot 2 overlaps the one from 22:00 to 02:00; write slots that follow each other",
        ),
        (
            "bandwidth = ['1MB/s']",
            "",
            "nightferry.toml:5: task \"photos\", bandwidth 1: is no slot; write { from = \"…\", to = \"…\", max = \"…\" }",
        ),
    ] {
        assert_eq!(mistakes(&with(task_line, source_line)).trim_end(), mistake);
    }
}
