//! Disks that are full, or cannot be written.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::World;

/// A small disk of its own, such as for the data directory; `None` where that
/// takes a right that the tests do not have.
pub struct Disk(PathBuf);

impl Disk {
    fn mount(world: &World, size: &str) -> Option<Self> {
        Self::mount_at(world.data(), size)
    }

    pub fn mount_at(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&path).unwrap();
        let disk = Self(path);
        let mounted = disk.mounted_with(&["-t", "tmpfs", "-o", &format!("size={size}"), "none"]);
        if !mounted {
            eprintln!("skipped: disks cannot be mounted here");
            // There is nothing to be unmounted.
            std::mem::forget(disk);
            return None;
        }
        Some(disk)
    }

    pub fn mounted_with(&self, arguments: &[&str]) -> bool {
        let mount = Command::new("mount").args(arguments).arg(&self.0).output();
        mount.is_ok_and(|output| output.status.success())
    }

    /// Makes it read-only. A process that another test is just starting has, until its
    /// exec, copies of all files that are open here, and so may keep the disk busy.
    pub fn seal(&self) {
        for _ in 0..500 {
            if self.mounted_with(&["-o", "remount,ro"]) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{} stays busy", self.0.display());
    }

    /// Leaves no room at all.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    pub fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).output());
    }
}

/// Names enough for more than one page of the ledger.
fn many() -> Vec<String> {
    (0..400)
        .map(|n| format!("{n:03}-{}", "name".repeat(20)))
        .collect()
}

fn ask_for_many(world: &World) {
    let names = many();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.put(&names);
    world.ask("many", &names);
}

#[test]
fn a_disk_that_is_full_before_the_run() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world, "6m") else {
        return;
    };
    ask_for_many(&world);
    disk.fill();
    let ended = world.night(1);
    assert!(
        ended.stderr.contains("is full; make room and run again"),
        "{ended:?}"
    );
    assert_eq!(world.copies(), [""; 0]);
    disk.make_room();
    world.night(0);
    assert_eq!(world.copies(), many());
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_disk_that_fills_up_during_the_run() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world, "8m") else {
        return;
    };
    ask_for_many(&world);
    let first = many().remove(0);
    let gate = world.server.gate("PutObject", "dst", Some(&first));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    disk.fill();
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("is full; make room and run again"),
        "{ended:?}"
    );
    disk.make_room();
    world.check_books();
    world.night(0);
    assert_eq!(world.copies(), many());
    assert_eq!(world.rows("SELECT pending, balanced FROM books"), ["0|1"]);
    assert_eq!(
        world.rows("SELECT state FROM run_history"),
        ["interrupted", "ended"]
    );
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_disk_that_cannot_be_written() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world, "8m") else {
        return;
    };
    world.put(&["a"]);
    world.ask("first", &["a"]);
    world.night(0);
    world.put(&["b"]);
    world.ask("second", &["b"]);
    disk.seal();
    let ended = world.night(3);
    assert!(ended.stderr.contains("Read-only file system"), "{ended:?}");
    assert_eq!(world.copies(), ["a"]);
    for command in ["status", "summary", "runs"] {
        let ended = world.does(&[command]);
        assert_eq!(ended.code, Some(0), "{command} {ended:?}");
    }
    assert!(disk.mounted_with(&["-o", "remount,rw"]));
    world.night(0);
    assert_eq!(
        world.runs(),
        ["ended|1|1|0|0|0|0|done", "ended|1|1|0|0|0|0|done"]
    );
    world.check_delivered();
    world.check_books();
}
