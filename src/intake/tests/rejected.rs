//! Lines that cannot be requests.

use super::*;

#[test]
fn each_rejected_line_is_recorded_with_its_list_line_and_reason() {
    let mut fixture = Fixture::new();
    let mut content = b"good\nbad\xff\nnul\0\n../up\noms/sync_task/photos/x\n".to_vec();
    content.extend(b"y".repeat(1_025));
    content.extend(b"\n/lead\na//b\n.\n\t tab \n\\\xf0\x9f\x98\x80\n+%41\n");
    content.extend(b"z".repeat(1_024));
    content.push(b'\n');
    fixture.write("a.txt", content);
    fixture.write("b.url.txt", "%4\n%FF\nok\n");
    let intake = fixture.take_in();
    assert_eq!(
        fixture.rejected(),
        [
            "a.txt:2 not_utf8 bad\\xff",
            "a.txt:3 nul nul\\0",
            "a.txt:4 dot_segment ../up",
            "a.txt:5 reserved_prefix oms/sync_task/photos/x",
            &format!("a.txt:6 too_long {}…", "y".repeat(80)),
            "a.txt:9 dot_segment .",
            "b.url.txt:1 bad_percent_encoding %4",
            "b.url.txt:2 not_utf8 %FF"
        ]
    );
    assert_eq!(
        fixture.requests(),
        [
            "a.txt:1 good",
            "a.txt:7 /lead",
            "a.txt:8 a//b",
            "a.txt:10 \t tab ",
            "a.txt:11 \\😀",
            "a.txt:12 +%41",
            &format!("a.txt:13 {}", "z".repeat(1_024)),
            "b.url.txt:3 ok"
        ]
    );
    assert_eq!(fixture.loaded(), ["a.txt 13 7 6", "b.url.txt 3 1 2"]);
    assert_eq!((intake.requests, intake.rejected), (8, 8));
    assert_eq!(
        intake.rejected_examples[0].to_string(),
        "object_lists/a.txt:2 rejected: not_utf8 bad\\xff"
    );
    fixture.assert_books_agree();
}

#[test]
fn a_binary_file_is_rejected_line_by_line_and_loads_once() {
    let mut fixture = Fixture::new();
    let binary: Vec<u8> = (0..=255).cycle().take(256 * 40).collect();
    fixture.write("a.txt", &binary);
    fixture.take_in();
    // A line end every 256 bytes, and what follows the last one.
    assert_eq!(fixture.loaded(), ["a.txt 41 0 41"]);
    assert_eq!(fixture.take_in().rejected, 0);
    assert_eq!(
        fixture.rejected()[0],
        "a.txt:1 nul \\0\\u{1}\\u{2}\\u{3}\\u{4}\\u{5}\\u{6}\\u{7}\\u{8}\\t"
    );
}

#[test]
fn after_a_thousand_rejected_lines_one_row_stands_for_the_others_however_they_come() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\n.\n".repeat(999));
    let intake = fixture.take_in();
    assert_eq!((intake.rejected, intake.rejected_examples.len()), (999, 10));
    assert_eq!(fixture.rejected().len(), 999);
    fixture.append("a.txt", ".\n");
    fixture.take_in();
    assert_eq!(
        fixture.rejected().last().unwrap(),
        "a.txt:1999 dot_segment ."
    );
    fixture.append("a.txt", "nul\0\n");
    fixture.take_in();
    assert_eq!(
        fixture.rejected().last().unwrap(),
        "a.txt:2000 nul and 1 more"
    );
    fixture.append("a.txt", "x\n..\n".repeat(12_344));
    fixture.take_in();
    fixture.append("a.txt", "end\n");
    fixture.take_in();
    assert_eq!(fixture.rejected().len(), 1_001);
    assert_eq!(
        fixture.rejected().last().unwrap(),
        "a.txt:2000 nul and 12,345 more"
    );
    assert_eq!(fixture.loaded(), ["a.txt 26689 13344 13345"]);
    fixture.assert_books_agree();
}

#[test]
fn all_rejected_lines_of_a_great_part_are_counted() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", ".\n".repeat(250_000));
    fixture.take_in();
    assert_eq!(fixture.rejected().len(), 1_001);
    assert_eq!(
        fixture.rejected().last().unwrap(),
        "a.txt:1001 dot_segment and 249,000 more"
    );
    assert_eq!(fixture.loaded(), ["a.txt 250000 0 250000"]);
}

#[test]
fn a_rejected_unended_line_is_rejected_once_even_if_it_goes_on() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", "x\n../y");
    fixture.take_in();
    fixture.append("a.txt", "es\nz\n");
    fixture.take_in();
    assert_eq!(fixture.rejected(), ["a.txt:2 dot_segment ../y"]);
    assert_eq!(fixture.loaded(), ["a.txt 3 2 1"]);
    fixture.assert_books_agree();
}
