//! `enqueue --from-source` that is asked to stop.

use std::path::PathBuf;

use super::World;

/// What lies in the data directory.
fn files(world: &World) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(world.data()).sort_by_file_name();
    let files = entries.into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path).collect()
}

#[test]
fn a_signal_while_a_listing_is_awaited_leaves_no_list_and_ends_at_once() {
    for signal in ["TERM", "INT"] {
        let world = World::one_by_one(&["a", "b"]);
        let before = files(&world);
        let gate = world.server.gate("ListObjectsV2", "dst", None);
        let filling = world.begins(&["enqueue", "--task", "photos", "--from-source"]);
        gate.wait_arrived();
        filling.signal(signal);
        let ended = filling.end();
        assert_eq!(ended.code, Some(6), "{signal} {ended:?}");
        assert!(
            ended.stderr.contains("stopped; nothing was enqueued"),
            "{ended:?}"
        );
        // Neither a list nor half of one.
        assert_eq!(files(&world), before);
    }
}
