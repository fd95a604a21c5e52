//! Windows, times, zones, and the timetable of bandwidth.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nightferry::config::Config;
use nightferry::model::{LocalTime, Month, Timestamp, Window, Zone};

/// From 1970 to 2100.
const LAST_MS: u64 = 4_102_444_800_000;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first_chunk::<8>() else {
        return;
    };
    let Ok(text) = str::from_utf8(rest) else {
        return;
    };
    let at = i64::try_from(u64::from_le_bytes(*first) % LAST_MS).unwrap();
    let at = Timestamp::from_ms(at);
    if let Ok(month) = text.parse::<Month>() {
        assert_eq!(month.to_string(), text);
        let _ = month.previous();
    }
    if let Ok(time) = text.parse::<LocalTime>() {
        let again: LocalTime = time.rfc3339().parse().unwrap();
        assert_eq!(again, time);
        let _ = (time.stamp(), time.day(), time.month());
    }
    let mut lines = text.splitn(3, '\n');
    let zone = lines.next().and_then(|zone| zone.parse::<Zone>().ok());
    let zone = zone.unwrap_or(Zone::UTC);
    let local = zone.local(at);
    assert_eq!(local.rfc3339().parse(), Ok(local));
    if let Some(Ok(window)) = lines.next().map(str::parse::<Window>) {
        assert_eq!(window.to_string().parse(), Ok(window));
        if let Some(end) = window.end_if_inside(at, zone) {
            assert!(end > at);
            assert_ne!(window.end_if_inside(end, zone), Some(end));
        }
    }
    if let Some(bandwidth) = lines.next() {
        timetable(zone, bandwidth, at);
    }
});

/// `bandwidth` as it stands in a task of this zone.
fn timetable(zone: Zone, bandwidth: &str, at: Timestamp) {
    let ends = "endpoint = 'https://s3.example.com'\nprofile = 'p'\nbucket =";
    let text = format!(
        "data_dir = 'd'\ntime_zone = '{}'\n[[task]]\nid = 'a'\nbandwidth = {bandwidth}\n\
         [task.source]\n{ends} 'src'\n[task.destination]\n{ends} 'dst'\n",
        zone.name()
    );
    let Ok(config) = Config::parse(&text, Path::new("nightferry.toml")) else {
        return;
    };
    for timetable in config.tasks.iter().filter_map(|task| task.bandwidth.as_ref()) {
        if let Some(cap) = timetable.at(at) {
            assert!(cap >= 64 * 1024);
            assert!(timetable.lowest().is_some_and(|lowest| lowest <= cap));
        }
    }
}
