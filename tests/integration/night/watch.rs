//! Who is told of a night from outside: the textfile for Prometheus, the URL that is
//! pinged, and the log.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nightferry::clock::Clock;
use nightferry::config::Config;
use nightferry::data_dir::DataDir;
use nightferry::exit::ExitReason;
use nightferry::ping::{MOST_REPORT_BYTES, Patience};
use nightferry::run::{StopSignal, Watch};

use super::{Harbour, end};
use crate::night::hook::{Answer, Hook};

const TEXTFILE: &str = "[metrics]\ntextfile = \"figures/nightferry.prom\"\n";

impl Harbour {
    /// Where its textfile lies; the folder is there.
    fn figures(&self) -> PathBuf {
        let folder = self.folder.path().join("figures");
        fs::create_dir_all(&folder).unwrap();
        folder.join("nightferry.prom")
    }

    /// The configuration with this ahead of its one task.
    fn watched(&self, sections: &str) {
        let task = self.task("photos", "", "src", "dst");
        self.configure(&format!("{sections}\n{task}"));
    }

    fn pings(&self, hook: &Hook) {
        self.watched(&format!("[ping]\nurl = \"{}\"\n", hook.url()));
    }
}

/// The value of the series whose name and labels are these.
fn value<'t>(text: &'t str, series: &str) -> Option<&'t str> {
    let mut values = text.lines().filter_map(|line| line.rsplit_once(' '));
    values
        .find(|(name, _)| *name == series)
        .map(|(_, value)| value)
}

#[test]
fn the_textfile_says_how_the_night_ended_and_where_each_task_stands() {
    let harbour = Harbour::new();
    let figures = harbour.figures();
    harbour.watched(TEXTFILE);
    harbour.put("a", "12");
    harbour.list("one.txt", "a\n");
    assert_eq!(harbour.night().code, 0);
    harbour.list("two.txt", "gone\n");
    assert_eq!(harbour.night().code, 4);
    let text = fs::read_to_string(&figures).unwrap();
    for (series, expected) in [
        ("nightferry_night_exit_code", "4"),
        ("nightferry_night_running", "0"),
        ("nightferry_last_run_exit_code{task=\"photos\"}", "4"),
        ("nightferry_last_run_number{task=\"photos\"}", "2"),
        (
            "nightferry_last_run_requests{outcome=\"failed\",task=\"photos\"}",
            "1",
        ),
        ("nightferry_pending_requests{task=\"photos\"}", "0"),
        ("nightferry_requested_total{task=\"photos\"}", "2"),
        ("nightferry_synced_bytes_total{task=\"photos\"}", "2"),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series}\n{text}");
    }
    let seconds = |series: &str| value(&text, series).unwrap().parse::<f64>().unwrap();
    let success = harbour.rows("SELECT ended_at FROM run_history WHERE run = 1");
    let expected: f64 = success[0].parse().unwrap();
    let success = seconds("nightferry_last_success_timestamp_seconds{task=\"photos\"}");
    assert_eq!(format!("{:.0}", success * 1000.0), format!("{expected:.0}"));
    let (start, end) = (
        seconds("nightferry_night_start_timestamp_seconds"),
        seconds("nightferry_night_end_timestamp_seconds"),
    );
    assert!(start <= end, "{text}");
    assert_eq!(figures.metadata().unwrap().mode() & 0o777, 0o644);
    // Nothing half written is left beside it.
    let beside = fs::read_dir(figures.parent().unwrap()).unwrap().count();
    assert_eq!(beside, 1);
}

#[test]
fn the_textfile_says_at_the_start_that_a_night_is_at_work() {
    let harbour = Harbour::new();
    let figures = harbour.figures();
    harbour.watched(TEXTFILE);
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    let gate = harbour.server.gate("PutObject", "dst", Some("a"));
    let night = crate::trouble::process::Night::begin(&harbour.config(), &["run"]);
    gate.wait_arrived();
    let text = fs::read_to_string(&figures).unwrap();
    assert_eq!(
        value(&text, "nightferry_night_running"),
        Some("1"),
        "{text}"
    );
    assert_eq!(value(&text, "nightferry_night_exit_code"), None, "{text}");
    gate.open();
    assert_eq!(night.end().code, Some(0));
    let text = fs::read_to_string(&figures).unwrap();
    assert_eq!(
        value(&text, "nightferry_night_exit_code"),
        Some("0"),
        "{text}"
    );
}

#[test]
fn a_night_that_could_not_start_is_told_all_the_same() {
    let harbour = Harbour::new();
    let figures = harbour.figures();
    let hook = Hook::start();
    harbour.watched(&format!("{TEXTFILE}[ping]\nurl = \"{}\"\n", hook.url()));
    fs::create_dir_all(harbour.data_dir()).unwrap();
    fs::write(harbour.data_dir().join("ledger.sqlite"), "no ledger").unwrap();
    let ended = harbour.night();
    assert_eq!(ended.code, 3, "{ended:?}");
    let text = fs::read_to_string(&figures).unwrap();
    assert_eq!(
        value(&text, "nightferry_night_exit_code"),
        Some("3"),
        "{text}"
    );
    assert_eq!(
        value(&text, "nightferry_requested_total{task=\"photos\"}"),
        None
    );
    let ended = harbour.run(&["run", "--task", "nobody"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    let calls = hook.calls();
    let paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(paths, ["/hush/start", "/hush/3", "/hush/start", "/hush/2"]);
    assert!(
        calls[1]
            .body
            .starts_with("exit code 3 (unusable)\n\nphotos: "),
        "{calls:?}"
    );
    assert!(calls[3].body.contains("has no task `nobody`"), "{calls:?}");
}

#[test]
fn a_night_that_finds_its_task_locked_says_so_and_one_without_a_backup_too() {
    let harbour = Harbour::new();
    let figures = harbour.figures();
    let hook = Hook::start();
    let ping = format!("[ping]\nurl = \"{}\"\n", hook.url());
    harbour.watched(&format!("{TEXTFILE}{ping}[backup]\npath = \"nowhere\"\n"));
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    let gate = harbour.server.gate("PutObject", "dst", Some("a"));
    let first = crate::trouble::process::Night::begin(&harbour.config(), &["run"]);
    gate.wait_arrived();
    assert_eq!(harbour.night().code, 5);
    gate.open();
    assert_eq!(first.end().code, Some(7));
    let paths: Vec<String> = hook.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(paths, ["/hush/start", "/hush/start", "/hush/5", "/hush/7"]);
    let report = &hook.calls()[3].body;
    assert!(
        report.contains("\nno backup of the ledger was made: "),
        "{report}"
    );
    let text = fs::read_to_string(&figures).unwrap();
    assert_eq!(
        value(&text, "nightferry_night_exit_code"),
        Some("7"),
        "{text}"
    );
    // That the copy of the ledger is missing is no fault of this task's run.
    let of_run = "nightferry_last_run_exit_code{task=\"photos\"}";
    assert_eq!(value(&text, of_run), Some("0"), "{text}");
}

#[test]
fn a_doctor_says_who_could_not_be_told() {
    let harbour = Harbour::new();
    let ping = "[ping]\nurl = { env = \"NIGHTFERRY_NO_SUCH_URL\" }\n";
    harbour.watched(&format!("{TEXTFILE}{ping}"));
    let ended = harbour.run(&["doctor"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let line = |subject: &str| {
        let said = ended.stdout.lines();
        let mut said = said.filter(|line| line.contains(subject));
        said.next()
            .unwrap_or_else(|| panic!("{ended:?}"))
            .to_owned()
    };
    assert!(line(" metrics ").starts_with("note "), "{ended:?}");
    assert!(line(" metrics ").contains("was not written: "), "{ended:?}");
    assert!(line(" ping ").starts_with("note "), "{ended:?}");
    assert!(line(" ping ").contains("is not set"), "{ended:?}");
    let figures = harbour.figures();
    let hook = Hook::start();
    harbour.watched(&format!("{TEXTFILE}[ping]\nurl = \"{}\"\n", hook.url()));
    let ended = harbour.run(&["doctor"]);
    assert_eq!(ended.stdout.matches("\nnote ").count(), 0, "{ended:?}");
    assert!(!ended.stdout.contains("hush"), "{ended:?}");
    assert!(hook.calls().is_empty() && !figures.exists());
}

#[test]
fn a_folder_that_cannot_be_written_to_takes_nothing_from_the_night() {
    let harbour = Harbour::new();
    harbour.watched(TEXTFILE);
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    // The folder is not there; and then it is no folder.
    for names in ["one.txt", "two.txt"] {
        harbour.list(names, "a\n");
        let ended = harbour.night();
        assert_eq!(ended.code, 0, "{ended:?}");
        let said = " WARN metrics: ";
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        let why = "figures/nightferry.prom was not written: ";
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
        fs::write(harbour.folder.path().join("figures"), "no folder").unwrap();
    }
    assert_eq!(harbour.copies(), ["a"]);
}

#[test]
fn the_url_is_told_that_the_night_begins_and_how_it_ended_and_is_never_shown() {
    let harbour = Harbour::new();
    let hook = Hook::start();
    harbour.pings(&hook);
    harbour.put("a", "1");
    harbour.list("one.txt", "a\ngone\nno/../name\n");
    let ended = harbour.run(&["run", "-vv"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    let calls = hook.calls();
    let paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(paths, ["/hush/start", "/hush/4"]);
    let report = &calls[1].body;
    assert!(
        report.starts_with("exit code 4 (failed)\n\nphotos: "),
        "{report}"
    );
    // What was printed, and what went wrong.
    assert!(report.contains(&ended.stdout), "{report}\n{}", ended.stdout);
    assert!(report.contains("dot_segment"), "{report}");
    assert!(!format!("{ended:?}").contains("hush"), "{ended:?}");
    // A quiet night tells as much.
    let ended = harbour.run(&["run", "--quiet"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    let report = &hook.calls()[3].body;
    assert!(report.contains("photos: run 2: 0 taken"), "{report}");
    assert!(report.contains("\nphotos, 20"), "{report}");
    // A rehearsal is no night.
    harbour.run(&["run", "--dry-run"]);
    assert_eq!(hook.calls().len(), 4);
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_one_that_does_not_know_the_url_is_not() {
    let harbour = Harbour::new();
    let hook = Hook::answering([
        Answer::Status(503),
        Answer::Status(200),
        Answer::Status(404),
    ]);
    harbour.pings(&hook);
    let ended = harbour.night();
    assert_eq!(ended.code, 0, "{ended:?}");
    let paths: Vec<String> = hook.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(paths, ["/hush/start", "/hush/start", "/hush/0"]);
    let said = " WARN ping: the end was not told: the server answers 404 Not Found";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(
        !ended.stderr.contains("the start was not told"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_ping_that_is_refused_takes_nothing_from_the_night() {
    let harbour = Harbour::new();
    let hook = Hook::start();
    harbour.pings(&hook);
    drop(hook);
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    let ended = harbour.night();
    assert_eq!(ended.code, 0, "{ended:?}");
    for what in ["start", "end"] {
        let said = format!(" WARN ping: the {what} was not told: the server is not reached: ");
        assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
    assert_eq!(harbour.copies(), ["a"]);
    assert_eq!(harbour.runs(), ["1|1|0|0|0|0"]);
}

/// The watchers of a night that the library makes.
fn watching(harbour: &Harbour, timeout: Duration) -> Watch {
    let config = Config::load(&harbour.config()).unwrap();
    let data_dir = DataDir::new(harbour.data_dir(), None).unwrap();
    let patience = Patience {
        timeout,
        tries: 2,
        pause: Duration::ZERO,
    };
    Watch::begin(&config, &data_dir, &Clock::system(), patience)
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let harbour = Harbour::new();
    let hook = Hook::answering([Answer::Never; 4]);
    harbour.pings(&hook);
    let watch = watching(&harbour, Duration::from_millis(1));
    let untold = watch.end(ExitReason::Done, String::new(), &StopSignal::default());
    assert_eq!(
        untold,
        ["start", "end"].map(|what| {
            format!("ping: the {what} was not told: the server does not answer within 1ms")
        })
    );
}

#[test]
fn nobody_waits_for_the_start_to_be_answered_nor_after_a_second_signal_for_the_end() {
    let harbour = Harbour::new();
    let hook = Hook::answering([Answer::Never]);
    harbour.pings(&hook);
    // That this comes back at all is what is shown.
    let watch = watching(&harbour, Duration::from_hours(1));
    hook.wait_called();
    let stop = StopSignal::default();
    stop.request();
    stop.request();
    let untold = watch.end(ExitReason::Deferred, String::new(), &stop);
    assert_eq!(untold.len(), 1, "{untold:?}");
    assert!(untold[0].starts_with("ping: not waited for"), "{untold:?}");
}

#[test]
fn a_report_is_cut_where_no_more_is_kept() {
    let harbour = Harbour::new();
    let hook = Hook::start();
    harbour.pings(&hook);
    let watch = watching(&harbour, Duration::from_mins(1));
    let report = "ü".repeat(MOST_REPORT_BYTES);
    let untold = watch.end(ExitReason::Done, report, &StopSignal::default());
    assert_eq!(untold, [""; 0]);
    assert_eq!(hook.calls()[1].body, "ü".repeat(MOST_REPORT_BYTES / 2));
}

#[test]
fn a_url_that_cannot_be_had_is_said_and_the_night_goes_on() {
    let harbour = Harbour::new();
    harbour.watched("[ping]\nurl = { env = \"NIGHTFERRY_NO_SUCH_URL\" }\n");
    let ended = harbour.night();
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = " WARN ping: url: the environment variable NIGHTFERRY_NO_SUCH_URL is not set";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}

#[test]
fn every_line_of_a_json_log_is_an_object_that_says_of_what_it_speaks() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour.list("one.txt", "a\ngone\nno/../name\n");
    let objects = |stderr: &str| -> Vec<serde_json::Value> {
        let lines = stderr.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let night = harbour.run(&["run", "-vv", "--log-format", "json"]);
    assert_eq!(night.code, 4);
    let said = objects(&night.stderr);
    for object in &said {
        let keys: Vec<&str> = object
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, ["time", "level", "task", "run", "message"]);
        assert_eq!(
            (&object["task"], &object["run"]),
            (&"photos".into(), &1.into()),
            "{object}"
        );
    }
    let of = |text: &str| {
        let found = said
            .iter()
            .find(|object| object["message"].as_str().unwrap().contains(text));
        found.unwrap_or_else(|| panic!("{text}: {said:?}"))["level"].clone()
    };
    assert_eq!(of("\"a\" synced"), "debug");
    assert_eq!(of("\"gone\" failed"), "info");
    assert_eq!(of("dot_segment"), "warn");
    // What the program says last, and what it says of arguments that it cannot read.
    for (arguments, code) in [
        (&["run", "--task", "nobody", "--log-format", "json"][..], 2),
        (&["run", "--no-such-flag", "--log-format", "json"], 2),
        (
            &[
                "enqueue",
                "--task",
                "photos",
                "a/../b",
                "",
                "--log-format=json",
            ],
            2,
        ),
    ] {
        let ended = harbour.run(arguments);
        assert_eq!(ended.code, code, "{ended:?}");
        let said = objects(&ended.stderr);
        assert!(!said.is_empty(), "{ended:?}");
        for object in said {
            assert_eq!(
                (&object["level"], &object["run"]),
                (&"error".into(), &().into())
            );
        }
    }
}

#[test]
fn the_journal_gets_priorities_and_nothing_that_it_knows_by_itself() {
    let harbour = Harbour::new();
    harbour.list("one.txt", "gone\nno/../name\n");
    let log = harbour.folder.path().join("journal");
    let written = |arguments: &[&str], stream: &dyn Fn(&fs::Metadata) -> String| {
        let file = fs::File::create(&log).unwrap();
        let stream = stream(&file.metadata().unwrap());
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("nightferry"));
        command
            .arg("--config")
            .arg(harbour.config())
            .args(arguments);
        command
            .env("JOURNAL_STREAM", stream)
            .stdout(Stdio::null())
            .stderr(file);
        command.status().unwrap();
        fs::read_to_string(&log).unwrap()
    };
    let this = |file: &fs::Metadata| format!("{}:{}", file.dev(), file.ino());
    let said = written(&["run", "-v"], &this);
    assert!(said.contains("<4>photos: "), "{said}");
    assert!(said.contains("<6>photos: \"gone\" failed: "), "{said}");
    assert!(said.lines().all(|line| line.starts_with('<')), "{said}");
    fs::set_permissions(harbour.config(), Permissions::from_mode(0o600)).unwrap();
    harbour.configure("wokers = 1\nmemry = 1\n");
    let said = written(&["run"], &this);
    assert!(said.lines().count() > 2, "{said}");
    assert!(said.lines().all(|line| line.starts_with("<3>")), "{said}");
    // It was set for whoever began this program, whose output went elsewhere since.
    let said = written(&["run"], &|_| "8:1".to_owned());
    assert!(said.starts_with("nightferry: "), "{said}");
}

#[test]
fn a_usage_error_for_people_stays_as_it_was() {
    let harbour = Harbour::new();
    let ended = end(&mut harbour.command(&["run", "--no-such-flag"]));
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .stderr
            .starts_with("error: unexpected argument '--no-such-flag'"),
        "{ended:?}"
    );
}

#[test]
fn a_wrong_task_is_told_to_nobody_if_it_was_typed() {
    for typed in [true, false] {
        let hook = Hook::start();
        let harbour = Harbour::new();
        harbour.pings(&hook);
        let program = assert_cmd::cargo::cargo_bin!("nightferry");
        let line = format!(
            "{} --config {} run --task fotos",
            program.display(),
            harbour.config().display()
        );
        let mut command = if typed {
            // It has a terminal of its own.
            let mut script = assert_cmd::Command::new("script");
            script.args(["-qec", &line, "/dev/null"]);
            script
        } else {
            let mut shell = assert_cmd::Command::new("sh");
            shell.args(["-c", &line]);
            shell
        };
        assert_eq!(command.output().unwrap().status.code(), Some(2));
        assert_eq!(hook.calls().is_empty(), typed);
    }
}
