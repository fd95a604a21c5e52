//! What copies lack that a server made by itself, or put together: some forget what they
//! do not know, and say nothing.

use std::fmt;

use super::{Dress, DressedThere, STAMP};
use crate::model::{ETag, Encryption, Failure, FailureCause, ObjectFacts, Side};
use crate::transfer::{Tally, Transfer};

/// What a copy lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transfer) enum Lack {
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

impl Transfer {
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
    pub(in crate::transfer) fn dress_of_parts(
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
    pub(in crate::transfer) fn lacking(
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
