//! How commands of documents fit into the world in which they are tried.

/// What stands in documents, and what stands there in the test's world.
pub const CHANGED: &[(&str, &str)] = &[
    ("sudo -u nightferry ", ""),
    ("sudo ", ""),
    // The world's own configuration stays as it is.
    ("init > ", "init > example-"),
    ("/etc/nightferry/nightferry.toml", "nightferry.toml"),
    ("/usr/share/doc/nightferry/", ""),
    ("/var/lib/nightferry", "data"),
    (" ledger.sqlite", " data/ledger.sqlite"),
    ("/backup/", "backup/"),
    // One night lies behind, of this month.
    ("--run 12", "--run 1"),
    ("--month 2026-11", "--month this"),
    // It is for a machine on which there is no ledger.
    (
        "nightferry ledger rebuild",
        "mv data lost; nightferry ledger rebuild",
    ),
];

/// What is not run, by how it begins, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("cargo ", "builds, tests or measures for minutes"),
    (
        "NAMES=100000 cargo ",
        "a test of its own that takes minutes",
    ),
    (
        "scripts/",
        "installs servers or works for minutes; each tests itself",
    ),
    ("/usr/bin/time ", "measures a build for release"),
    ("apt ", "changes the machine; scripts/package does it"),
    (
        "install ",
        "writes into system folders; scripts/package does it",
    ),
    ("usermod ", "changes the machine's users"),
    ("chgrp ", "needs a group that the machine may not have"),
    (
        "systemctl ",
        "needs a systemd at work; scripts/package --timer has one",
    ),
    (
        "systemd-analyze ",
        "needs the units in place; scripts/package does it",
    ),
    ("journalctl ", "needs a systemd at work"),
    ("pip ", "installs a program that is not part of the tests"),
    (
        "datasette ",
        "a program that is not part of the tests; tried by hand",
    ),
];

/// Commands of a document that do not end with 0 in the test's world.
pub const ENDS_WITH: &[(&str, &str, i32)] = &[
    // Nobody has seen to the cause.
    ("docs/guide/failures.md", "nightferry run", 4),
    // Only a run at work can be tuned.
    (
        "docs/guide/the-night.md",
        "nightferry tune --workers 16 --bandwidth 50MB/s",
        2,
    ),
    (
        "docs/guide/the-night.md",
        "nightferry tune --task photos --until 05:30",
        2,
    ),
    (
        "docs/guide/the-night.md",
        "nightferry tune --bandwidth none --until none",
        2,
    ),
];
