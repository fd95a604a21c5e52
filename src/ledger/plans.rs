//! What is kept before it is done: planned copies and multipart uploads.

use rusqlite::types::{Null, ToSqlOutput};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::report::word;
use super::{Ledger, Result, TaskKey, bulk};
use crate::model::{
    ArrivedPart, DestinationPrefix, ETag, ObjectName, OpenUpload, PlannedCopy, Timestamp, UploadId,
};

impl Ledger {
    /// Uploads of `task` that no request will take up any more: no request for
    /// the name is pending or worth another night. With what was put before the name.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn stale_uploads(
        &self,
        task: TaskKey,
    ) -> Result<Vec<(ObjectName, DestinationPrefix, UploadId)>> {
        self.read(|connection| {
            connection
                .prepare(
                    "SELECT name, destination_prefix, upload_id FROM upload
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
                    Ok((name, prefix(row, 1)?, UploadId::new(row.get(2)?)))
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

/// The prefix in a column of `row`.
fn prefix(row: &Row<'_>, column: usize) -> rusqlite::Result<DestinationPrefix> {
    let prefix = row.get_ref(column)?.as_str()?;
    Ok(DestinationPrefix::from_checked(prefix))
}

/// Stands for an MD5 that is the source's tag, as it usually is.
const AS_TAG: &str = "=";

/// Writes what is about to be made, in one go however many they are.
pub(super) fn plan(
    connection: &Connection,
    task: TaskKey,
    destination_prefix: &str,
    copies: &[(ObjectName, PlannedCopy)],
) -> rusqlite::Result<()> {
    bulk::execute(
        connection,
        (
            "INSERT OR REPLACE INTO planned_copy (task, destination_prefix, name, source_etag,
                 source_md5, source_size_bytes, destination_etag, destination_modified_at) VALUES",
            "(?1, ?2, ?, ?, ?, ?, ?, ?)",
            "",
        ),
        &[task.0.into(), destination_prefix.into()],
        copies.iter().map(|(name, copy)| columns(name, copy)),
    )
}

fn columns<'c>(name: &'c ObjectName, copy: &'c PlannedCopy) -> [ToSqlOutput<'c>; 6] {
    let (etag, modified_at) = match &copy.replaces {
        Some((etag, at)) => (etag.as_str().into(), at.ms().into()),
        None => (Null.into(), Null.into()),
    };
    let md5 = match copy.source_md5_hex.as_deref() {
        Some(md5) if md5 == copy.source_etag.as_str() => AS_TAG.into(),
        Some(md5) => md5.into(),
        None => Null.into(),
    };
    [
        name.as_str().into(),
        copy.source_etag.as_str().into(),
        md5,
        copy.size_bytes.cast_signed().into(),
        etag,
        modified_at,
    ]
}

/// Removes what was planned for these names.
pub(super) fn unplan<'n>(
    connection: &Connection,
    task: TaskKey,
    names: impl IntoIterator<Item = [ToSqlOutput<'n>; 1]>,
) -> rusqlite::Result<()> {
    let delete = (
        "DELETE FROM planned_copy WHERE task = ?1 AND name IN (",
        "?",
        ")",
    );
    bulk::execute(connection, delete, &[task.0.into()], names)
}

/// The planned copy in the columns of `row` from `first` on: source's tag, MD5
/// and size, destination's tag and time.
pub(super) fn planned_copy(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<PlannedCopy>> {
    let Some(source_etag) = row.get::<_, Option<String>>(first)? else {
        return Ok(None);
    };
    let etag: Option<String> = row.get(first + 3)?;
    let modified_at: Option<i64> = row.get(first + 4)?;
    let md5: Option<String> = row.get(first + 1)?;
    Ok(Some(PlannedCopy {
        source_etag: ETag::new(&source_etag),
        source_md5_hex: md5.map(|md5| if md5 == AS_TAG { source_etag } else { md5 }),
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
            "INSERT INTO upload (task, name, upload_id, source_etag, size_bytes, part_bytes,
                                 destination_prefix, begun_with)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            task.0,
            name.as_str(),
            upload.id.as_str(),
            upload.source_etag.as_str(),
            upload.size_bytes,
            upload.part_bytes,
            upload.destination_prefix.as_str(),
            upload.begun_with
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
        .prepare_cached(
            "DELETE FROM upload_part
             WHERE upload = (SELECT upload FROM upload WHERE task = ?1 AND name = ?2)",
        )?
        .execute(params![task.0, name.as_str()])?;
    connection
        .prepare_cached("DELETE FROM upload WHERE task = ?1 AND name = ?2")?
        .execute(params![task.0, name.as_str()])?;
    Ok(())
}

/// Whether any upload of `task` is open.
pub(super) fn has_uploads(connection: &Connection, task: TaskKey) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM upload WHERE task = ?1)")?
        .query_row([task.0], |row| row.get(0))
}

/// The upload of `name` with its parts, if there is one.
pub(super) fn open_upload(
    connection: &Connection,
    task: TaskKey,
    name: &ObjectName,
) -> rusqlite::Result<Option<OpenUpload>> {
    let found = connection
        .prepare_cached(
            "SELECT upload, upload_id, source_etag, size_bytes, part_bytes, destination_prefix,
                    begun_with
             FROM upload WHERE task = ?1 AND name = ?2",
        )?
        .query_row(params![task.0, name.as_str()], |row| {
            let source_etag: String = row.get(2)?;
            let upload = OpenUpload {
                id: UploadId::new(row.get(1)?),
                source_etag: ETag::new(&source_etag),
                size_bytes: row.get(3)?,
                part_bytes: row.get(4)?,
                begun_with: row.get(6)?,
                parts: Vec::new(),
                destination_prefix: prefix(row, 5)?,
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
