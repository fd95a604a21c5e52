//! What is shown is what the ledger says.

use super::{Shown, harbour, links, words};

#[test]
fn before_anything_was_asked_for_there_are_pages_all_the_same() {
    let harbour = harbour("");
    let shown = Shown::at(&harbour);
    let tasks = words(&shown.page("/"));
    let nothing =
        "Requested 0 Synced 0 Failed 0 Ignored 0 Pending now 0 Synced size 0 B No run yet";
    assert!(tasks.contains(nothing), "{tasks}");
    let month = words(&shown.page("/tasks/photos"));
    assert!(
        month.contains("Nothing was asked for or settled in this month."),
        "{month}"
    );
    for path in [
        "/tasks/photos/runs",
        "/tasks/photos/lists",
        "/tasks/photos/failed",
        "/tasks/photos/rejected",
    ] {
        shown.page(path);
    }
    assert_eq!(shown.get("/tasks/none").status, 404);
    assert_eq!(shown.get("/tasks/photos?month=2026-13").status, 400);
}

#[test]
fn the_figures_of_a_night_are_shown_with_its_books_lists_and_failures() {
    let harbour = harbour("");
    harbour.put("a.jpg", "12345");
    harbour.put("b.jpg", "1234567");
    harbour.list("monday.txt", "a.jpg\nb.jpg\na.jpg\nmissing.jpg\nx/../y\n");
    assert_eq!(harbour.night().code, 4);
    let shown = Shown::at(&harbour);

    let tasks = words(&shown.page("/"));
    for said in [
        "photos src at 127.0.0.1 → to dst at 127.0.0.1",
        "Requested 4 Synced 2 Failed 1 Ignored 1 Pending now 0 Synced size 12 B",
        "Times in Asia/Shanghai",
    ] {
        assert!(tasks.contains(said), "{said}: {tasks}");
    }

    let page = shown.page("/tasks/photos");
    let month = words(&page);
    for said in [
        "Requested Objects 4 Synced 2 Failed 1 Ignored 1 Synced Object Size 12 B Object Lists",
        "Books: 0 pending at start + 4 requested = 2 synced + 1 failed + 1 ignored + 0 pending at end.",
        "source_missing 1 The source has no object of this name",
        "duplicate 1 an earlier request for the name",
        "failed,rejected 4 2 1 1 0 12 B",
        &format!("http://{}/v2/any/sync-tasks/photos/events", shown.address),
    ] {
        assert!(month.contains(said), "{said}: {month}");
    }
    assert!(
        page.contains("role=\"img\"") && !page.contains("style="),
        "{page}"
    );

    let failed = &links(&page, "cause=source_missing")[0];
    let failed = words(&shown.page(failed));
    assert!(
        failed.contains("missing.jpg source_missing 404 NoSuchKey"),
        "{failed}"
    );

    let run = words(&shown.page("/tasks/photos/runs/1"));
    let said = "Books: 4 taken = 2 synced + 1 failed + 1 ignored + 0 deferred.";
    assert!(run.contains(said), "{run}");
    assert_eq!(shown.get("/tasks/photos/runs/2").status, 404);
    assert_eq!(
        shown.get("/tasks/photos/progress").body,
        "<p>The run has ended. <a href=\"/tasks/photos\">Show what came of it</a></p>"
    );
}

#[test]
fn every_list_can_be_downloaded_as_it_is() {
    let harbour = harbour("");
    harbour.put("a.jpg", "12345");
    harbour.list("2026/a list.txt", "a.jpg\na.jpg\nmissing.jpg\n");
    harbour.night();
    let shown = Shown::at(&harbour);
    let mut files = links(&shown.page("/tasks/photos/runs/1"), "/files/");
    files.extend(links(&shown.page("/tasks/photos/lists"), "/files/"));
    let mut kinds = Vec::new();
    for file in &files {
        let answer = shown.get(file);
        assert_eq!(answer.status, 200, "{file}");
        let path = file.split_once("/files/").unwrap().1;
        let path = percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .unwrap();
        let content = std::fs::read_to_string(harbour.photos().join(&*path)).unwrap();
        assert_eq!(answer.body, content, "{file}");
        assert_eq!(answer.field("content-length"), content.len().to_string());
        assert_eq!(answer.field("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.field("x-content-type-options"), "nosniff");
        assert!(
            answer
                .field("content-disposition")
                .starts_with("attachment;"),
            "{answer:?}"
        );
        kinds.push(path.split('/').next().unwrap().to_owned());
    }
    kinds.sort();
    assert_eq!(
        kinds,
        [
            "failed_object_lists",
            "journals",
            "manifests",
            "object_lists",
            "skip_object_lists",
            "success_object_lists"
        ]
    );
}

#[test]
fn runs_lists_and_failures_are_shown_page_by_page_each_once() {
    let harbour = harbour("");
    let names: Vec<String> = (0..250)
        .map(|place| format!("missing/{place:03}.jpg"))
        .collect();
    harbour.list("all.txt", names.join("\n") + "\n");
    harbour.put("there.jpg", "x");
    harbour.list("one.txt", "there.jpg\n");
    harbour.night();
    for _ in 0..51 {
        harbour.night();
    }
    let shown = Shown::at(&harbour);
    let all = |first: &str, part: &str| {
        let (mut found, mut next) = (Vec::new(), Some(first.to_owned()));
        let mut pages = 0;
        while let Some(path) = next {
            let page = shown.page(&path);
            let rows = page.split("<tbody>").nth(1).unwrap_or("");
            found.extend(links(rows.split("</tbody>").next().unwrap(), part));
            let further = page.split("rel=\"next\" href=\"").nth(1);
            next = further.map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
            pages += 1;
        }
        (pages, found)
    };
    let (pages, objects) = all("/tasks/photos/failed", "/objects?");
    assert_eq!((pages, objects.len()), (3, 250));
    assert!(objects.is_sorted(), "{objects:?}");
    let (pages, objects) = all("/tasks/photos/failed?name=7.jpg&match=holds", "/objects?");
    assert_eq!((pages, objects.len()), (1, 25));
    let (pages, objects) = all(
        "/tasks/photos/failed?name=missing%2F1&match=begins",
        "/objects?",
    );
    assert_eq!((pages, objects.len()), (1, 100));
    assert_eq!(
        all("/tasks/photos/failed?name=missing%2F9", "/objects?"),
        (1, vec![])
    );
    let (pages, runs) = all("/tasks/photos/runs", "/runs/");
    assert_eq!((pages, runs.len()), (2, 52));
    assert_eq!(
        (runs[0].as_str(), runs[51].as_str()),
        ("/tasks/photos/runs/52", "/tasks/photos/runs/1")
    );
}

#[test]
fn a_paused_task_is_said_to_be() {
    let harbour = harbour("");
    harbour.night();
    assert_eq!(harbour.run(&["pause", "--task", "photos"]).code, 0);
    let shown = Shown::at(&harbour);
    for path in ["/", "/tasks/photos"] {
        let page = words(&shown.page(path));
        assert!(page.contains("paused since 20"), "{page}");
    }
}
