//! Names, paths and servers' words that would take over a terminal.

use super::World;
use crate::s3_server::{Fault, FaultAction};

const ESCAPE: char = '\u{1b}';
const TURN: char = '\u{202e}';

#[test]
fn no_command_writes_an_escape_sequence_or_turns_the_text() {
    let world = World::new();
    let names = [
        "missing\u{1b}[2J",
        "title\u{1b}]0;gone\u{7}",
        "turned\u{202e}gpj.exe",
        "wide\u{200b}less",
        "=cmd|' /C calc'!A0",
        "eight\u{9b}31m",
    ];
    world.put(&names[1..]);
    world.ask("evil\u{1b}[2J\u{202e}", &names);
    world.ask("rejected", &["a/../\u{1b}[2J\u{202e}b", "%zz"]);
    let fault = FaultAction::Answer {
        status: 400,
        code: "Invalid",
        message: "\u{1b}[31mred \u{202e}der",
        headers: Vec::new(),
    };
    for name in &names[2..4] {
        let fault = Fault::new(fault.clone()).operation("PutObject").key(name);
        world.server.on(fault);
    }
    for arguments in [
        &["run", "--dry-run", "-vv"][..],
        &["run", "-vv"],
        &["run", "-vv", "--log-format", "json"],
        &["doctor"],
        &["status"],
        &["runs"],
        &["lists"],
        &["failed"],
        &["summary"],
        &["summary", "--format", "csv"],
        &["verify", "--task", "photos"],
        &["why", "--task", "photos", names[0]],
        &["why", "--task", "photos", names[2]],
        &["why", "--task", "photos", "never\u{1b}[2J"],
        &[
            "withdraw",
            "--task",
            "photos",
            "--list",
            "object_lists/\u{1b}[2J.txt",
        ],
        &["withdraw", "--task", "\u{1b}[2J", "--name", "a"],
        &["retry", "--task", "\u{1b}[2J\u{202e}"],
        &["retry", "--name", "a/../\u{1b}[2J"],
        &[
            "export",
            "--task",
            "photos",
            "--run",
            "1",
            "--out",
            world.folder.path().to_str().unwrap(),
        ],
    ] {
        let ended = world.does(arguments);
        for (stream, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
            // In JSON the direction of writing is a reader's matter.
            let json = arguments.contains(&"json");
            assert!(
                !text.contains([ESCAPE, '\u{7}', '\u{9b}']) && (json || !text.contains(TURN)),
                "{stream} of {arguments:?}: {text:?}"
            );
        }
    }
    world.check_books();
}
