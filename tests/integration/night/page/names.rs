//! Names may be anything, and stay text.

use super::{Shown, harbour, links};

const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "\"onmouseover=\"alert(1)",
    "'&amp;<b>",
    "two\nlines\r\n",
    "invoice\u{202e}gpj.exe",
    "שלום/صورة.jpg",
    "ends in a blank ",
];

#[test]
fn hostile_names_are_text_on_every_page_and_lead_to_their_own_history() {
    let harbour = harbour("");
    let lines: Vec<String> = HOSTILE
        .iter()
        .map(|name| {
            let set = percent_encoding::NON_ALPHANUMERIC;
            percent_encoding::utf8_percent_encode(name, set).to_string() + "\n"
        })
        .collect();
    harbour.list("<img src=x>.url.txt", lines.concat());
    assert_eq!(harbour.night().code, 4);
    let shown = Shown::at(&harbour);
    let failed = shown.page("/tasks/photos/failed");
    let mut pages = vec![
        failed.clone(),
        shown.page("/tasks/photos"),
        shown.page("/tasks/photos/lists"),
    ];
    let objects = links(&failed, "/objects?name=");
    assert_eq!(objects.len(), HOSTILE.len());
    let mut named: Vec<String> = Vec::new();
    for object in &objects {
        let page = shown.page(object);
        assert!(
            page.contains("Request ") && page.contains("failed: source_missing"),
            "{page}"
        );
        pages.push(page);
        let url = url::Url::parse(&format!("http://localhost{object}")).unwrap();
        named.push(url.query_pairs().next().unwrap().1.into_owned());
    }
    named.sort();
    let mut asked = HOSTILE.map(str::to_owned);
    asked.sort();
    assert_eq!(named, asked);
    for page in pages {
        for bad in [
            "<script>alert",
            "\"onmouseover",
            "<b>",
            "<img src=x",
            "\u{202e}",
            "\r",
        ] {
            assert!(!page.contains(bad), "{bad:?}: {page}");
        }
    }
    for shown in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "two<span class=\"mark\">\\n</span>lines",
        "invoice<span class=\"mark\">\\u{202e}</span>gpj.exe",
        "<bdi class=\"name\">שלום/صورة.jpg</bdi>",
        "blank<span class=\"mark\">␣</span>",
    ] {
        assert!(failed.contains(shown), "{shown}: {failed}");
    }
}

#[test]
fn what_is_searched_for_comes_back_as_text() {
    let harbour = harbour("");
    harbour.night();
    let shown = Shown::at(&harbour);
    let page = shown.page("/tasks/photos/failed?name=%22%3E%3Cscript%3E&match=holds");
    assert!(
        page.contains("value=\"&quot;&gt;&lt;script&gt;\""),
        "{page}"
    );
    let page = shown.page("/tasks/photos/objects?name=%3Cscript%3E%FF");
    assert!(page.contains("&lt;script&gt;\u{fffd}"), "{page}");
}

#[test]
fn what_failed_is_told_of_an_object_with_its_name_written_out_once() {
    let harbour = harbour("");
    harbour.list("a.url.txt", "two%0Alines%5C%3Cb%3E.jpg\n");
    assert_eq!(harbour.night().code, 4);
    let told = harbour
        .rows("SELECT message FROM failed_requests")
        .remove(0);
    assert!(told.contains(r#""two\nlines\\<b>.jpg""#), "{told}");
    let shown = Shown::at(&harbour);
    let page = shown.page("/tasks/photos/objects?name=two%0Alines%5C%3Cb%3E.jpg");
    let written = told
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    let message = format!("<dt>Message</dt><dd><bdi class=\"name\">{written}</bdi></dd>");
    assert!(page.contains(&message), "{message}: {page}");
}
