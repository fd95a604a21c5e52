//! What a copy is written with: the one place that says so, whichever way it goes.

use std::fmt;

use chrono::SecondsFormat;

use super::{Tally, Transfer, digest};
use crate::model::{
    CarriedHeaders, ETag, Encryption, Failure, FailureCause, ObjectFacts, Side, Tag, Timestamp,
    WriteOptions,
};
use crate::s3::{CopyHeaders, Head, TAGGING, tags_header};

/// How the user metadata of a stamp begins.
const STAMP: &str = "x-amz-meta-nightferry-source-";
/// User metadata that tells the tag of the object that a copy was made of.
const SOURCE_ETAG: &str = "x-amz-meta-nightferry-source-etag";
/// User metadata that tells when that object was last modified (RFC 3339, UTC).
const SOURCE_MODIFIED_AT: &str = "x-amz-meta-nightferry-source-modified-at";

/// The most tags that S3 keeps with an object, and the longest key and value, in
/// characters.
const MOST_TAGS: usize = 10;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// What a copy is written with, but for its encryption, which is the bucket's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dress {
    /// Headers and user metadata that travel, and the stamp; sorted by name.
    pub(super) metadata: CarriedHeaders,
    /// Storage class and tags.
    pub(super) attributes: CarriedHeaders,
    /// The tags.
    pub(super) tags: Vec<Tag>,
}

impl Dress {
    /// All of it.
    pub(super) fn all(&self) -> CarriedHeaders {
        let all = self.metadata.0.iter().chain(&self.attributes.0);
        CarriedHeaders(all.cloned().collect())
    }

    /// Stands for all of it and for the encryption: another one, another text.
    pub(super) fn mark(&self, encryption: Option<&Encryption>) -> String {
        let mut text = String::new();
        let encryption = encryption.map(Encryption::headers).unwrap_or_default();
        let all = self.all();
        let all = all.0.iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in all.chain(encryption) {
            // Neither can hold a line end.
            text.extend([name, ":", value, "\n"]);
        }
        digest::hex(&digest::md5(text.as_bytes()))
    }
}

/// Says what the copy of an object is written with, of which the source says
/// `head` and that it has `tags`.
///
/// | the task wants | written |
/// |--|--|
/// | anything | what travels: content type and its kin, user metadata |
/// | `stamp_source` | its tag and time as user metadata, in place of such metadata of its own |
/// | a storage class that the [rule](crate::model::StorageClassRule::class_for) gives | `x-amz-storage-class` |
/// | `copy_tags`, and it has tags | `x-amz-tagging` |
///
/// # Errors
/// `metadata_refused` if metadata or tags of it cannot be written; nothing is
/// left out in silence.
pub(super) fn dress(head: &Head, tags: &[Tag], options: &WriteOptions) -> Result<Dress, Failure> {
    let mut dress = beside(head.storage_class.as_deref(), tags, options)?;
    dress.metadata = head.carried()?.clone();
    if options.stamp_source {
        stamp(
            &mut dress.metadata,
            &head.facts.etag,
            head.facts.modified_at,
        );
    }
    Ok(dress)
}

/// What is written besides what travels.
fn beside(
    source_class: Option<&str>,
    tags: &[Tag],
    options: &WriteOptions,
) -> Result<Dress, Failure> {
    let mut attributes = Vec::new();
    let tags = if options.copy_tags { tags } else { &[] };
    if let Some(class) = options.storage_class.class_for(source_class) {
        attributes.push(("x-amz-storage-class".to_owned(), class.to_owned()));
    }
    if !tags.is_empty() {
        check_tags(tags)?;
        attributes.push((TAGGING.to_owned(), tags_header(tags)));
    }
    Ok(Dress {
        metadata: CarriedHeaders::default(),
        attributes: CarriedHeaders(attributes),
        tags: tags.to_vec(),
    })
}

fn seconds(at: Timestamp) -> String {
    at.utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn stamp(metadata: &mut CarriedHeaders, etag: &ETag, modified_at: Timestamp) {
    let CarriedHeaders(headers) = metadata;
    headers.retain(|(name, _)| name != SOURCE_ETAG && name != SOURCE_MODIFIED_AT);
    headers.push((SOURCE_ETAG.to_owned(), etag.as_str().to_owned()));
    headers.push((SOURCE_MODIFIED_AT.to_owned(), seconds(modified_at)));
    headers.sort_unstable();
}

/// Whether the tags are such as S3 keeps. What characters may stand in them,
/// servers see differently: that is left to the destination.
fn check_tags(tags: &[Tag]) -> Result<(), Failure> {
    let refused = |why: String| {
        let message = format!("the object's tags cannot be written: {why}");
        Err(Failure::new(FailureCause::MetadataRefused, message))
    };
    if tags.len() > MOST_TAGS {
        let count = tags.len();
        return refused(format!("there are {count}, and S3 keeps {MOST_TAGS}"));
    }
    for (place, Tag { key, value }) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > LONGEST_KEY {
            return refused(format!(
                "the key {key:?} has not 1 to {LONGEST_KEY} characters"
            ));
        }
        if value.chars().count() > LONGEST_VALUE {
            return refused(format!(
                "the value of {key:?} has more than {LONGEST_VALUE} characters"
            ));
        }
        if tags[..place].iter().any(|other| other.key == *key) {
            return refused(format!("the key {key:?} comes twice"));
        }
    }
    Ok(())
}

impl Transfer {
    /// What the copy of the object is written with, of which the source said `head`.
    ///
    /// # Errors
    /// As for [`dress`]; what remains of asking for its tags after all attempts.
    pub(super) fn dressed(&self, name: &str, head: &Head, tally: &Tally) -> Result<Dress, Failure> {
        let tags = self.source_tags(name, head, tally)?;
        dress(head, &tags, &self.write_options)
    }

    /// The tags of the object, if they are to be copied. They are asked for unless
    /// the source says that there are none: that it says nothing may mean that it
    /// never does, or that we may not read them.
    fn source_tags(&self, name: &str, head: &Head, tally: &Tally) -> Result<Vec<Tag>, Failure> {
        if !self.write_options.copy_tags || head.tag_count == Some(0) {
            return Ok(Vec::new());
        }
        let tags = self.attempts(tally, || self.source.tags(name))?;
        tags.ok_or_else(|| {
            let message = format!("{name:?} is not at the source any more");
            Failure::new(FailureCause::SourceChanged, message).at(Side::Source)
        })
    }

    /// What the copy of an object of the facts `planned` by the server itself is
    /// written with.
    pub(super) fn dressed_there(
        &self,
        name: &str,
        planned: &ObjectFacts,
        tally: &Tally,
    ) -> Result<DressedThere, Failure> {
        let options = &self.write_options;
        let dress = if options.rest_on_source() {
            let head = self.planned_head(name, planned, tally)?;
            self.dressed(name, &head, tally)?
        } else {
            beside(None, &[], options)?
        };
        let is_replaced = options.stamp_source;
        let headers = if is_replaced {
            dress.all()
        } else {
            dress.attributes.clone()
        };
        Ok(DressedThere {
            headers,
            is_replaced,
            dress,
        })
    }

    /// Whether the copy that the destination has of the object of the facts
    /// `planned`, whoever made it, is encrypted, tagged and stamped as is wanted.
    ///
    /// # Errors
    /// What remains of asking both ends after all attempts.
    pub fn is_dressed(
        &self,
        name: &str,
        planned: &ObjectFacts,
        tally: &Tally,
    ) -> Result<bool, Failure> {
        let DressedThere { dress, .. } = self.dressed_there(name, planned, tally)?;
        Ok(self.lacking(name, &dress, tally)?.is_none())
    }

    /// Sees that an object of parts has its `dress`. Tags that were forgotten when the
    /// upload was begun, as Ceph's radosgw 16 does, are put on it now.
    ///
    /// # Errors
    /// What remains after all attempts; `bad_request` if it lacks something for good.
    /// It has been removed then.
    pub(super) fn dress_of_parts(
        &self,
        name: &str,
        etag: &ETag,
        dress: &Dress,
        tally: &Tally,
    ) -> Result<(), Failure> {
        let mut lack = self.lacking(name, dress, tally)?;
        if lack == Some(Lack::Tags) {
            self.attempts(tally, || self.destination.put_tags(name, &dress.tags))?;
            // That they may not be seen says nothing against them.
            lack = None;
        }
        let Some(lack) = lack else { return Ok(()) };
        let message = format!("{name:?}, put together by the destination, lacks: {lack}");
        let mut failure = Failure::new(FailureCause::BadRequest, message).at(Side::Destination);
        self.remove_wrong_copy(name, etag, &mut failure);
        Err(failure)
    }

    /// What the copy at the destination lacks of its `dress`. There are servers that
    /// forget it when they copy by themselves, or put parts together.
    pub(super) fn lacking(
        &self,
        name: &str,
        dress: &Dress,
        tally: &Tally,
    ) -> Result<Option<Lack>, Failure> {
        let encryption = self.destination.encryption();
        if encryption.is_none() && dress.tags.is_empty() && !self.write_options.stamp_source {
            return Ok(None);
        }
        let Some(head) = self.attempts(tally, || self.destination.head(name))? else {
            return Ok(Some(Lack::Copy));
        };
        if let Some(wanted) = encryption.map(Encryption::algorithm)
            && !head
                .encryption
                .as_deref()
                .is_some_and(|said| said.starts_with(wanted))
        {
            return Ok(Some(Lack::Encryption(wanted)));
        }
        let is_stamp = |(name, _): &&(String, String)| name.starts_with(STAMP);
        if dress
            .metadata
            .0
            .iter()
            .filter(is_stamp)
            .any(|stamp| !head.headers.0.contains(stamp))
        {
            return Ok(Some(Lack::Stamp));
        }
        let tagged = match head.tag_count {
            Some(count) => count == dress.tags.len() as u64,
            None if dress.tags.is_empty() => true,
            // To see them takes a right that nothing else needs.
            None => self
                .attempts(tally, || self.destination.tags(name))
                .is_ok_and(|found| found.is_some_and(|found| found.len() == dress.tags.len())),
        };
        Ok((!tagged && self.write_options.copy_tags).then_some(Lack::Tags))
    }
}

/// What a copy lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// It is not there.
    Copy,
    /// It is not encrypted like this.
    Encryption(&'static str),
    /// Its stamp.
    Stamp,
    /// Its tags, unless they are there and may not be seen.
    Tags,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy => f.write_str("it is not there"),
            Self::Encryption(wanted) => write!(f, "it is not encrypted with {wanted}"),
            Self::Stamp => f.write_str("it is not stamped"),
            Self::Tags => f.write_str("its tags are not there, or may not be seen"),
        }
    }
}

/// What a copy by the server itself is written with.
pub(super) struct DressedThere {
    headers: CarriedHeaders,
    is_replaced: bool,
    pub(super) dress: Dress,
}

impl DressedThere {
    pub(super) const fn headers(&self) -> CopyHeaders<'_> {
        if self.is_replaced {
            CopyHeaders::Replaced(&self.headers)
        } else {
            CopyHeaders::Kept(&self.headers)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::StorageClassRule;

    fn head(headers: &[(&str, &str)], class: Option<&str>) -> Head {
        let carried = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Head {
            facts: ObjectFacts {
                etag: ETag::new("5e-2"),
                size_bytes: 1,
                modified_at: Timestamp::from_ms(1_775_001_600_000),
                md5_hex: None,
                checksums: Vec::new(),
            },
            headers: CarriedHeaders(carried.collect()),
            parts: None,
            not_carried: None,
            storage_class: class.map(str::to_owned),
            encryption: None,
            tag_count: None,
            request_id: None,
        }
    }

    fn tags(pairs: &[(&str, &str)]) -> Vec<Tag> {
        let tag = |(key, value): &(&str, &str)| Tag {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        pairs.iter().map(tag).collect()
    }

    fn lines(dress: &Dress) -> Vec<String> {
        let all = dress.all().0.into_iter();
        all.map(|(name, value)| format!("{name}: {value}"))
            .collect()
    }

    #[test]
    fn the_truth_table_of_what_is_written() {
        let plain = WriteOptions::default;
        let kind = ("content-type", "text/plain");
        let berth = ("x-amz-meta-berth", "7");
        let mapped = BTreeMap::from([("GLACIER".to_owned(), "DEEP_ARCHIVE".to_owned())]);
        let same = || WriteOptions {
            storage_class: StorageClassRule::Same,
            ..plain()
        };
        let tagged = || WriteOptions {
            copy_tags: true,
            ..plain()
        };
        let stamped = || WriteOptions {
            stamp_source: true,
            ..plain()
        };
        let stamps = [
            "x-amz-meta-nightferry-source-etag: 5e-2",
            "x-amz-meta-nightferry-source-modified-at: 2026-04-01T00:00:00Z",
        ];
        let one = || tags(&[("a b", "c&d")]);
        let class = |class| format!("x-amz-storage-class: {class}");
        let cases: [(&[(&str, &str)], _, _, _, Vec<String>); 10] = [
            (&[kind], Some("GLACIER"), one(), plain(), vec![]),
            (&[kind], None, one(), same(), vec![class("STANDARD")]),
            (&[kind], Some("OWN"), one(), same(), vec![class("OWN")]),
            (
                &[kind],
                Some("GLACIER"),
                one(),
                WriteOptions {
                    storage_class: StorageClassRule::Mapped(mapped.clone()),
                    ..plain()
                },
                vec![class("DEEP_ARCHIVE")],
            ),
            (
                &[kind],
                None,
                one(),
                WriteOptions {
                    storage_class: StorageClassRule::Mapped(mapped),
                    ..plain()
                },
                vec![],
            ),
            (
                &[kind],
                None,
                one(),
                tagged(),
                vec!["x-amz-tagging: a%20b=c%26d".to_owned()],
            ),
            (&[kind], None, tags(&[]), tagged(), vec![]),
            (
                &[kind, berth],
                None,
                one(),
                stamped(),
                stamps.map(str::to_owned).to_vec(),
            ),
            // It is itself a copy: the stamp wins.
            (
                &[
                    kind,
                    ("x-amz-meta-nightferry-source-etag", "old"),
                    ("x-amz-meta-nightferry-source-modified-at", "old"),
                ],
                None,
                one(),
                stamped(),
                stamps.map(str::to_owned).to_vec(),
            ),
            // Without the option it travels as any metadata does.
            (
                &[kind, ("x-amz-meta-nightferry-source-etag", "old")],
                None,
                one(),
                plain(),
                vec!["x-amz-meta-nightferry-source-etag: old".to_owned()],
            ),
        ];
        for (headers, class, tags, options, more) in cases {
            let dress = dress(&head(headers, class), &tags, &options).unwrap();
            let mut expected = vec!["content-type: text/plain".to_owned()];
            if headers.contains(&berth) {
                expected.push("x-amz-meta-berth: 7".to_owned());
            }
            expected.extend(more);
            assert_eq!(lines(&dress), expected, "{options:?} {class:?}");
        }
    }

    #[test]
    fn tags_that_s3_does_not_keep_are_refused_with_what_is_wrong() {
        let options = WriteOptions {
            copy_tags: true,
            ..WriteOptions::default()
        };
        let many: Vec<Tag> = (0..11)
            .flat_map(|n| tags(&[(&n.to_string(), "")]))
            .collect();
        let long = "ü".repeat(129);
        let longer = "ü".repeat(257);
        for (tags, why) in [
            (many.clone(), "there are 11, and S3 keeps 10"),
            (
                tags(&[("", "x")]),
                "the key \"\" has not 1 to 128 characters",
            ),
            (tags(&[(&long, "x")]), "has not 1 to 128 characters"),
            (
                tags(&[("k", &longer)]),
                "the value of \"k\" has more than 256 characters",
            ),
            (tags(&[("k", "1"), ("k", "2")]), "the key \"k\" comes twice"),
        ] {
            let failure = dress(&head(&[], None), &tags, &options).unwrap_err();
            assert_eq!(failure.cause, FailureCause::MetadataRefused);
            assert!(failure.message.ends_with(why), "{}", failure.message);
        }
        assert!(dress(&head(&[], None), &many[..10], &options).is_ok());
        // They are not looked at where they are not wanted.
        assert!(dress(&head(&[], None), &many, &WriteOptions::default()).is_ok());
    }

    #[test]
    fn the_mark_tells_apart_what_is_written() {
        let stamped = WriteOptions {
            stamp_source: true,
            ..WriteOptions::default()
        };
        let unstamped = WriteOptions::default();
        let dress = |headers: &[_], options| dress(&head(headers, None), &[], options).unwrap();
        let plain = dress(&[("expires", "0")], &unstamped);
        let kms = Encryption::SseKms(Some("k".to_owned()));
        let marks = [
            plain.mark(None),
            plain.mark(Some(&Encryption::SseS3)),
            plain.mark(Some(&Encryption::SseKms(None))),
            plain.mark(Some(&kms)),
            dress(&[("expires", "1")], &unstamped).mark(None),
            dress(&[("expires", "0")], &stamped).mark(None),
        ];
        for (place, mark) in marks.iter().enumerate() {
            assert_eq!(marks.iter().position(|other| other == mark), Some(place));
        }
        assert_eq!(plain.mark(None), plain.clone().mark(None));
    }
}
