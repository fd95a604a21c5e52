//! Lines that cannot be requests.

use super::{Shown, harbour, links, words};

/// The rows of every page from `first` on, without their marks.
fn rows(shown: &Shown, first: &str) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = next {
        let page = shown.page(&path);
        let body = page.split("<tbody>").nth(1).unwrap_or("");
        let body = body.split("</tbody>").next().unwrap();
        let found = body.split("</tr>").map(words).filter(|row| !row.is_empty());
        pages.push(found.collect());
        let further = page.split("rel=\"next\" href=\"").nth(1);
        next = further.map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
    }
    pages
}

#[test]
fn rejected_lines_are_counted_where_their_lists_are_and_shown_with_the_reason() {
    let harbour = harbour("");
    harbour.list("a.url.txt", "good\n100%\nx/../y\n");
    harbour.list("b.txt", b"caf\xe9.jpg\n");
    assert_eq!(harbour.night().code, 4);
    let shown = Shown::at(&harbour);

    let month = shown.page("/tasks/photos");
    let of_month = &links(&month, "/rejected?month=")[0];
    let said = words(&month);
    assert!(said.contains("received of runs 3 rejected lines"), "{said}");
    let lists = shown.page("/tasks/photos/lists");
    let of_lists = links(&lists, "/rejected?list=");
    assert_eq!(of_lists.len(), 2);
    let run = shown.page("/tasks/photos/runs/1");
    assert_eq!(links(&run, "/rejected"), ["/tasks/photos/rejected"]);

    let of_b = ["object_lists/b.txt 1 not_utf8 caf\\xe9.jpg"];
    let of_a = [
        "object_lists/a.url.txt 2 bad_percent_encoding 100%",
        "object_lists/a.url.txt 3 dot_segment x/../y",
    ];
    let all = [of_b.as_slice(), of_a.as_slice()].concat();
    for path in [of_month, "/tasks/photos/rejected"] {
        assert_eq!(rows(&shown, path).concat(), all, "{path}");
    }
    assert_eq!(
        rows(&shown, "/tasks/photos/rejected?month=2026-01"),
        [[""; 0]]
    );
    let mut each: Vec<Vec<String>> = of_lists
        .iter()
        .flat_map(|list| rows(&shown, list))
        .collect();
    each.sort_by_key(Vec::len);
    assert_eq!(each, [of_b.as_slice(), of_a.as_slice()]);
    let page = words(&shown.page(of_month));
    assert!(page.contains("not_utf8 It is not UTF-8"), "{page}");
    for wrong in ["list=x", "month=2026-13", "m=x&l=1&n=1"] {
        let answer = shown.get(&format!("/tasks/photos/rejected?{wrong}"));
        assert_eq!(answer.status, 400, "{wrong}");
    }
}

#[test]
fn rejected_lines_are_shown_page_by_page_each_once_and_the_rest_as_a_number() {
    let harbour = harbour("");
    harbour.list("a.url.txt", "%\n".repeat(3_000));
    harbour.list("b.url.txt", "%%\n".repeat(150));
    harbour.night();
    let shown = Shown::at(&harbour);
    let pages = rows(&shown, "/tasks/photos/rejected");
    let lengths: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(lengths, [vec![100; 11], vec![51]].concat());
    let expected = |list: &'static str, line: &'static str, count: usize| {
        (1..=count).map(move |at| format!("object_lists/{list} {at} bad_percent_encoding {line}"))
    };
    let mut all: Vec<String> = expected("b.url.txt", "%%", 150).collect();
    all.extend(expected("a.url.txt", "%", 999));
    all.push("object_lists/a.url.txt 1,000 bad_percent_encoding %".to_owned());
    all.push("object_lists/a.url.txt 2,000 more of this list are not kept one by one".to_owned());
    assert_eq!(pages.concat(), all);
}

#[test]
fn hostile_excerpts_are_text() {
    let harbour = harbour("");
    let lines = [
        "<script>alert(1)</script>/../x",
        "\"onmouseover=\"alert(1)/..",
        "turned\u{202e}gpj.exe/..",
        r"a\nb/..",
    ];
    harbour.list("<img src=x>.txt", lines.join("\n") + "\n");
    harbour.night();
    let shown = Shown::at(&harbour);
    let page = shown.page("/tasks/photos/rejected");
    for bad in ["<script>alert", "\"onmouseover", "<img src=x", "\u{202e}"] {
        assert!(!page.contains(bad), "{bad:?}: {page}");
    }
    for good in [
        "&lt;script&gt;alert(1)&lt;/script&gt;/../x</bdi>",
        r"turned\u{202e}gpj.exe/..</bdi>",
        r">a\nb/..</bdi>",
    ] {
        assert!(page.contains(good), "{good}: {page}");
    }
}
