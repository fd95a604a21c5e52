//! Files with secrets that others may read.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::credentials::{CredentialsConfig, KeySource};
use super::{Config, TokenConfig, profile};

const READABLE_BY_GROUP: u32 = 0o040;
const READABLE_BY_ALL: u32 = 0o004;

/// One sentence for each file of `config` that holds a secret and is readable by others.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let files = config
        .tasks
        .iter()
        .flat_map(|task| [&task.source, &task.destination])
        .chain(
            config
                .backup
                .iter()
                .flat_map(|backup| &backup.bucket)
                .map(|bucket| &bucket.end),
        )
        .flat_map(|end| secret_files(&end.credentials, &config.path))
        .chain(
            config
                .ping
                .iter()
                .filter_map(|ping| file_of(ping.secret(), &config.path)),
        )
        .chain(config.serve.iter().flat_map(|serve| {
            let keys = serve.tls.iter().map(|tls| tls.key.clone());
            let secrets = serve.tokens.iter().flat_map(TokenConfig::secrets);
            keys.chain(secrets.filter_map(|source| file_of(source, &config.path)))
        }))
        .chain(
            config
                .mail
                .iter()
                .flat_map(|mail| &mail.login)
                .filter_map(|login| file_of(login.secret(), &config.path)),
        )
        .collect::<BTreeSet<PathBuf>>();
    let exposed = files.into_iter().filter(|path| is_exposed(path));
    exposed
        .map(|path| {
            let path = path.display();
            format!("{path} holds a secret and can be read by others; run chmod 600 on it")
        })
        .collect()
}

fn secret_files(credentials: &CredentialsConfig, config: &Path) -> Vec<PathBuf> {
    match credentials {
        CredentialsConfig::Profile(_) => profile::credentials_file(&|name| std::env::var_os(name))
            .into_iter()
            .collect(),
        CredentialsConfig::Process(_) => Vec::new(),
        CredentialsConfig::Keys(keys) => {
            let file = |source| file_of(source, config);
            keys.secrets().filter_map(file).collect()
        }
    }
}

fn file_of(source: &KeySource, config: &Path) -> Option<PathBuf> {
    match source {
        KeySource::Literal(_) => Some(config.to_owned()),
        KeySource::File(path) => Some(path.clone()),
        KeySource::Env(_) => None,
    }
}

/// A file that cannot be looked at is not warned of: reading it will say why.
fn is_exposed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| {
        // Root's files reach a service account through its group.
        let group_is_meant = file.uid() == 0;
        let group = if group_is_meant { 0 } else { READABLE_BY_GROUP };
        file.mode() & (READABLE_BY_ALL | group) != 0
    })
}
