//! Forecasts, of nights that were and by nights that are.

use serde_json::Value;

use super::{End, Harbour};

/// Three nights of two objects each, of which one is there already from the second on.
fn three_nights(harbour: &Harbour) {
    harbour.put("always", "1");
    for night in 0..3 {
        let name = format!("new-{night}");
        harbour.put(&name, "22");
        harbour.list(&format!("{night}.txt"), format!("always\n{name}\n"));
        assert_eq!(harbour.night().code, 0);
    }
}

fn forecast(harbour: &Harbour) -> Vec<Value> {
    let end = harbour.run(&["status", "--forecast", "--json"]);
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));
    let value: Value = serde_json::from_str(&end.stdout).unwrap();
    value.as_array().unwrap().clone()
}

/// The words without line ends.
fn said(end: &End) -> String {
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));
    end.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn status_foretells_the_next_run_from_those_before() {
    let harbour = Harbour::new();
    three_nights(&harbour);
    let status = said(&harbour.run(&["status"]));
    let next = "Forecast for the next run, as though it began now: about 2 names and ";
    assert!(status.contains(next), "{status}");
    assert!(status.ends_with("(from 3 past runs)"), "{status}");
    let alone = said(&harbour.run(&["status", "--forecast"]));
    assert!(alone.starts_with(&format!("photos: {next}")), "{alone}");
    let figures = &forecast(&harbour)[0];
    assert_eq!(figures["task"], "photos");
    assert_eq!(
        (&figures["begins"], &figures["nights"]),
        (&"now".into(), &3.into())
    );
    assert_eq!(
        (&figures["names_p50"], &figures["names_p90"]),
        (&2.into(), &3.into())
    );
    assert!(figures["done_at_p50"].as_i64() <= figures["done_at_p90"].as_i64());
    assert_eq!(
        (&figures["time_is_up_at"], &figures["deferred_p90"]),
        (&Value::Null, &0.into())
    );
}

#[test]
fn with_a_window_the_run_that_begins_with_it_is_foretold() {
    let harbour = Harbour::new();
    three_nights(&harbour);
    let window = "window = \"00:00-23:59\"";
    harbour.configure(&harbour.task("photos", window, "src", "dst"));
    let figures = &forecast(&harbour)[0];
    assert_eq!(figures["begins"], "with_window");
    let (begins, ends) = (&figures["begins_at"], &figures["time_is_up_at"]);
    let window_ms = ends.as_i64().unwrap() - begins.as_i64().unwrap();
    assert_eq!(window_ms, (24 * 60 - 1) * 60_000);
    assert_eq!(figures["deferred_p90"], 0);
}

#[test]
fn a_paused_task_is_not_foretold_and_a_young_one_not_yet() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour.list("1.txt", "a\n");
    harbour.night();
    assert!(said(&harbour.run(&["status"])).contains("too little history (1 of 3 past runs"));
    let figures = &forecast(&harbour)[0];
    assert_eq!(
        (&figures["nights"], &figures["names_p50"]),
        (&1.into(), &Value::Null)
    );
    assert_eq!(harbour.run(&["pause", "--task", "photos"]).code, 0);
    assert_eq!(forecast(&harbour), [""; 0]);
    assert!(!harbour.run(&["status"]).stdout.contains("Forecast"));
}

#[test]
fn a_rehearsal_foretells_the_run_that_would_begin_now() {
    let harbour = Harbour::new();
    three_nights(&harbour);
    harbour.put("new-4", "4444");
    harbour.list("4.txt", "always\nnew-4\n");
    let words = said(&harbour.run(&["run", "--dry-run", "--max-duration", "2h"]));
    assert!(
        words.contains("forecast: 2 names and 4 B; likely done by "),
        "{words}"
    );
    assert!(words.contains("; time is up at "), "{words}");
    // Nothing is known of names that it does not look at.
    let limited = said(&harbour.run(&["run", "--dry-run", "--limit", "1"]));
    assert!(!limited.contains("forecast"), "{limited}");
}

#[test]
fn a_run_says_how_it_is_likely_to_go() {
    let harbour = Harbour::new();
    three_nights(&harbour);
    harbour.list("4.txt", "always\n");
    let run = harbour.run(&["run"]);
    assert_eq!(run.code, 0);
    let told = "photos: 1 name and about ";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    assert!(run.stderr.contains("likely done by "), "{}", run.stderr);
    let quiet = harbour.run(&["--quiet", "run"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
}
