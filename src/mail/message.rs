//! A mail as it travels: headers, both forms of its text, what goes with it.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart};
use lettre::{Address, Message};

use super::{Envelope, MailError};
use crate::model::{Mail, MailAddress};

/// `mail` as it is sent.
///
/// # Errors
/// If an address or a header cannot be written.
pub fn compose(mail: &Mail, envelope: &Envelope) -> Result<Message, MailError> {
    let unwritable = |error: &dyn std::fmt::Display| MailError::Unwritable(error.to_string());
    let from = mailbox(&envelope.from)?;
    let made = Duration::from_millis(mail.made.at.ms().unsigned_abs());
    let mut message = Message::builder()
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .date(SystemTime::UNIX_EPOCH + made)
        .from(from)
        .subject(mail.subject.clone())
        // Nobody's absence is to be told to a program.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for to in &envelope.to {
        message = message.to(mailbox(to)?);
    }
    let texts = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    let Some(attached) = &mail.attachment else {
        return message.multipart(texts).map_err(|error| unwritable(&error));
    };
    let kind = ContentType::parse("text/tab-separated-values; charset=utf-8")
        .map_err(|error| unwritable(&error))?;
    let attachment = Attachment::new(attached.name.clone()).body(attached.text.clone(), kind);
    message
        .multipart(MultiPart::mixed().multipart(texts).singlepart(attachment))
        .map_err(|error| unwritable(&error))
}

fn mailbox(whose: &MailAddress) -> Result<Mailbox, MailError> {
    let address = whose.address.parse::<Address>();
    let address =
        address.map_err(|error| MailError::Unwritable(format!("{}: {error}", whose.address)))?;
    Ok(Mailbox::new(whose.name.clone(), address))
}
