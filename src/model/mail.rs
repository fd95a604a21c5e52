//! Mails, and whom they go to.

use super::time::LocalTime;

/// A mail as it was made; from whom and to whom it goes is said when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// What stands in front of the `@` of its Message-ID; letters, digits, `.` and `-`.
    pub id: String,
    /// When it was made.
    pub made: LocalTime,
    /// One line.
    pub subject: String,
    /// What it says, as plain text.
    pub text: String,
    /// The same as HTML, a whole document.
    pub html: String,
    /// What goes with it.
    pub attachment: Option<Attachment>,
}

/// A text with TABs between its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What its file is called.
    pub name: String,
    /// Its lines.
    pub text: String,
}

/// A mail address, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    /// Whose it is.
    pub name: Option<String>,
    /// `user@domain`.
    pub address: String,
}
