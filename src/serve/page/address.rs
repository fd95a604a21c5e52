//! Where things are on the page.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::TaskId;

/// `text` as a part of an address.
pub(super) fn in_address(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The address of what is about `task`; a task's id needs no escape.
pub(super) fn of_task(task: &TaskId) -> String {
    format!("/tasks/{task}")
}

/// The address of an object's history.
pub(super) fn of_object(task: &TaskId, name: &str) -> String {
    format!("/tasks/{task}/objects?name={}", in_address(name))
}

/// The address of rejected lines: of all, or of the list with this key.
pub(super) fn of_rejected(task: &TaskId, list: Option<i64>) -> String {
    let list = list.map_or_else(String::new, |list| format!("?list={list}"));
    format!("/tasks/{task}/rejected{list}")
}

/// The address of a file of the task's folder.
pub(super) fn of_file(task: &TaskId, path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(in_address).collect();
    format!("/tasks/{task}/files/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_whole_name_and_nothing_else() {
        let task = "photos".parse().unwrap();
        assert_eq!(
            of_object(&task, "a&b=c#d\n\"<"),
            "/tasks/photos/objects?name=a%26b%3Dc%23d%0A%22%3C"
        );
        assert_eq!(
            of_file(&task, "object_lists/a b?.txt"),
            "/tasks/photos/files/object%5Flists/a%20b%3F%2Etxt"
        );
    }
}
