//! What a task wants its copies to be written with.

use std::collections::BTreeMap;

/// What a storage class is called whose header is absent.
const STANDARD: &str = "STANDARD";

/// What copies are written with besides what travels with every object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// The storage class.
    pub storage_class: StorageClassRule,
    /// Whether the source's tags are put on the copy.
    pub copy_tags: bool,
    /// Whether the copy says which object of the source it was made of.
    pub stamp_source: bool,
}

impl WriteOptions {
    /// Whether the source object's headers must be known to tell what its copy is
    /// written with, even if the server copies all of them by itself.
    #[must_use]
    pub const fn rest_on_source(&self) -> bool {
        let by_class = matches!(
            self.storage_class,
            StorageClassRule::Same | StorageClassRule::Mapped(_)
        );
        by_class || self.copy_tags || self.stamp_source
    }
}

/// The storage class that a copy gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StorageClassRule {
    /// What the destination gives by itself.
    #[default]
    Unsaid,
    /// This one.
    Fixed(String),
    /// The source's.
    Same,
    /// By the source's; what the destination gives by itself for those not named.
    Mapped(BTreeMap<String, String>),
}

impl StorageClassRule {
    /// The class for the copy of an object of the class `source`, which servers
    /// leave out where it is `STANDARD`; `None`: the destination's own choice.
    ///
    /// | rule | source | copy |
    /// |--|--|--|
    /// | unsaid | any | – |
    /// | fixed | any | the fixed one |
    /// | same | absent | `STANDARD` |
    /// | same | any | the same |
    /// | mapped | named | what it is mapped to |
    /// | mapped | not named | – |
    #[must_use]
    pub fn class_for<'a>(&'a self, source: Option<&'a str>) -> Option<&'a str> {
        let source = source.unwrap_or(STANDARD);
        match self {
            Self::Unsaid => None,
            Self::Fixed(class) => Some(class),
            Self::Same => Some(source),
            Self::Mapped(classes) => classes.get(source).map(String::as_str),
        }
    }

    /// The classes that it is known to ask for, each once.
    #[must_use]
    pub fn known(&self) -> Vec<&str> {
        let mut classes: Vec<&str> = match self {
            Self::Unsaid | Self::Same => Vec::new(),
            Self::Fixed(class) => vec![class],
            Self::Mapped(classes) => classes.values().map(String::as_str).collect(),
        };
        classes.sort_unstable();
        classes.dedup();
        classes
    }
}

/// How the destination is to encrypt what is written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// With keys of the server's own.
    SseS3,
    /// With a key of its key management: this one, or the one that it takes by itself.
    SseKms(Option<String>),
}

impl Encryption {
    /// The word that asks for it, which the server answers with.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::SseS3 => "AES256",
            Self::SseKms(_) => "aws:kms",
        }
    }

    /// The headers that ask for it.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, &str)> {
        let mut headers = vec![("x-amz-server-side-encryption", self.algorithm())];
        if let Self::SseKms(Some(key_id)) = self {
            headers.push(("x-amz-server-side-encryption-aws-kms-key-id", key_id));
        }
        headers
    }
}

/// A tag of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value; may be empty.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_table_of_storage_classes() {
        let glacier = || BTreeMap::from([("GLACIER".to_owned(), "DEEP_ARCHIVE".to_owned())]);
        let standard = || BTreeMap::from([("STANDARD".to_owned(), "STANDARD_IA".to_owned())]);
        let fixed = || StorageClassRule::Fixed("ONEZONE_IA".to_owned());
        for (rule, source, copy) in [
            (StorageClassRule::Unsaid, Some("GLACIER"), None),
            (StorageClassRule::Unsaid, None, None),
            (fixed(), Some("GLACIER"), Some("ONEZONE_IA")),
            (fixed(), None, Some("ONEZONE_IA")),
            (StorageClassRule::Same, None, Some("STANDARD")),
            (StorageClassRule::Same, Some("OWN_1"), Some("OWN_1")),
            (
                StorageClassRule::Mapped(glacier()),
                Some("GLACIER"),
                Some("DEEP_ARCHIVE"),
            ),
            (StorageClassRule::Mapped(glacier()), None, None),
            (StorageClassRule::Mapped(glacier()), Some("OTHER"), None),
            (
                StorageClassRule::Mapped(standard()),
                None,
                Some("STANDARD_IA"),
            ),
        ] {
            assert_eq!(rule.class_for(source), copy, "{rule:?} {source:?}");
        }
    }
}
