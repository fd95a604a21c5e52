//! Objects above 5 GiB: their parts are copied by the server. Whatever it
//! refuses of one is streamed through here, so that the upload goes on.

use super::{Refusal, ServerSide};
use crate::model::{ArrivedPart, ETag, Failure, Verified};
use crate::s3::CopySource;
use crate::transfer::resume::Cut;
use crate::transfer::{PartPlan, PartsCopy, Tally, digest};

impl ServerSide {
    /// How the object of `plan` is cut for the server to copy its parts; `None`
    /// if it is not asked to. `at_source`: the size in bytes and the number of
    /// the source's own parts; cut like that the copy gets the source's tag.
    pub(in crate::transfer) fn cut(
        &self,
        plan: &PartPlan,
        at_source: Option<(u64, u64)>,
    ) -> Option<Cut> {
        if plan.size_bytes <= self.whole_up_to_bytes || !self.parts.is_open() {
            return None;
        }
        let as_at_source =
            at_source.and_then(|(part_bytes, parts)| plan.in_parts_of(part_bytes, Some(parts)));
        let part_bytes = self.part_bytes.max(plan.part_bytes);
        Some(Cut {
            as_at_source: as_at_source.is_some(),
            plan: as_at_source.or_else(|| plan.in_parts_of(part_bytes, None))?,
            server_side: true,
        })
    }
}

impl PartsCopy {
    /// Has the server copy the part `index`; `None` if it is to be read and
    /// written instead. The part's MD5 is the server's word for it.
    pub(in crate::transfer) fn copy_part_server_side(
        &self,
        index: u32,
        tally: &Tally,
    ) -> Result<Option<ArrivedPart>, Failure> {
        let way = &self.transfer.server_side.parts;
        if !self.server_side || !way.is_open() {
            return Ok(None);
        }
        let (first, length) = self.plan.range(index);
        let source = CopySource {
            bucket: &self.transfer.source,
            name: &self.name,
            if_match: &self.source.etag,
            size_bytes: length,
        };
        let copied = self.transfer.attempts(tally, || {
            let (part, range) = ((&self.upload_id, index + 1), (first, first + length - 1));
            let destination = &self.transfer.destination;
            destination.copy_part_from(&self.name, part, source, range)
        });
        let answer = match copied {
            Ok(answer) => answer,
            Err(failure) => match Refusal::of(&failure) {
                Refusal::Fails => return Err(failure),
                // Reading it tells whether the source has changed.
                Refusal::Stale => return Ok(None),
                Refusal::OtherWay => {
                    way.refused(&failure.message);
                    return Ok(None);
                }
            },
        };
        let Some(md5) = answer.md5_hex.as_deref().and_then(digest::from_hex) else {
            way.close("the tag of a part that it copied is no MD5");
            return Ok(None);
        };
        way.worked();
        Ok(Some(ArrivedPart {
            number: index + 1,
            etag: answer.etag,
            md5: Some(md5),
            crc: None,
            whole_md5: None,
            verified: Verified::SizeOnly,
        }))
    }

    /// What proves the whole of the tag `etag`, whose parts the server copied.
    /// `made_of_parts`: whether the tag is the one that they make.
    ///
    /// # Errors
    /// `integrity` if the whole is not the source's object; it has been removed.
    pub(in crate::transfer) fn prove_server_side(
        &self,
        etag: &ETag,
        made_of_parts: bool,
        tally: &Tally,
    ) -> Result<Verified, Failure> {
        // The parts have been compared with the source's tag, or by their bytes.
        if made_of_parts && self.cut_as_at_source {
            return Ok(Verified::EtagMd5);
        }
        let (_, verified) =
            self.transfer
                .prove_by_head(&self.name, &self.source, etag.clone(), tally)?;
        Ok(verified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;
    const GIB: u64 = 1024 * MIB;

    #[test]
    fn objects_above_5_gib_are_cut_as_at_the_source_or_into_large_parts() {
        let plan = |size_bytes, part_bytes| PartPlan {
            size_bytes,
            part_bytes,
            count: 0,
            streamed: false,
            buffer_bytes_per_part: part_bytes,
        };
        let side = ServerSide::auto();
        for (size_bytes, at_source, expected) in [
            (5 * GIB, None, None),
            (5 * GIB + 1, None, Some((512 * MIB, 11, false))),
            (6 * GIB, Some((GIB, 6)), Some((GIB, 6, true))),
            (6 * GIB, Some((8 * MIB, 768)), Some((8 * MIB, 768, true))),
            // The whole's length, by a server that does not tell parts apart.
            (6 * GIB, Some((6 * GIB, 6)), Some((512 * MIB, 12, false))),
            (6 * GIB, Some((GIB, 7)), Some((512 * MIB, 12, false))),
            (6 * GIB, Some((0, 6)), Some((512 * MIB, 12, false))),
        ] {
            let cut = side.cut(&plan(size_bytes, 16 * MIB), at_source);
            let found = cut.map(|cut| (cut.plan.part_bytes, cut.plan.count, cut.as_at_source));
            assert_eq!(found, expected, "{size_bytes} {at_source:?}");
            assert!(cut.is_none_or(|cut| cut.server_side && cut.plan.streamed));
        }
        let most = plan(10_000 * 5 * GIB, 5 * GIB);
        assert_eq!(side.cut(&most, None).unwrap().plan.count, 10_000);
        assert!(
            ServerSide::never()
                .cut(&plan(6 * GIB, 16 * MIB), None)
                .is_none()
        );
    }
}
