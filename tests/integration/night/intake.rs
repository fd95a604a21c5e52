//! What stands in an input list, and which lines of it are no requests.

use super::Harbour;

#[test]
fn line_ends_and_a_byte_order_mark_are_no_part_of_a_name() {
    let harbour = Harbour::new();
    for name in ["a", "b", " ", "c"] {
        harbour.put(name, "1");
    }
    harbour.list("dos.txt", "\u{feff}a\r\nb\r\n\r\n");
    harbour.list("unix.txt", "\n \nc\n\n");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        harbour.rows("SELECT name, list, line FROM requests ORDER BY request"),
        [
            "a|object_lists/dos.txt|1",
            "b|object_lists/dos.txt|2",
            " |object_lists/unix.txt|2",
            "c|object_lists/unix.txt|3",
        ]
    );
    assert_eq!(
        harbour.rows("SELECT lines, requests, rejected FROM loaded_lists ORDER BY list"),
        ["3|2|0", "4|2|0"]
    );
}

#[test]
fn lines_that_cannot_be_requests_are_rejected_and_the_others_carried() {
    let harbour = Harbour::new();
    harbour.put("good", "1");
    let mut list = Vec::new();
    for line in [
        b"good".as_slice(),
        b"\xff\xfe",
        "x".repeat(1025).as_bytes(),
        "é".repeat(1 << 19).as_bytes(),
        b"nul\0nul",
        b"a/../b",
        b"./a",
        b"a/.",
        b"oms/sync_task/photos/object_lists/x.txt",
        b"oms/sync_task/",
        b"\x1b[2J\xc3",
        b"good",
    ] {
        list.extend_from_slice(line);
        list.push(b'\n');
    }
    harbour.list("mixed.txt", list);
    let end = harbour.night();
    assert_eq!(end.code, 4);
    assert_eq!(
        harbour.rows("SELECT line, reason FROM rejected_lines ORDER BY line"),
        [
            "2|not_utf8",
            "3|too_long",
            "4|too_long",
            "5|nul",
            "6|dot_segment",
            "7|dot_segment",
            "8|dot_segment",
            "9|reserved_prefix",
            "10|reserved_prefix",
            "11|not_utf8",
        ]
    );
    assert_eq!(
        harbour.requests(),
        ["good|synced|", "good|ignored|duplicate"]
    );
    assert_eq!(
        harbour.rows("SELECT taken, rejected, exit_reasons FROM run_history"),
        ["2|10|rejected"]
    );
    let said: Vec<&str> = end.stderr.lines().collect();
    assert_eq!(said.len(), 10, "{said:?}");
    assert!(
        said[0].ends_with("photos: object_lists/mixed.txt:2 rejected: not_utf8 \\xff\\xfe"),
        "{said:?}"
    );
    assert!(!end.stderr.contains('\u{1b}'));
    assert!(
        end.stdout.contains("\n  10 lines of lists rejected\n"),
        "{end:?}"
    );
    let status = harbour.run(&["status"]).stdout;
    assert!(status.contains("Rejected lines"), "{status}");
    let runs = harbour.run(&["runs"]).stdout;
    let words: Vec<&str> = runs.split_whitespace().collect();
    assert!(words.contains(&"Rejected"), "{runs}");
    assert_eq!(words.last(), Some(&"rejected"), "{runs}");

    // They are said once: the next night has nothing to reject.
    assert_eq!(harbour.night().code, 0);
}

#[test]
fn encoded_lines_are_rejected_for_what_they_stand_for() {
    let harbour = Harbour::new();
    harbour.list(
        "one.url.txt",
        "%zz\n%\n%FF\na%00b\n%2E%2E/a\noms%2Fsync_task%2Fx\n",
    );
    harbour.list(
        "long.url.txt",
        format!("{}\n{}\n", "%41".repeat(1024), "%41".repeat(1025)),
    );
    assert_eq!(harbour.night().code, 4);
    assert_eq!(
        harbour.rows("SELECT line, reason FROM rejected_lines ORDER BY list, line"),
        [
            "2|too_long",
            "1|bad_percent_encoding",
            "2|bad_percent_encoding",
            "3|not_utf8",
            "4|nul",
            "5|dot_segment",
            "6|reserved_prefix",
        ]
    );
    assert_eq!(harbour.rows("SELECT length(name) FROM requests"), ["1024"]);
}

#[test]
fn a_binary_file_is_all_rejected_lines_with_one_row_for_the_remainder() {
    let harbour = Harbour::new();
    let mut binary = Vec::new();
    for line in 0..2500_u32 {
        binary.extend_from_slice(&[0xff, 0x00, (line % 9) as u8, 0x80, b'\n']);
    }
    harbour.list("photo.txt", binary);
    let end = harbour.night();
    assert_eq!(end.code, 4);
    assert_eq!(
        harbour.rows("SELECT count(*), max(line) FROM rejected_lines"),
        ["1001|1001"]
    );
    assert_eq!(
        harbour.rows("SELECT excerpt FROM rejected_lines WHERE line = 1001"),
        ["and 1,500 more"]
    );
    assert_eq!(
        harbour.rows("SELECT lines, requests, rejected FROM loaded_lists"),
        ["2500|0|2500"]
    );
    assert!(
        end.stderr
            .ends_with("photos: 2,490 more lines rejected; `nightferry lists` shows them\n"),
        "{}",
        end.stderr
    );
}

#[test]
fn only_regular_files_with_the_right_name_are_lists() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    let list = harbour.list("deep/er/one.txt", "a\n");
    for name in [
        "note.md",
        ".hidden.txt",
        "two.txt~",
        "three.txt.tmp",
        "four.txt.part",
    ] {
        harbour.list(name, "never\n");
    }
    harbour.list(".folder/five.txt", "never\n");
    let inbox = harbour.photos().join("object_lists");
    std::os::unix::fs::symlink(&list, inbox.join("link.txt")).unwrap();
    nix::unistd::mkfifo(&inbox.join("pipe.txt"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.requests(), ["a|synced|"]);
    let status = harbour.run(&["status"]).stdout;
    let line = status
        .lines()
        .find(|line| line.contains("passed over"))
        .unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..4], ["Files", "passed", "over", "8"], "{line}");
}

#[test]
fn status_says_that_lists_wait_until_a_run_has_loaded_them() {
    let harbour = Harbour::new();
    harbour.put("a", "1");
    harbour.list("one.txt", "a\n");
    assert_eq!(harbour.night().code, 0);
    let status = || harbour.run(&["status"]).stdout;
    assert!(!status().contains("not loaded"), "{}", status());
    harbour.list("more.txt", "a\n");
    harbour.list("one.txt", "a\nb\n");
    let shown = status();
    let mut rows = shown.lines();
    let row = rows.find(|line| line.contains("Lists not loaded yet"));
    let row = row.unwrap_or_else(|| panic!("{shown}"));
    assert!(
        row.ends_with("2  the next run takes in what is new"),
        "{shown}"
    );
    harbour.night();
    assert!(!status().contains("not loaded"), "{}", status());
}
