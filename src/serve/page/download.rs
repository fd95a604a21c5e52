//! Files of a task's folder, sent as they are, to be kept and not shown.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path as FilePath;

use axum::body::Body;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

use super::address::in_address;
use super::error::PageError;
use super::file_body::FileBody;
use super::task_page::TaskPage;

/// The folder of lists that people and programs write: of these only what the
/// ledger has loaded is sent.
const RECEIVED: &str = "object_lists";

/// The folders of lists that runs write.
const WRITTEN: [&str; 5] = [
    "success_object_lists",
    "skip_object_lists",
    "failed_object_lists",
    "manifests",
    "journals",
];

const NO_FILE: PageError = PageError::NotThere(
    "There is no such list on this machine; it may have been moved away. Delivered ones are in the destination bucket.",
);

/// Sends a list.
pub(super) async fn send(
    shown: TaskPage,
    Path((_, path)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let parts = parts(&path).ok_or(NO_FILE)?;
    if parts.first() == Some(&RECEIVED) {
        let list = path.clone();
        let known = shown.read(move |ledger, task| match ledger.find_task(task)? {
            Some(task) => Ok(ledger.knows_list(task, &list)?),
            None => Ok(false),
        });
        if !known.await? {
            return Err(NO_FILE);
        }
    }
    let (folder, inside) = (shown.folder(), path.clone());
    let open = shown.in_turn(move || {
        open_beneath(&folder, &inside).map_err(|error| {
            tracing::debug!("a list was asked for and is not sent: {error}");
            NO_FILE
        })
    });
    let (file, bytes) = open.await?;
    let file_name = parts.last().copied().unwrap_or("list.txt");
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition(file_name)),
    ];
    Ok((headers, Body::new(FileBody::new(file, bytes))).into_response())
}

/// The parts of a path that may be asked for; `None` for any other:
///
/// | it | then |
/// |--|--|
/// | begins with a folder of lists, and names something in it | asked for |
/// | begins otherwise | not |
/// | has an empty part, one that begins with a dot, or a NUL | not |
fn parts(path: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = path.split('/').collect();
    let is_plain = |part: &&str| !part.is_empty() && !part.starts_with('.') && !part.contains('\0');
    let (first, rest) = parts.split_first()?;
    let is_known = *first == RECEIVED || WRITTEN.contains(first);
    (is_known && !rest.is_empty() && rest.iter().all(is_plain)).then_some(parts)
}

/// Opens the regular file at `path` under `folder`. No link is followed on the
/// way, and nothing is waited for, as a pipe would be.
fn open_beneath(folder: &FilePath, path: &str) -> io::Result<(File, u64)> {
    let each = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let mut here: OwnedFd = open(folder, each | OFlag::O_DIRECTORY, Mode::empty())?;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let flags = if parts.peek().is_some() {
            each | OFlag::O_DIRECTORY
        } else {
            each
        };
        here = openat(&here, part, flags, Mode::empty())?;
    }
    let file = File::from(here);
    let data = file.metadata()?;
    if data.is_file() {
        Ok((file, data.len()))
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// The name under which a browser keeps it, whatever is in it.
fn disposition(file_name: &str) -> String {
    format!("attachment; filename*=UTF-8''{}", in_address(file_name))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_paths_within_folders_of_lists_may_be_asked_for() {
        for path in [
            "object_lists/a.txt",
            "object_lists/2026/11/22/a b.url.txt",
            "success_object_lists/run/1.success_list.txt",
            "manifests/run.manifest.json",
            "failed_object_lists/creation_failures/1_2_3.failed_list.txt",
            "object_lists/a..b.txt",
        ] {
            assert!(parts(path).is_some(), "{path}");
        }
        for path in [
            "",
            "object_lists",
            "object_lists/",
            "object_lists//a.txt",
            "object_lists/../manifests/a",
            "object_lists/..",
            "object_lists/./a.txt",
            "object_lists/.hidden.txt",
            "../ledger.sqlite",
            "/etc/passwd",
            "ledger.sqlite",
            "other/a.txt",
            "object_lists/a\0.txt",
        ] {
            assert!(parts(path).is_none(), "{path}");
        }
    }

    #[test]
    fn no_link_is_followed_and_only_regular_files_are_opened() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("task");
        fs::create_dir_all(folder.join("object_lists/deep")).unwrap();
        fs::write(above.path().join("secret"), "secret").unwrap();
        fs::write(folder.join("object_lists/deep/a.txt"), "a\n").unwrap();
        symlink("../../secret", folder.join("object_lists/link.txt")).unwrap();
        symlink("../..", folder.join("object_lists/up")).unwrap();
        nix::unistd::mkfifo(&folder.join("object_lists/pipe.txt"), Mode::S_IRWXU).unwrap();
        let open = |path| open_beneath(&folder, path);
        assert_eq!(open("object_lists/deep/a.txt").unwrap().1, 2);
        for path in [
            "object_lists/link.txt",
            "object_lists/up/secret",
            "object_lists/pipe.txt",
            "object_lists/deep",
            "object_lists/none.txt",
        ] {
            assert!(open(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_file_name_cannot_end_its_header() {
        assert_eq!(
            disposition("a\"\r\nb;.txt"),
            "attachment; filename*=UTF-8''a%22%0D%0Ab%3B%2Etxt"
        );
    }
}
