//! What is kept before it is done: planned copies and multipart uploads.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::report::word;
use super::{Ledger, Result, TaskKey};
use crate::model::{ArrivedPart, ETag, ObjectName, OpenUpload, PlannedCopy, Timestamp, UploadId};

impl Ledger {
    /// Uploads of `task` that no request will take up any more: no request for
    /// the name is pending or worth another night.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn stale_uploads(&self, task: TaskKey) -> Result<Vec<(ObjectName, UploadId)>> {
        self.read(|connection| {
            connection
                .prepare(
                    "SELECT name, upload_id FROM upload
                     WHERE task = ?1
                       AND NOT EXISTS (SELECT 1 FROM request
                                       WHERE request.task = ?1 AND request.name = upload.name
                                         AND state = 'pending')
                       AND NOT EXISTS (SELECT 1 FROM request
                                       WHERE request.task = ?1 AND request.name = upload.name
                                         AND state <> 'pending' AND carry = 1)",
                )?
                .query_map([task.0], |row| {
                    let name = ObjectName::from_checked(row.get(0)?);
                    Ok((name, UploadId::new(row.get(1)?)))
                })?
                .collect()
        })
    }

    /// Forgets the upload of `name`, which is not at the destination any more.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn forget_upload(&mut self, task: TaskKey, name: &ObjectName) -> Result<()> {
        self.write(|transaction| upload_gone(transaction, task, name))
    }
}

/// Writes what is about to be made, in one go however many they are.
pub(super) fn plan(
    connection: &Connection,
    task: TaskKey,
    copies: &[(ObjectName, PlannedCopy)],
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO planned_copy (task, name, source_etag, source_md5,
             source_size_bytes, destination_etag, destination_modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (name, copy) in copies {
        let (etag, modified_at) = copy.replaces.as_ref().map_or((None, None), |(etag, at)| {
            (Some(etag.as_str()), Some(at.ms()))
        });
        insert.execute(params![
            task.0,
            name.as_str(),
            copy.source_etag.as_str(),
            copy.source_md5_hex,
            copy.size_bytes,
            etag,
            modified_at
        ])?;
    }
    Ok(())
}

pub(super) fn unplan(
    connection: &Connection,
    task: TaskKey,
    name: &ObjectName,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM planned_copy WHERE task = ?1 AND name = ?2")?
        .execute(params![task.0, name.as_str()])?;
    Ok(())
}

/// The planned copy in the columns of `row` from `first` on: source's tag, MD5
/// and size, destination's tag and time.
pub(super) fn planned_copy(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<PlannedCopy>> {
    let Some(source_etag) = row.get::<_, Option<String>>(first)? else {
        return Ok(None);
    };
    let etag: Option<String> = row.get(first + 3)?;
    let modified_at: Option<i64> = row.get(first + 4)?;
    Ok(Some(PlannedCopy {
        source_etag: ETag::new(&source_etag),
        source_md5_hex: row.get(first + 1)?,
        size_bytes: row.get(first + 2)?,
        replaces: etag
            .zip(modified_at)
            .map(|(etag, ms)| (ETag::new(&etag), Timestamp::from_ms(ms))),
    }))
}

pub(super) fn upload_begun(
    connection: &Connection,
    task: TaskKey,
    name: &ObjectName,
    upload: &OpenUpload,
) -> rusqlite::Result<()> {
    upload_gone(connection, task, name)?;
    connection
        .prepare_cached(
            "INSERT INTO upload (task, name, upload_id, source_etag, size_bytes, part_bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            task.0,
            name.as_str(),
            upload.id.as_str(),
            upload.source_etag.as_str(),
            upload.size_bytes,
            upload.part_bytes
        ])?;
    Ok(())
}

pub(super) fn part_arrived(
    connection: &Connection,
    task: TaskKey,
    name: &ObjectName,
    part: &ArrivedPart,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO upload_part (upload, part, etag, md5, crc, whole_md5, verified)
             SELECT upload, ?3, ?4, ?5, ?6, ?7, ?8 FROM upload WHERE task = ?1 AND name = ?2",
        )?
        .execute(params![
            task.0,
            name.as_str(),
            part.number,
            part.etag.as_str(),
            part.md5.as_ref().map_or(&[][..], <[u8; 16]>::as_slice),
            part.crc.map(u64::cast_signed),
            part.whole_md5,
            part.verified.as_str()
        ])?;
    Ok(())
}

pub(super) fn upload_gone(
    connection: &Connection,
    task: TaskKey,
    name: &ObjectName,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM upload WHERE task = ?1 AND name = ?2")?
        .execute(params![task.0, name.as_str()])?;
    Ok(())
}

/// The upload of `name` with its parts, if there is one.
pub(super) fn open_upload(
    connection: &Connection,
    task: TaskKey,
    name: &ObjectName,
) -> rusqlite::Result<Option<OpenUpload>> {
    let found = connection
        .prepare_cached(
            "SELECT upload, upload_id, source_etag, size_bytes, part_bytes FROM upload
             WHERE task = ?1 AND name = ?2",
        )?
        .query_row(params![task.0, name.as_str()], |row| {
            let source_etag: String = row.get(2)?;
            let upload = OpenUpload {
                id: UploadId::new(row.get(1)?),
                source_etag: ETag::new(&source_etag),
                size_bytes: row.get(3)?,
                part_bytes: row.get(4)?,
                parts: Vec::new(),
            };
            Ok((row.get::<_, i64>(0)?, upload))
        })
        .optional()?;
    let Some((key, mut upload)) = found else {
        return Ok(None);
    };
    upload.parts = connection
        .prepare_cached(
            "SELECT part, etag, md5, crc, whole_md5, verified FROM upload_part WHERE upload = ?1
             ORDER BY part",
        )?
        .query_map([key], |row| {
            let etag: String = row.get(1)?;
            Ok(ArrivedPart {
                number: row.get(0)?,
                etag: ETag::new(&etag),
                // Empty where it is not known.
                md5: row.get::<_, Vec<u8>>(2)?.try_into().ok(),
                crc: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                whole_md5: row.get(4)?,
                verified: word(row, 5)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(upload))
}
