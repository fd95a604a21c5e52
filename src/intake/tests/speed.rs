//! How fast a list of a million names is loaded, in order and in no order.
//!
//! `cargo test --release --lib intake::tests::speed -- --ignored --nocapture --test-threads 1`

use std::time::Instant;

use super::*;

const NAMES: u64 = 1_000_000;

#[expect(clippy::print_stderr, reason = "that is what a measurement is for")]
fn load(title: &str, mut name: impl FnMut(u64) -> String) {
    let mut fixture = Fixture::new();
    let mut file = io::BufWriter::new(File::create(fixture.file("a.txt")).unwrap());
    for number in 0..NAMES {
        io::Write::write_all(&mut file, name(number).as_bytes()).unwrap();
    }
    drop(file);
    let began = Instant::now();
    assert_eq!(fixture.take_in().requests, NAMES);
    let loading = began.elapsed();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default()
        .to_owned();
    let again = Instant::now();
    fixture.append("a.txt", "one more\n");
    assert_eq!(fixture.take_in().requests, 1);
    let rate = NAMES * 1_000 / u64::try_from(loading.as_millis()).unwrap();
    eprintln!(
        "{title}: {loading:?}, {rate} names/s, {peak}; one line more: {:?}",
        again.elapsed()
    );
}

#[test]
#[ignore = "a measurement, to be made with --release"]
fn a_million_names_in_order() {
    load("in order", |number| {
        format!("photos/2026/11/{:04}/{number:012}.jpg\n", number / 1_000)
    });
}

#[test]
#[ignore = "a measurement, to be made with --release"]
fn a_million_names_in_no_order() {
    load("in no order", |number| {
        let random = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("photos/{:016x}/image.jpg\n", random ^ (random >> 29))
    });
}
