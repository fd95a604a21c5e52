//! Mails that no server has taken yet.

use rusqlite::{OptionalExtension, Row, params};

use super::report::local;
use super::{Ledger, Result};
use crate::model::{Attachment, Mail};

/// The most that are kept; beyond them the oldest go.
const MOST_OWED: u32 = 10;

/// A mail that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedMail {
    /// Its place among those that are owed, the oldest first.
    pub place: i64,
    /// The mail.
    pub mail: Mail,
}

impl Ledger {
    /// Enters `mail` as owed; once only, by its id. Answers how many older ones went
    /// for it, unsent.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn owe_mail(&mut self, mail: &Mail) -> Result<usize> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT OR IGNORE INTO owed_mail (id, made_at, made_offset, subject, text, html,
                                                  attachment_name, attachment)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    mail.id,
                    mail.made.at.ms(),
                    mail.made.offset_minutes,
                    mail.subject,
                    mail.text,
                    mail.html,
                    mail.attachment.as_ref().map(|attached| &attached.name),
                    mail.attachment.as_ref().map(|attached| &attached.text)
                ],
            )?;
            transaction.execute(
                "DELETE FROM owed_mail WHERE mail NOT IN (
                     SELECT mail FROM owed_mail ORDER BY mail DESC LIMIT ?1)",
                [MOST_OWED],
            )
        })
    }

    /// The oldest owed mail behind a place.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn next_owed_mail(&self, after: Option<i64>) -> Result<Option<OwedMail>> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT mail, id, made_at, made_offset, subject, text, html, attachment_name,
                            attachment
                     FROM owed_mail WHERE mail > ?1 ORDER BY mail LIMIT 1",
                    [after.unwrap_or(i64::MIN)],
                    read_mail,
                )
                .optional()
        })
    }

    /// A server has taken the mail.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn forget_owed_mail(&mut self, id: &str) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM owed_mail WHERE id = ?1", [id])?;
            Ok(())
        })
    }

    /// Keeps why the owed mails from a place on were not taken.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_owed_mails(&mut self, from: i64, to: i64, problem: &str) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE owed_mail SET problem = ?3 WHERE mail BETWEEN ?1 AND ?2",
                params![from, to, problem],
            )?;
            Ok(())
        })
    }

    /// How many mails are owed, and why the newest was not taken.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn owed_mails(&self) -> Result<(u64, Option<String>)> {
        self.read(|connection| {
            connection.query_row(
                "SELECT count(*), (SELECT problem FROM owed_mail ORDER BY mail DESC LIMIT 1)
                 FROM owed_mail",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
    }
}

fn read_mail(row: &Row<'_>) -> rusqlite::Result<OwedMail> {
    let name: Option<String> = row.get(7)?;
    let text: Option<String> = row.get(8)?;
    Ok(OwedMail {
        place: row.get(0)?,
        mail: Mail {
            id: row.get(1)?,
            made: local(row, 2)?,
            subject: row.get(4)?,
            text: row.get(5)?,
            html: row.get(6)?,
            attachment: name.zip(text).map(|(name, text)| Attachment { name, text }),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at};
    use super::*;

    fn mail(fixture: &Fixture, id: &str) -> Mail {
        Mail {
            id: id.to_owned(),
            made: fixture.zone.local(at("2026-10-06T01:00:10+08:00")),
            subject: format!("photos: {id}"),
            text: "good\n".to_owned(),
            html: "<p>good".to_owned(),
            attachment: (id == "b").then(|| Attachment {
                name: "failed.tsv".to_owned(),
                text: "photos\tnew\n".to_owned(),
            }),
        }
    }

    /// The ids of all that are owed, in the order in which they would be sent.
    fn owed(fixture: &Fixture) -> Vec<String> {
        let mut ids = Vec::new();
        let mut after = None;
        while let Some(owed) = fixture.ledger.next_owed_mail(after).unwrap() {
            assert_eq!(owed.mail, mail(fixture, &owed.mail.id));
            after = Some(owed.place);
            ids.push(owed.mail.id);
        }
        ids
    }

    #[test]
    fn a_mail_is_owed_once_whole_and_until_it_was_taken() {
        let mut fixture = Fixture::new("Asia/Shanghai");
        assert_eq!(owed(&fixture), [""; 0]);
        for id in ["a", "b", "a"] {
            let mail = mail(&fixture, id);
            assert_eq!(fixture.ledger.owe_mail(&mail).unwrap(), 0);
        }
        assert_eq!(owed(&fixture), ["a", "b"]);
        fixture.ledger.note_owed_mails(1, 1, "refused").unwrap();
        assert_eq!(fixture.ledger.owed_mails().unwrap(), (2, None));
        fixture.ledger.forget_owed_mail("b").unwrap();
        let refused = Some("refused".to_owned());
        assert_eq!(fixture.ledger.owed_mails().unwrap(), (1, refused));
        assert_eq!(owed(&fixture), ["a"]);
    }

    #[test]
    fn of_many_owed_mails_the_newest_ten_stay() {
        let mut fixture = Fixture::new("Asia/Shanghai");
        for number in 0..12 {
            let mail = mail(&fixture, &format!("n{number}"));
            let gone = fixture.ledger.owe_mail(&mail).unwrap();
            assert_eq!(gone, usize::from(number > 9));
        }
        let expected: Vec<String> = (2..12).map(|number| format!("n{number}")).collect();
        assert_eq!(owed(&fixture), expected);
    }
}
