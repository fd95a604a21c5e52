//! What a night's mail says, when it is sent, and what becomes of one that is not.

mod content;
mod not_started;
mod owed;
mod server;

use std::fs;

use mail_parser::{Message, MessageParser, MimeHeaders};

use super::Harbour;
use crate::s3_server::{NewObject, S3Server};
use crate::smtp_server::{PASSWORD, Received, SmtpServer, USER, Way};

/// A harbour whose nights are told to `ops@example.com` by a mail server.
struct Desk {
    harbour: Harbour,
    server: SmtpServer,
}

impl Desk {
    fn new() -> Self {
        Self::with("")
    }

    /// With more lines in the section `[mail]`.
    fn with(lines: &str) -> Self {
        let desk = Self {
            harbour: Harbour::at(S3Server::builder(), "", ""),
            server: SmtpServer::start(Way::StartTls),
        };
        fs::write(
            desk.harbour.folder.path().join("ca.pem"),
            &desk.server.ca_pem,
        )
        .unwrap();
        desk.harbour.configure(&desk.text(lines));
        desk
    }

    fn text(&self, lines: &str) -> String {
        let task = self.harbour.task("photos", "", "src", "dst");
        format!("{}\n{task}", self.section(lines))
    }

    /// The section `[mail]`.
    fn section(&self, lines: &str) -> String {
        format!(
            "[mail]\nserver = \"127.0.0.1\"\nport = {}\nuser = \"{USER}\"\npassword = \"{PASSWORD}\"\n\
             ca_file = \"ca.pem\"\nfrom = \"Nightferry <nightferry@example.com>\"\n\
             to = [\"ops@example.com\"]\n{lines}\n",
            self.server.port
        )
    }

    /// Puts these objects into the source and asks for them.
    fn ask(&self, list: &str, names: &[&str]) {
        for name in names {
            self.harbour.put(name, NewObject::from(name.as_bytes()));
        }
        self.harbour.list(list, names.join("\n") + "\n");
    }

    /// The subjects of the mails that were taken.
    fn subjects(&self) -> Vec<String> {
        let received = self.server.received();
        let subjects = received.iter().map(|mail| {
            let parsed = parsed(mail);
            parsed.subject().unwrap().to_owned()
        });
        subjects.collect()
    }
}

fn parsed(received: &Received) -> Message<'_> {
    MessageParser::default().parse(&received.content).unwrap()
}

/// The plain text, with LF.
fn text(message: &Message<'_>) -> String {
    message.body_text(0).unwrap().replace("\r\n", "\n")
}

/// What goes with it, with LF; empty if nothing does.
fn attached(message: &Message<'_>) -> String {
    let mut attachments = message.attachments();
    let attachment = attachments.next();
    assert!(attachments.next().is_none());
    attachment.map_or_else(String::new, |part| {
        assert_eq!(part.attachment_name(), Some("failed.tsv"));
        String::from_utf8(part.contents().to_vec())
            .unwrap()
            .replace("\r\n", "\n")
    })
}
