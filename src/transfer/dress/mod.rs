//! What a copy is written with: the one place that says so, whichever way it goes.

mod lack;
#[cfg(test)]
mod tests;

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
