//! Whether copies can be written with what the task wants: a server may refuse it,
//! or take it and forget it.

use super::{Check, Verdict, put_canary, tried};
use crate::model::{CarriedHeaders, Failure, FailureCause, Side, Tag, WriteOptions};
use crate::s3::{Bucket, Condition, Head, TAGGING, tags_header};

const ENCRYPTION: &str = "destination encryption";
const TAGS: &str = "destination tags";
const STORAGE_CLASS: &str = "destination class";

/// Sees, now that the canary is there, whether it is encrypted as is wanted, and
/// whether one with tags and one of each known storage class is taken.
pub(super) fn check(destination: &Bucket, canary: &str, options: &WriteOptions) -> Vec<Check> {
    let mut checks = Vec::new();
    if destination.encryption().is_some() {
        checks.push(Check::of(ENCRYPTION, check_encryption(destination, canary)));
    }
    if options.copy_tags {
        checks.push(check_tags(destination, canary));
    }
    for class in options.storage_class.known() {
        checks.push(check_class(destination, canary, class));
    }
    checks
}

/// Whether the source tells the tags of the object `first`, or of the canary,
/// which it does not have.
pub(super) fn check_source_tags(source: &Bucket, canary: &str, first: Option<&str>) -> Check {
    let asked = |name: &str| tried(|| source.tags(name));
    let told = match first.map_or_else(|| asked(canary), asked) {
        // One object may be closed to us and all others open.
        Err(failure) if failure.cause == FailureCause::SourceDenied && first.is_some() => {
            asked(canary).map_err(|_| failure)
        }
        told => told,
    };
    Check::of("source tags", told.map(|_| "tags can be read".to_owned()))
}

fn head(destination: &Bucket, canary: &str) -> Result<Head, Failure> {
    tried(|| destination.head(canary))?.ok_or_else(|| {
        let message = format!("the canary {canary} is not there any more");
        Failure::new(FailureCause::ServerError, message).at(Side::Destination)
    })
}

fn check_encryption(destination: &Bucket, canary: &str) -> Result<String, Failure> {
    let Some(wanted) = destination.encryption() else {
        return Ok("as the server does".to_owned());
    };
    let said = head(destination, canary)?.encryption;
    if said
        .as_deref()
        .is_some_and(|said| said.starts_with(wanted.algorithm()))
    {
        return Ok(format!("encrypts with {}", wanted.algorithm()));
    }
    let said = said.map_or_else(|| "nothing".to_owned(), |said| format!("{said:?}"));
    let message = format!(
        "it took the canary, which it was to encrypt with {}, and says of its encryption {said}; \
         have it encrypt, or take `encryption` out",
        wanted.algorithm()
    );
    Err(forgotten(message))
}

fn check_tags(destination: &Bucket, canary: &str) -> Check {
    let tag = Tag {
        key: "nightferry".to_owned(),
        value: "canary".to_owned(),
    };
    let header = (TAGGING, tags_header(std::slice::from_ref(&tag)));
    if let Err(mut failure) = put_with(destination, canary, header) {
        failure.message.push_str(
            "; without tags it took the canary: `copy_tags` needs the right s3:PutObjectTagging",
        );
        return Check::of(TAGS, Err(failure));
    }
    // To see them takes a right that no run needs.
    let counted = tried(|| destination.head(canary)).ok().flatten();
    let kept = match counted.and_then(|head| head.tag_count) {
        Some(count) => Ok(count == 1),
        None => tried(|| destination.tags(canary)).map(|found| found == Some(vec![tag])),
    };
    match kept {
        Ok(true) => Check::of(TAGS, Ok("tags can be written".to_owned())),
        Err(failure) if failure.cause == FailureCause::DestinationDenied => Check {
            subject: TAGS,
            verdict: Verdict::Note(
                "tags are taken; whether they are kept may not be seen".to_owned(),
            ),
        },
        Err(failure) => Check::of(TAGS, Err(failure)),
        Ok(false) => {
            let message = "it took the canary with a tag and does not keep it; have it keep tags, \
                           or take `copy_tags` out";
            Check::of(TAGS, Err(forgotten(message.to_owned())))
        }
    }
}

fn check_class(destination: &Bucket, canary: &str, class: &str) -> Check {
    let header = ("x-amz-storage-class", class.to_owned());
    let shown = put_with(destination, canary, header).and_then(|()| head(destination, canary));
    match shown.map(|head| head.storage_class.unwrap_or_else(|| "STANDARD".to_owned())) {
        Ok(shown) if shown == class => Check::of(STORAGE_CLASS, Ok(format!("keeps {class}"))),
        Ok(shown) => Check {
            subject: STORAGE_CLASS,
            verdict: Verdict::Note(format!(
                "what it was to keep in {class} it keeps in {shown}"
            )),
        },
        Err(failure) => Check::of(STORAGE_CLASS, Err(failure)),
    }
}

fn put_with(
    destination: &Bucket,
    canary: &str,
    (name, value): (&str, String),
) -> Result<(), Failure> {
    let headers = CarriedHeaders(vec![(name.to_owned(), value)]);
    tried(|| put_canary(destination, canary, Condition::Anything, None, &headers)).map(drop)
}

fn forgotten(message: String) -> Failure {
    Failure::new(FailureCause::BadRequest, message).at(Side::Destination)
}
