//! The closed word lists of the contract, section 1: the same words stand in
//! Rust, in the ledger's `CHECK`s, in the lists and in JSON.

use std::fmt;
use std::str::FromStr;

use super::facts::ChecksumAlgorithm;

/// A text that is no word of the closed list it was read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {list}; it is one of: {known}")]
pub struct UnknownWord {
    word: String,
    list: &'static str,
    known: String,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident ($list:literal) {
        $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// Every word of the list, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in the ledger, in lists and in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| {
                    UnknownWord {
                        word: word.to_owned(),
                        list: $list,
                        known: Self::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>().join(", "),
                    }
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                word.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

words! {
    /// One end of a task.
    Side ("side") {
        /// Where objects are read.
        Source = "source",
        /// Where objects are written.
        Destination = "destination",
    }
}

words! {
    /// What can be changed of a run that is at work.
    Setting ("setting") {
        /// Objects and parts in flight at once.
        Workers = "workers",
        /// Bytes read from the source each second.
        Bandwidth = "bandwidth",
        /// When nothing new begins any more.
        Until = "until",
    }
}

words! {
    /// Where a request stands now.
    RequestState ("request state") {
        /// Without an outcome.
        Pending = "pending",
        /// Copied.
        Synced = "synced",
        /// Not copied, for a cause.
        Failed = "failed",
        /// Not copied, for a reason that is no fault.
        Ignored = "ignored",
    }
}

words! {
    /// Why an object could not be copied, or why a run could not begin.
    FailureCause ("failure cause") {
        /// The source does not have the name.
        SourceMissing = "source_missing",
        /// The source refused to show or give the object.
        SourceDenied = "source_denied",
        /// The object lies in an archive class and must be restored first.
        SourceArchived = "source_archived",
        /// The object was changed while it was read.
        SourceChanged = "source_changed",
        /// The destination refused the write.
        DestinationDenied = "destination_denied",
        /// The destination has no room, or a quota is used up.
        DestinationFull = "destination_full",
        /// A server asked for a slower pace (503 `SlowDown`, 429).
        Throttled = "throttled",
        /// A server failed (5xx).
        ServerError = "server_error",
        /// The connection could not be made or broke.
        Network = "network",
        /// An answer did not come in time.
        Timeout = "timeout",
        /// The bytes that arrived are not the bytes that were sent.
        Integrity = "integrity",
        /// Headers or metadata cannot be signed, or the destination refuses them.
        MetadataRefused = "metadata_refused",
        /// Larger than the destination takes.
        TooLarge = "too_large",
        /// A server calls the request wrong, and none of the above fits.
        BadRequest = "bad_request",
        /// A fault of Nightferry itself.
        Internal = "internal",
        /// The access key is unknown, or the secret is wrong.
        CredentialsRefused = "credentials_refused",
        /// The account is frozen, in arrears or disabled.
        AccountBlocked = "account_blocked",
        /// The bucket is not there.
        BucketMissing = "bucket_missing",
        /// Nothing answers at the endpoint.
        EndpointUnreachable = "endpoint_unreachable",
        /// The credentials lack a permission that every run needs.
        PermissionMissing = "permission_missing",
        /// This machine's clock and the server's differ too far to sign requests.
        ClockSkew = "clock_skew",
    }
}

words! {
    /// Why a request was settled without a copy.
    IgnoreReason ("ignore reason") {
        /// Same size, and the destination's is later.
        NewerAtDestination = "newer_at_destination",
        /// The destination still holds our own copy of this very source object.
        AlreadyCopied = "already_copied",
        /// Comparable checksums are equal.
        SameChecksum = "same_checksum",
        /// The name is there, and the task never overwrites.
        Exists = "exists",
        /// A further request for a name that the same run has settled.
        Duplicate = "duplicate",
        /// The task does not take it: its patterns, sizes or age leave it out.
        Excluded = "excluded",
        /// An operator took the request back.
        Withdrawn = "withdrawn",
    }
}

words! {
    /// Why taken requests were still pending when their run ended.
    Deferral ("deferral") {
        /// The time was up.
        WindowEnded = "window_ended",
        /// The run was stopped, by a signal or by its own end.
        Stopped = "stopped",
        /// The limit on requests was reached.
        Limit = "limit",
        /// One side went on refusing or failing.
        BreakerOpen = "breaker_open",
        /// The run could not begin.
        CouldNotBegin = "could_not_begin",
        /// The source is bringing the object back from its archive.
        AwaitingRestore = "awaiting_restore",
    }
}

words! {
    /// How soon an archive gives an object back, by S3's own names.
    RestoreTier ("restore tier") {
        /// Within hours.
        Standard = "Standard",
        /// Within half a day to two days, the cheapest.
        Bulk = "Bulk",
        /// Within minutes, the dearest; not from every class, nor at every time.
        Expedited = "Expedited",
    }
}

words! {
    /// Why a line of a list cannot be a request.
    RejectReason ("reason for a rejected line") {
        /// The line, or what it decodes to, is not UTF-8.
        NotUtf8 = "not_utf8",
        /// Over 1,024 bytes once decoded.
        TooLong = "too_long",
        /// A `%` without two hexadecimal digits.
        BadPercentEncoding = "bad_percent_encoding",
        /// No name at all.
        EmptyName = "empty_name",
        /// A NUL byte.
        Nul = "nul",
        /// A `.` or `..` between slashes.
        DotSegment = "dot_segment",
        /// A destination name under `oms/sync_task/`.
        ReservedPrefix = "reserved_prefix",
    }
}

words! {
    /// Where a run stands.
    RunState ("run state") {
        /// At work.
        Running = "running",
        /// Its process ended before the run did.
        Interrupted = "interrupted",
        /// Ended by itself.
        Ended = "ended",
    }
}

words! {
    /// How a copy was proven to be the source's bytes.
    Verified ("kind of proof") {
        /// The MD5 of the bytes sent equals the destination's `ETag`; of what a
        /// server copied by itself, the `ETag` of the source does.
        EtagMd5 = "etag_md5",
        /// The destination checked the Content-MD5 that was sent along.
        ContentMd5 = "content_md5",
        /// The destination echoed the CRC32C that was sent along; of what a server
        /// copied by itself, it states the source's.
        Crc32c = "crc32c",
        /// The destination echoed the CRC64NVME that was sent along; of what a server
        /// copied by itself, it states the source's.
        Crc64nvme = "crc64nvme",
        /// The destination echoed the SHA-256 that was sent along; of what a server
        /// copied by itself, it states the source's.
        Sha256 = "sha256",
        /// Only the length could be compared.
        SizeOnly = "size_only",
    }
}

words! {
    /// What a check finds.
    FindingKind ("finding") {
        /// The destination has no copy any more.
        Gone = "gone",
        /// It has another object in place of the copy.
        Changed = "changed",
        /// The copy is there, and the source has another version than it was made of.
        NewerAtSource = "newer_at_source",
        /// The destination has an object that the ledger knows nothing of.
        Foreign = "foreign",
    }
}

words! {
    /// What a comparison of both ends, byte by byte, came to.
    Comparison ("comparison") {
        /// The same bytes.
        Same = "same",
        /// Other bytes, of a source that is the one that was recorded.
        Differs = "differs",
        /// The destination does not have it any more.
        Gone = "gone",
        /// The source has another object now, so nothing can be said of the copy.
        SourceChanged = "source_changed",
        /// The source does not have it any more, likewise.
        SourceGone = "source_gone",
        /// One end did not let it be read.
        Unreadable = "unreadable",
    }
}

impl Comparison {
    /// Whether the destination does not hold what it should.
    #[must_use]
    pub const fn is_drift(self) -> bool {
        matches!(self, Self::Differs | Self::Gone)
    }

    /// Whether anything could be said of the copy.
    #[must_use]
    pub const fn is_verdict(self) -> bool {
        self.is_drift() || matches!(self, Self::Same)
    }
}

words! {
    /// In what an object differs from the copy that the ledger recorded.
    Differs ("difference") {
        /// In its size alone.
        Size = "size",
        /// In its entity tag alone: other bytes of the same length, as a rule.
        Etag = "etag",
        /// In both.
        SizeAndEtag = "size_and_etag",
    }
}

words! {
    /// What a spot check looks at.
    Sampled ("kind of sample") {
        /// Copies that runs have made.
        Copy = "copy",
        /// Objects that runs have left alone.
        Ignored = "ignored",
    }
}

words! {
    /// When a name that the destination has already is copied again.
    OverwriteMode ("overwrite mode") {
        /// By size, by our own last copy, then by modification time.
        SizeLastModified = "size_last_modified",
        /// Never.
        Never = "never",
        /// Always.
        Always = "always",
        /// By comparable checksums, else as `size_last_modified`.
        Checksum = "checksum",
    }
}

words! {
    /// By what a task wants its copies to be proven.
    ChecksumMode ("kind of checksum") {
        /// The cheapest that both ends can prove.
        Auto = "auto",
        /// MD5, of what goes in parts of the whole too.
        Md5 = "md5",
        /// CRC-64/NVME where the destination checks it, else MD5.
        Crc64nvme = "crc64nvme",
        /// CRC-32C where the destination checks it, else MD5.
        Crc32c = "crc32c",
        /// SHA-256 where the destination checks it, else MD5.
        Sha256 = "sha256",
    }
}

impl ChecksumMode {
    /// The checksums that may take the place of MD5, the cheapest first.
    #[must_use]
    pub const fn candidates(self) -> &'static [ChecksumAlgorithm] {
        match self {
            Self::Auto => &[
                ChecksumAlgorithm::Crc64nvme,
                ChecksumAlgorithm::Crc32c,
                ChecksumAlgorithm::Sha256,
            ],
            Self::Md5 => &[],
            Self::Crc64nvme => &[ChecksumAlgorithm::Crc64nvme],
            Self::Crc32c => &[ChecksumAlgorithm::Crc32c],
            Self::Sha256 => &[ChecksumAlgorithm::Sha256],
        }
    }
}

impl FailureCause {
    /// Whether another night cannot help: final at once, never carried over.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::SourceMissing
                | Self::SourceArchived
                | Self::MetadataRefused
                | Self::TooLarge
                | Self::BadRequest
        )
    }

    /// Whether the same run tries the object again.
    #[must_use]
    pub const fn is_retried_within_run(self) -> bool {
        matches!(
            self,
            Self::Throttled
                | Self::ServerError
                | Self::Network
                | Self::Timeout
                | Self::Integrity
                | Self::SourceChanged
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for &cause in FailureCause::ALL {
            assert_eq!(cause.as_str().parse(), Ok(cause));
        }
    }

    #[test]
    fn an_unknown_word_is_named_with_the_known_ones() {
        let error = "nope".parse::<OverwriteMode>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`nope` is no overwrite mode; it is one of: size_last_modified, never, always, checksum"
        );
    }
}
