use proptest::prelude::*;

use super::*;

fn patterns(texts: &[&str]) -> Patterns {
    let patterns = texts.iter().map(|text| Pattern::new(text).unwrap());
    Patterns::new(patterns.collect()).unwrap()
}

/// The pattern by which these match `name`; empty if they do not.
fn matching(texts: &[&str], name: &str) -> String {
    patterns(texts).matching(name).unwrap_or("").to_owned()
}

/// Each verdict is that of `git check-ignore`, where git can be asked.
#[test]
fn patterns_mean_what_they_mean_in_a_gitignore() {
    let cases: &[(&[&str], &[&str], &[&str])] = &[
        // Without a slash: at any depth, the name or a folder.
        (
            &["*.jpg"],
            &["a.jpg", "x/a.jpg", ".jpg", "a.jpg/x"],
            &["a.JPG", "a.jpg.txt"],
        ),
        (
            &["thumbs"],
            &["thumbs", "x/thumbs", "thumbs/a", "x/thumbs/y/a"],
            &["thumbs.db", "xthumbs"],
        ),
        // With a slash at the end: a folder only.
        (
            &["thumbs/"],
            &["thumbs/a", "x/thumbs/a", "thumbs/"],
            &["thumbs", "x/thumbs"],
        ),
        // With a slash at the beginning or within: from the beginning of the name.
        (&["/raw"], &["raw", "raw/a"], &["x/raw", "rawx"]),
        (&["raw/x"], &["raw/x", "raw/x/a"], &["y/raw/x", "raw/y"]),
        (
            &["raw/*.tif"],
            &["raw/a.tif"],
            &["raw/x/a.tif", "x/raw/a.tif"],
        ),
        (&["/*"], &["a", "a/b"], &[]),
        (&["/*.jpg"], &["a.jpg", "a.jpg/b"], &["x/a.jpg"]),
        (&["/*/*"], &["a/b", "a/b/c"], &["a"]),
        // Two stars: any number of folders.
        (&["**/raw"], &["raw", "x/raw", "x/y/raw/a"], &["xraw"]),
        (&["raw/**"], &["raw/a", "raw/x/a"], &["raw", "x/raw/a"]),
        (&["a/**/b"], &["a/b", "a/x/b", "a/x/y/b"], &["a/xb", "b"]),
        // One character, sets, and what is meant literally.
        (&["?.x"], &["a.x", "x/b.x"], &["ab.x", "/.x"]),
        (&["[0-9].x"], &["7.x"], &["a.x", "77.x"]),
        (&["[!0-9].x"], &["a.x"], &["7.x"]),
        (&[r"\*"], &["*", "x/*"], &["a"]),
        (&[r"\!a"], &["!a"], &["a"]),
        (&[r"\#a"], &["#a"], &["a"]),
        (&[r"a\ "], &["a "], &["a"]),
        // The last one decides.
        (
            &["*.jpg", "!keep.jpg"],
            &["a.jpg", "x/a.jpg"],
            &["keep.jpg", "x/keep.jpg"],
        ),
        (
            &["*.jpg", "!keep.jpg", "/keep.jpg"],
            &["keep.jpg"],
            &["x/keep.jpg"],
        ),
        // But nothing is taken back of a folder that is matched.
        (&["x/", "!x/keep"], &["x/keep", "x/a"], &["keep"]),
        (&["x/*", "!x/keep"], &["x/a", "x/y/keep"], &["x/keep"]),
    ];
    for (texts, matched, others) in cases {
        for name in *matched {
            assert_ne!(matching(texts, name), "", "{texts:?} {name}");
        }
        for name in *others {
            assert_eq!(matching(texts, name), "", "{texts:?} {name}");
        }
    }
}

#[test]
fn names_that_no_file_can_have_are_names_all_the_same() {
    for (texts, name, expected) in [
        // An empty part between slashes is a folder without a name.
        (["a"], "/a", "a"),
        (["a"], "x//a", "a"),
        (["x"], "x//a", "x"),
        (["/a"], "/a", ""),
        (["//a"], "/a", "//a"),
        (["x/*"], "x//a", "x/*"),
        (["x/**"], "x//a", "x/**"),
        (["*"], "/", "*"),
        (["*"], "a\nb\u{7f}", "*"),
        (["a?b"], "a\nb", "a?b"),
        (["ü*"], "x/üß", "ü*"),
        // As in git, a `?` is a byte.
        (["??"], "ü", "??"),
        (["*.jpg"], ".../..a.jpg", "*.jpg"),
        (["a."], "a.", "a."),
        (["{a,b}.x"], "b.x", "{a,b}.x"),
    ] {
        assert_eq!(matching(&texts, name), expected, "{texts:?} {name:?}");
    }
}

#[test]
fn what_cannot_be_a_pattern_is_said() {
    for (text, why) in [
        ("[a", "cannot be read: unclosed character class"),
        ("{a", "cannot be read: unclosed alternate group"),
        ("[z-a]", "cannot be read: invalid range"),
        ("a\\", "cannot be read: dangling '\\'"),
        ("# a", "would be a comment"),
        ("a ", "ends with a space"),
        ("", "matches no name"),
        ("!", "matches no name"),
        ("/", "matches no name"),
    ] {
        let said = Pattern::new(text).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
        assert!(said.starts_with("the pattern \""), "{said}");
    }
    let first = ["!a", "b"].map(|text| Pattern::new(text).unwrap());
    let said = Patterns::new(first.to_vec()).unwrap_err().to_string();
    assert!(said.contains("stands first and takes back"), "{said}");
}

proptest! {
    #[test]
    fn no_pattern_and_no_name_is_too_odd(
        texts in prop::collection::vec("[ab/*?!\\[\\]{},\\\\ #.-]{0,6}|\\PC{0,6}", 0..4),
        name in "[ab/.]{1,8}|\\PC{1,6}|[\u{1}-\u{ff}]{1,6}",
    ) {
        let patterns = texts.iter().filter_map(|text| Pattern::new(text).ok()).collect();
        if let Ok(patterns) = Patterns::new(patterns) {
            let _ = patterns.matching(&name);
        }
    }

    #[test]
    fn what_matches_a_folder_matches_all_that_lies_in_it(
        text in "/?[ab*?]{1,3}(/[ab*]{1,2})?/?", folder in "[ab]{1,2}(/[ab]{1,2})?", name in "[ab/]{1,4}",
    ) {
        let Ok(pattern) = Pattern::new(&text) else {
            return Ok(());
        };
        let patterns = Patterns::new(vec![pattern]).unwrap();
        if patterns.matching(&folder).is_some() {
            let within = format!("{folder}/{name}");
            prop_assert!(patterns.matching(&within).is_some());
        }
    }
}
