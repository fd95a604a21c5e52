//! `[[serve.token]]`: who may call, how they prove it, and what they may do.

use std::path::Path;

use toml::de::DeValue;

use super::super::KeySource;
use super::super::credentials::{self, KeysConfig};
use super::super::error::CredentialsError;
use super::super::section::{Mistakes, Section};
use super::super::task::TaskConfig;
use crate::model::TaskId;
use crate::secret::AccessKeys;

/// One who may call.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// Its name in messages; unique.
    pub id: String,
    /// How it proves that it is the one.
    pub proof: Proof,
    /// The tasks for which it may send names.
    pub send: SendTo,
    /// Whether it may read figures.
    pub read: bool,
    /// Whether it may start and stop tasks.
    pub control: bool,
}

/// How a caller proves who it is.
#[derive(Debug, Clone)]
pub enum Proof {
    /// By a token that has this SHA-256. The token itself is nowhere kept.
    Token([u8; 32]),
    /// By requests signed with these keys.
    Keys(KeysConfig),
}

/// The tasks for which a caller may send names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendTo {
    /// All of them.
    All,
    /// These; none if it is empty.
    Only(Vec<TaskId>),
}

impl SendTo {
    /// Whether `task` is among them.
    #[must_use]
    pub fn includes(&self, task: &TaskId) -> bool {
        match self {
            Self::All => true,
            Self::Only(tasks) => tasks.contains(task),
        }
    }
}

impl TokenConfig {
    /// Fetches its keys, if it has any.
    ///
    /// # Errors
    /// If a variable or file that is to hold one does not.
    pub fn resolve_keys(&self) -> Result<Option<AccessKeys>, CredentialsError> {
        match &self.proof {
            Proof::Token(_) => Ok(None),
            Proof::Keys(keys) => keys.resolve(&|name| std::env::var_os(name)).map(Some),
        }
    }

    /// The places of its secrets.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &KeySource> {
        let keys = match &self.proof {
            Proof::Token(_) => None,
            Proof::Keys(keys) => Some(keys),
        };
        keys.into_iter().flat_map(KeysConfig::secrets)
    }
}

/// Reads all tokens that can be read.
pub(super) fn read_all<'t>(
    serve: &mut Section<'t>,
    mistakes: &'t Mistakes<'t>,
    tasks: &[TaskConfig],
    folder: &Path,
) -> Vec<TokenConfig> {
    let list = serve.value("token").and_then(|value| {
        let array = value.get_ref().as_array()?;
        Some(array.iter().as_slice())
    });
    let Some(tables @ [_, ..]) = list else {
        serve.mistake(
            "token",
            "is missing, so nobody could call; write a section [[serve.token]] for each caller, \
             `nightferry token` makes one",
        );
        return Vec::new();
    };
    let mut tokens = Vec::new();
    let mut ids = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let label = format!("serve.token {}", index + 1);
        let at = table.span().start;
        let Some(entries) = table.get_ref().as_table() else {
            mistakes.add(at, label, "is no section; write [[serve.token]]");
            continue;
        };
        let section = Section::new(mistakes, format!("{label}, "), entries, at);
        tokens.extend(read(section, &mut ids, tasks, folder));
    }
    tokens
}

fn read(
    mut section: Section<'_>,
    earlier: &mut Vec<String>,
    tasks: &[TaskConfig],
    folder: &Path,
) -> Option<TokenConfig> {
    section.require("id", "\"…\"");
    let id = section.string("id").map(str::to_owned);
    if let Some(id) = &id {
        if earlier.contains(id) {
            section.mistake("id", "is the id of an earlier token too; write another");
        }
        earlier.push(id.clone());
    }
    let proof = proof(&mut section, folder);
    let send = send(&mut section, tasks);
    let read = section.boolean("read").unwrap_or(false);
    let control = section.boolean("control").unwrap_or(false);
    if send == Some(SendTo::Only(Vec::new())) && !read && !control {
        section.mistake(
            "send",
            "is missing, and so are read and control, so the token is for nothing; write send = [\"a task\"], send = \"all\", read = true or control = true",
        );
    }
    section.finish();
    Some(TokenConfig {
        id: id?,
        proof: proof?,
        send: send?,
        read,
        control,
    })
}

fn proof(section: &mut Section<'_>, folder: &Path) -> Option<Proof> {
    let has_keys = section.has("access_key_id") || section.has("secret_access_key");
    match (section.has("sha256"), has_keys) {
        (true, true) => {
            section.mistake("sha256", "stands beside keys; write either a token's sha256, or access_key_id and secret_access_key");
        }
        (false, false) => {
            section.mistake("sha256", "is missing; write the SHA-256 of a token (`nightferry token` makes one), or access_key_id and secret_access_key");
        }
        _ => {}
    }
    // Both are read in any case, so that their keys are known ones.
    let hash = section.parsed("sha256", hash).map(Proof::Token);
    let keys = if has_keys {
        credentials::read_keys(section, folder).map(Proof::Keys)
    } else {
        for key in ["access_key_id", "secret_access_key"] {
            section.value(key);
        }
        None
    };
    hash.or(keys)
}

/// The message repeats nothing: it may be the token itself.
fn hash(text: &str) -> Result<[u8; 32], &'static str> {
    let mut hash = [0; 32];
    match base16ct::mixed::decode(text, &mut hash).map(<[u8]>::len) {
        Ok(32) => Ok(hash),
        _ => {
            Err("is no SHA-256; write its 64 hexadecimal digits, as `nightferry token` prints them")
        }
    }
}

/// The tasks for which it may send; `None` if what stands there is wrong, and said.
fn send(section: &mut Section<'_>, tasks: &[TaskConfig]) -> Option<SendTo> {
    let Some(value) = section.value("send") else {
        return Some(SendTo::Only(Vec::new()));
    };
    let list = match value.get_ref() {
        DeValue::String(word) if word == "all" => return Some(SendTo::All),
        DeValue::Array(list) => list.iter().as_slice(),
        _ => {
            section.mistake(
                "send",
                "is neither \"all\" nor a list of tasks; write send = [\"a task\"]",
            );
            return None;
        }
    };
    let mut known = Vec::new();
    for name in list {
        let named = name.get_ref().as_str();
        match tasks.iter().find(|task| Some(task.id.as_str()) == named) {
            Some(task) => known.push(task.id.clone()),
            None => section.mistake(
                "send",
                format_args!(
                    "{} is no task of this configuration; write the id of one",
                    named.map_or_else(|| "one of them".to_owned(), |name| format!("{name:?}"))
                ),
            ),
        }
    }
    (known.len() == list.len()).then_some(SendTo::Only(known))
}
