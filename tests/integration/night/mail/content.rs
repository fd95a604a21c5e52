//! What stands in a mail.

use super::{Desk, attached, parsed, text};

/// `text` with every time, duration and hash replaced, which differ from run to run.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.lines() {
        let line = match line.split_once("SHA-256 of the run's manifest: ") {
            Some((before, sha256)) => {
                assert_eq!(sha256.len(), 64, "{sha256}");
                format!("{before}SHA-256 of the run's manifest: …")
            }
            None if line.starts_with("Run ") => line.split(',').next().unwrap().to_owned(),
            None if line.contains("configured by") => "Nightferry".to_owned(),
            None if line.ends_with(" now.") || line.ends_with("stand now.") => continue,
            None => line.to_owned(),
        };
        steady.push_str(&line);
        steady.push('\n');
    }
    steady
}

#[test]
fn a_night_is_told_whole_in_one_mail() {
    let desk = Desk::new();
    desk.ask("first.txt", &["a", "b"]);
    desk.harbour
        .list("more.txt", "gone\n<script>alert(1)</script>\nx/../y\n");
    let end = desk.harbour.night();
    assert_eq!(end.code, 4, "{end:?}");
    let received = desk.server.received();
    let [mail] = received.as_slice() else {
        panic!("{} mails", received.len());
    };
    assert!(mail.secured);
    assert_eq!(mail.user.as_deref(), Some("nightferry"));
    assert_eq!(mail.to, ["ops@example.com"]);
    let message = parsed(mail);
    assert_eq!(
        message.subject(),
        Some("photos: 2 synced, 2 failed, 1 line rejected")
    );
    let from = message.from().unwrap().first().unwrap();
    assert_eq!(from.name(), Some("Nightferry"));
    assert_eq!(from.address(), Some("nightferry@example.com"));
    let run_id = &desk.harbour.rows("SELECT run_id FROM run_history")[0];
    let id = format!("run.{run_id}@example.com");
    assert_eq!(message.message_id(), Some(id.as_str()));
    let month = &desk.harbour.rows("SELECT month FROM month_summary")[0];
    let told = steady(&text(&message));
    let (night, month_told) = told.split_once(&month[..4]).unwrap();
    let (night, _) = night.rsplit_once('\n').unwrap();
    assert_eq!(
        night,
        "photos\n\
         2 synced, 2 failed, 1 line rejected\n\n\
         Run 1\n\n\
         \x20 Taken             4  the books balance\n\
         \x20 Synced            2  2 B\n\
         \x20 Failed            2\n\
         \x20   source_missing  2\n\
         \x20 Ignored           0\n\
         \x20 Deferred          0\n\n\
         \x20 2 source_missing: The source has no object of this name: compare it byte for\n\
         \x20 byte with the source, then ask again under the right name.\n\
         \x20   <script>alert(1)</script>\n\n\
         \x20 1 line rejected: They cannot be requests; `nightferry lists --task photos`\n\
         \x20 shows them too:\n\
         \x20   object_lists/more.txt:3 dot_segment: x/../y\n"
    );
    assert_eq!(
        month_told,
        "\n\n\
         \x20 Pending at start  0\n\
         \x20 Requested         4\n\
         \x20 Synced            2  2 B\n\
         \x20 Failed            2\n\
         \x20 Ignored           0\n\
         \x20 Pending at end    0\n\n\
         SHA-256 of the run's manifest: …\n\n\
         failed.tsv has every failed request.\n\n\
         -- \n\
         Nightferry\n"
    );
    let html = message.body_html(0).unwrap();
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!html.contains("<script"));
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let rows: Vec<Vec<String>> = attached(&message)
        .lines()
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect();
    let without_time = |row: &Vec<String>| [&row[..3], &row[4..]].concat().join("|");
    let rows: Vec<String> = rows.iter().map(without_time).collect();
    assert_eq!(
        rows,
        [
            "task|standing|cause|URL-encoded name|name|error code",
            "photos|new|source_missing|%3Cscript%3Ealert%281%29%3C%2Fscript%3E|<script>alert(1)</script>|NoSuchKey",
            "photos|new|source_missing|gone|gone|NoSuchKey",
        ]
    );
}

#[test]
fn the_hash_in_the_mail_is_that_of_the_manifest_and_stays_in_the_ledger() {
    let desk = Desk::new();
    desk.ask("first.txt", &["a"]);
    assert_eq!(desk.harbour.night().code, 0);
    let manifests = desk.harbour.rows("SELECT path, sha256 FROM manifests");
    let (path, sha256) = manifests[0].split_once('|').unwrap();
    let place = desk.harbour.photos().join(path);
    let content = std::fs::read(place).unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&content);
    assert_eq!(base16ct::lower::encode_string(&digest), sha256);
    let received = desk.server.received();
    let said = text(&parsed(&received[0]));
    assert!(
        said.contains(&format!("SHA-256 of the run's manifest: {sha256}\n")),
        "{said}"
    );
}

#[test]
fn what_failed_is_compared_with_the_night_before() {
    let desk = Desk::new();
    desk.harbour.list("first.txt", "a\nb\nc\n");
    assert_eq!(desk.harbour.night().code, 4);
    desk.ask("second.txt", &["a"]);
    desk.harbour.list("more.txt", "b\nd\n");
    assert_eq!(desk.harbour.night().code, 4);
    let received = desk.server.received();
    let first = text(&parsed(&received[0]));
    assert!(!first.contains("since run"), "{first}");
    let message = parsed(&received[1]);
    let second = text(&message);
    let compared = "  Failures since run 1: 1 new, 1 recurring, 1 recovered.\n";
    assert!(second.contains(compared), "{second}");
    let standing: Vec<String> = attached(&message)
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            format!("{} {}", fields[1], fields[5])
        })
        .collect();
    assert_eq!(standing, ["again b", "new d"]);
}

#[test]
fn of_several_tasks_the_worst_stands_first() {
    let desk = Desk::new();
    let tasks = ["calm", "empty", "idle", "night", "worse"].map(|id| {
        desk.harbour.server.create_bucket(&format!("{id}-copy"));
        desk.harbour.task(id, "", "src", &format!("{id}-copy"))
    });
    desk.harbour
        .configure(&format!("{}\n{}", desk.section(""), tasks.join("\n")));
    desk.harbour
        .put("a", crate::s3_server::NewObject::from(&b"a"[..]));
    for (task, names) in [("worse", "gone\n"), ("night", "a\n")] {
        let folder = desk.harbour.data_dir().join("oms/sync_task").join(task);
        std::fs::create_dir_all(folder.join("object_lists")).unwrap();
        std::fs::write(folder.join("object_lists/a.txt"), names).unwrap();
    }
    assert_eq!(desk.harbour.night().code, 4);
    assert_eq!(
        desk.subjects(),
        [
            "worse: 0 synced, 1 failed; calm: nothing to do; empty: nothing to do; \
          2 more without problems"
        ]
    );
}

#[test]
fn a_long_list_of_failures_is_cut_and_says_so() {
    let desk = Desk::new();
    let names: Vec<String> = (0..1_003)
        .map(|number| format!("gone/{number:05}"))
        .collect();
    desk.harbour.list("many.txt", names.join("\n") + "\n");
    assert_eq!(desk.harbour.night().code, 4);
    let received = desk.server.received();
    let message = parsed(&received[0]);
    let lines: Vec<String> = attached(&message).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 1_002);
    let rest = "the first 1,000 of 1,003 failed requests; `nightferry failed` shows all";
    assert_eq!(lines[1_001], format!("# {rest}"));
    let said = text(&message);
    assert!(
        said.contains(&format!("failed.tsv has {rest}.\n")),
        "{said}"
    );
}

#[test]
fn a_month_is_told_when_it_is_asked_for() {
    let desk = Desk::with("when = \"never\"");
    desk.ask("first.txt", &["a"]);
    desk.harbour.list("more.txt", "gone\n");
    assert_eq!(desk.harbour.night().code, 4);
    assert_eq!(desk.subjects(), [""; 0]);
    let end = desk.harbour.run(&["summary", "--mail"]);
    assert_eq!(
        (end.code, end.stdout.as_str(), end.stderr.as_str()),
        (0, "", "")
    );
    let month = &desk.harbour.rows("SELECT month FROM month_summary")[0];
    assert_eq!(
        desk.subjects(),
        [format!("photos, {month}: 1 synced, 1 failed")]
    );
    let received = desk.server.received();
    let said = text(&parsed(&received[0]));
    assert!(said.contains("  Requested         2\n"), "{said}");
    assert!(
        said.contains("  source_missing: The source has no object"),
        "{said}"
    );
}

#[test]
fn what_was_deferred_is_foretold_once_three_nights_tell_how() {
    let desk = Desk::new();
    let foretold = |desk: &Desk| {
        let received = desk.server.received();
        let told = text(&parsed(received.last().unwrap()));
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for night in 1..=4 {
        let names = [format!("{night}/a"), format!("{night}/b")];
        let names = names.each_ref().map(String::as_str);
        desk.ask(&format!("{night}.txt"), &names);
        assert_eq!(desk.harbour.night().code, 0);
    }
    desk.ask("last.txt", &["5/a", "5/b", "5/c", "5/d"]);
    assert_eq!(desk.harbour.run(&["run", "--limit", "3"]).code, 6);
    let told = foretold(&desk);
    let begins = "1 deferred: The limit was reached; the next run goes on with them. Forecast: \
                  likely to be done ";
    assert!(told.contains(begins), "{told}");
    assert!(told.contains(" after the next run begins, "), "{told}");
}

#[test]
fn the_first_rejected_lines_are_shown_as_they_can_be_and_no_more_of_them() {
    let desk = Desk::new();
    let long = format!("../{}", "l".repeat(200));
    let lines = [
        b"a\n../<b>\x1b[1m\n\xff\xfe\n".as_slice(),
        long.as_bytes(),
        b"\n../d\n",
    ]
    .concat();
    desk.harbour.list("bad.txt", lines);
    assert_eq!(desk.harbour.night().code, 4);
    // What an earlier run rejected is its own.
    desk.harbour.list("more.txt", "../e\n");
    assert_eq!(desk.harbour.night().code, 4);
    let received = desk.server.received();
    let message = parsed(&received[0]);
    let told = text(&message);
    let (_, told) = told.split_once("  4 lines rejected: ").unwrap();
    let (told, _) = told.split_once("\n\n").unwrap();
    assert_eq!(
        told,
        format!(
            "They cannot be requests; `nightferry lists --task photos`\n\
             \x20 shows all of them. The first:\n\
             \x20   object_lists/bad.txt:2 dot_segment: ../<b>\\u{{1b}}[1m\n\
             \x20   object_lists/bad.txt:3 not_utf8: \\xff\\xfe\n\
             \x20   object_lists/bad.txt:4 dot_segment: {}…",
            &long[..80]
        )
    );
    let html = message.body_html(0).unwrap();
    assert!(html.contains("object_lists/bad.txt:2 dot_segment: ../&lt;b&gt;"));
    let second = text(&parsed(&received[1]));
    assert!(
        second.contains("\n    object_lists/more.txt:1 dot_segment: ../e\n"),
        "{second}"
    );
    assert!(!second.contains("bad.txt"), "{second}");
}
