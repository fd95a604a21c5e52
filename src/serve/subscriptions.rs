//! Subscriptions of Amazon SNS that are to be confirmed.
//!
//! The address that confirms one holds a token: it is written where the owner of
//! the data directory alone reads it, and said nowhere. It is not called from
//! here: whoever may send could otherwise have this machine call what they like.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use url::{Host, Url};

use crate::model::TaskId;
use crate::secret::Secret;

/// Subscriptions that wait at one time; more are none that somebody has made.
const MOST: usize = 100;

/// A subscription that is to be confirmed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Confirmation {
    topic: String,
    url: Secret,
}

impl Confirmation {
    /// The subscription to `topic` that `url` confirms; `None` if that is no
    /// address of Amazon's for it.
    pub(super) fn new(topic: &str, url: &str) -> Option<Self> {
        let url: Url = url.parse().ok()?;
        let is_plain = url.scheme() == "https"
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/";
        let Some(Host::Domain(host)) = url.host() else {
            return None;
        };
        let region = host.strip_prefix("sns.").and_then(|host| {
            host.strip_suffix(".amazonaws.com")
                .or_else(|| host.strip_suffix(".amazonaws.com.cn"))
        })?;
        let says = |name: &str, value: &str| {
            let mut values = url.query_pairs().filter(|(known, _)| known == name);
            values.next().is_some_and(|(_, said)| said == value) && values.next().is_none()
        };
        let is_its = !region.is_empty()
            && !region.contains('.')
            && says("Action", "ConfirmSubscription")
            && says("TopicArn", topic);
        (is_plain && is_its).then(|| Self {
            topic: topic.to_owned(),
            url: Secret::new(url.into()),
        })
    }

    /// The topic's name.
    pub(super) fn topic(&self) -> &str {
        &self.topic
    }
}

/// Where addresses wait.
pub(super) struct Subscriptions {
    folder: PathBuf,
}

impl Subscriptions {
    /// In `folder`, which is made when it is needed.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps the address that confirms that a topic may send for `task`; answers
    /// the file whose last line it is. A later one of the same topic follows it.
    pub(super) fn keep(&self, task: &TaskId, asked: &Confirmation) -> io::Result<PathBuf> {
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let place = self.place(task, &asked.topic);
        if !place.exists() && fs::read_dir(&self.folder)?.count() >= MOST {
            return Err(io::Error::other(format!(
                "{MOST} subscriptions wait in {}; take those away that nobody wants",
                self.folder.display()
            )));
        }
        // For its owner alone, also where a group reads the data directory.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        write!(
            file,
            "# Amazon SNS asks whether the topic {} may send for the task {task}.\n\
             # Who opens this address says yes; within three days, and nobody else should know it:\n\
             {}\n",
            asked.topic.escape_default(),
            asked.url.reveal()
        )?;
        file.as_file().sync_all()?;
        file.persist(&place).map_err(|error| error.error)?;
        Ok(place)
    }

    /// The topic has been confirmed, since it sends.
    pub(super) fn forget(&self, task: &TaskId, topic: &str) {
        // Mostly there is none.
        drop(fs::remove_file(self.place(task, topic)));
    }

    fn place(&self, task: &TaskId, topic: &str) -> PathBuf {
        let hash = base16ct::lower::encode_string(&Sha256::digest(topic));
        self.folder.join(format!("{task}.{}.txt", &hash[..16]))
    }
}

/// What the operator is told of `asked`, which waits in `file`.
pub(super) fn to_be_confirmed(task: &TaskId, asked: &Confirmation, file: &Path) -> String {
    format!(
        "{task}: Amazon SNS asks whether its topic {} may send; if so, say it within three days \
         as the user who runs serve: curl -fsS \"$(tail -n 1 '{}')\"",
        crate::intake::excerpt(asked.topic().as_bytes()),
        file.display()
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:photos";

    fn address(host: &str) -> String {
        format!("https://{host}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f")
    }

    #[test]
    fn only_an_address_of_amazon_for_this_topic_is_one_to_be_opened() {
        for host in [
            "sns.eu-west-1.amazonaws.com",
            "sns.cn-north-1.amazonaws.com.cn",
        ] {
            assert!(Confirmation::new(TOPIC, &address(host)).is_some(), "{host}");
        }
        let good = address("sns.eu-west-1.amazonaws.com");
        for url in [
            address("sns.amazonaws.com"),
            address("sns..amazonaws.com"),
            address("sns.eu-west-1.amazonaws.com.evil.example"),
            address("evil.example.sns.eu-west-1.amazonaws.com"),
            address("sns.evil.example#.amazonaws.com"),
            address("sns.a.b.amazonaws.com"),
            address("169.254.169.254"),
            address("sns.eu-west-1.amazonaws.com:8443"),
            address("me:pw@sns.eu-west-1.amazonaws.com"),
            good.replace("https", "http"),
            good.replace("/?", "/x?"),
            good.replace("ConfirmSubscription", "Unsubscribe"),
            good.clone() + "&Action=Unsubscribe",
            good.replace("photos", "films"),
            String::new(),
        ] {
            assert_eq!(Confirmation::new(TOPIC, &url), None, "{url}");
        }
    }

    #[test]
    fn an_address_waits_where_its_owner_alone_reads_it_until_the_topic_sends() {
        let above = tempfile::tempdir().unwrap();
        let waiting = Subscriptions::new(above.path().join("sns"));
        let task = "photos".parse().unwrap();
        let url = address("sns.eu-west-1.amazonaws.com");
        let asked = Confirmation::new(TOPIC, &url).unwrap();
        waiting.forget(&task, TOPIC);
        let file = waiting.keep(&task, &asked).unwrap();
        assert_eq!(waiting.keep(&task, &asked).unwrap(), file);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().last(), Some(url.as_str()));
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o7777,
            0o600
        );
        let said = to_be_confirmed(&task, &asked, &file);
        assert!(said.contains(file.to_str().unwrap()), "{said}");
        assert!(!format!("{said} {asked:?}").contains("2336412f"));
        waiting.forget(&task, TOPIC);
        assert!(!file.exists());
    }

    #[test]
    fn no_more_wait_than_somebody_can_have_made() {
        let above = tempfile::tempdir().unwrap();
        let waiting = Subscriptions::new(above.path().join("sns"));
        let task = "photos".parse().unwrap();
        let keep = |n: usize| {
            let topic = format!("{TOPIC}-{n}");
            let url = address("sns.eu-west-1.amazonaws.com").replace(TOPIC, &topic);
            waiting.keep(&task, &Confirmation::new(&topic, &url).unwrap())
        };
        for n in 0..MOST {
            keep(n).unwrap();
        }
        keep(0).unwrap();
        assert!(
            keep(MOST)
                .unwrap_err()
                .to_string()
                .contains("100 subscriptions wait")
        );
    }
}
