//! Two nights on this machine alone: an S3 server within the process, two
//! buckets, a few awkward objects, and the same program that `nightferry` is.
//! Both buckets being at one server, it copies by itself.
//!
//! `cargo run --release --example quickstart` leaves everything it made under
//! `target/quickstart/`; with `-- --keep` the server stays up, so that the
//! binary can be tried against it.

#[path = "../tests/s3_server/mod.rs"]
mod s3_server;

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use nightferry::run::StopSignal;
use s3_server::{ACCESS_KEY, NewObject, S3Server, SECRET_KEY};

const SOURCE: &str = "harbour";
const DESTINATION: &str = "lighthouse";

/// Large enough to go in parts, did it not.
const FILM_BYTES: u64 = 24 * 1024 * 1024;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let keep = std::env::args().any(|argument| argument == "--keep");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("target/quickstart");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;

    let server = S3Server::start();
    server.create_bucket(SOURCE);
    server.create_bucket(DESTINATION);
    put_objects(&server);
    let config = write_config(&folder, &server)?;
    let inbox = folder.join("data/oms/sync_task/photos/object_lists");

    say(
        "The first night: names from fixtures/object_lists, one of which the source does not have.",
    )?;
    copy_lists(&here.join("fixtures/object_lists"), &inbox)?;
    run(&config);

    say("\nThe second night: names of the first again, so all of them are ignored.")?;
    let again = fs::read_to_string(here.join("fixtures/object_lists/2026-11-22.txt"))?;
    let again = again
        .lines()
        .filter(|name| *name != "2026/11/never-existed.jpg");
    fs::write(
        inbox.join("second-night.txt"),
        again.flat_map(|name| [name, "\n"]).collect::<String>(),
    )?;
    run(&config);

    say(&what_next(&folder, &config))?;
    if keep {
        say(&format!(
            "The server stays up at {} until Ctrl-C.",
            server.endpoint()
        ))?;
        // The runs listen for signals, and so does this: nothing else would end it.
        let signal = StopSignal::listen()?;
        while !signal.is_requested() {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One night, by the same code as the binary.
fn run(config: &Path) {
    let arguments = [
        "nightferry".into(),
        "--config".into(),
        config.into(),
        "run".into(),
    ];
    // The first night ends with exit code 4, for the name that is not there.
    let _exit_code = nightferry::cli::main(arguments);
}

fn put_objects(server: &S3Server) {
    let texts = [
        "2026/11/harbour.jpg",
        "2026/11/lighthouse.jpg",
        "2026/11/Straße & Fähre #7 (50%).jpg",
        "2026/11/crêpes+cidre?.jpg",
        "/leading/slash.bin",
        "double//slash.bin",
        "plain note.txt",
        "emoji 🛳 ferry.txt",
        "names/line\nbreak.txt",
        "names/tab\tstop.txt",
        "names/100%.txt",
    ];
    for name in texts {
        server.put(
            SOURCE,
            name,
            NewObject {
                body: format!("This is {name}.\n").into_bytes(),
                content_type: Some("text/plain".to_owned()),
                metadata: [("berth".to_owned(), "7".to_owned())].into(),
                ..NewObject::default()
            },
        );
    }
    server.put(SOURCE, "empty-marker/", "");
    server.put(SOURCE, "logs/app.log.gz", NewObject {
        // `gzip` of a short line: it must arrive byte for byte, not unpacked.
        body: b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x4c\x2a\x06\x00\xc2\x41\x24\x35\x03\x00\x00\x00".to_vec(),
        headers: [("content-encoding".to_owned(), "gzip".to_owned())].into(),
        ..NewObject::default()
    });
    server.put_random(SOURCE, "large/film.mp4", FILM_BYTES, 7);
}

fn write_config(folder: &Path, server: &S3Server) -> Result<PathBuf, Box<dyn Error>> {
    let end = |bucket: &str| {
        format!(
            "endpoint = \"{}\"\nbucket = \"{bucket}\"\naccess_key_id = \"{ACCESS_KEY}\"\nsecret_access_key = \"{SECRET_KEY}\"\n",
            server.endpoint()
        )
    };
    let text = format!(
        "data_dir = \"data\"\ntime_zone = \"Asia/Shanghai\"\n\n[[task]]\nid = \"photos\"\n\n[task.source]\n{}\n[task.destination]\n{}",
        end(SOURCE),
        end(DESTINATION)
    );
    let path = folder.join("nightferry.toml");
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path)?
        .write_all(text.as_bytes())?;
    Ok(path)
}

fn copy_lists(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

fn what_next(folder: &Path, config: &Path) -> String {
    let data = folder.join("data");
    format!(
        "\nWhat is left to look at:\n  \
         config    {config}\n  \
         ledger    {ledger}\n  \
         lists     {lists}\n\n\
         Try next:\n  \
         sqlite3 -readonly -box {ledger} \"SELECT run, taken, synced, failed, ignored, deferred FROM run_history\"\n  \
         sqlite3 -readonly -box {ledger} \"SELECT name, cause, http_status FROM failed_requests\"\n  \
         cargo run --release --quiet -- --config {config} why --task photos 2026/11/harbour.jpg\n  \
         cargo run --release --example quickstart -- --keep",
        config = config.display(),
        ledger = data.join("ledger.sqlite").display(),
        lists = data.join("oms/sync_task/photos").display()
    )
}

fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}
