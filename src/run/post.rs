//! Mails: owed before they are sent, sent the oldest first, and owed no more once
//! the server has taken them.
//!
//! So none is lost with the process, and one is sent twice only if the process ends,
//! waits no longer or cannot write the ledger just when the server has taken it; the
//! receiver knows it by its Message-ID.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::lock::{LockError, TaskLock};
use super::stop::StopSignal;
use crate::config::{MailConfig, MailLogin, MailSecurity};
use crate::data_dir::DataDir;
use crate::ledger::{Ledger, LedgerError};
use crate::mail::{Envelope, MailError, MailServer, Security, Session};
use crate::model::Mail;

/// How long a mail server may take over one step.
const STEP: Duration = Duration::from_secs(30);
/// How long connecting and logging in may take altogether.
const CONNECTING: Duration = Duration::from_mins(1);
/// How long one mail may take altogether.
const SENDING: Duration = Duration::from_mins(2);
/// How long another process that sends mails is waited for.
const OTHERS: Duration = Duration::from_mins(1);
const TICK: Duration = Duration::from_millis(100);

/// What became of mails.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PostReport {
    /// How many a server has taken.
    pub sent: u64,
    /// How many are owed now.
    pub owed: u64,
    /// How many older ones went unsent, as too many were owed.
    pub dropped: usize,
    /// Why some were not sent.
    pub problems: Vec<String>,
}

/// By whom mails are sent.
#[derive(Debug)]
pub struct Post<'a> {
    /// Server and addresses.
    pub config: &'a MailConfig,
    /// Ends the waiting.
    pub signal: &'a StopSignal,
}

impl Post<'_> {
    /// Keeps `mail` as owed in the ledger and sends all that is owed. Nothing to do
    /// if there is none.
    ///
    /// # Errors
    /// If the ledger cannot be opened or written: the mail was neither kept nor sent.
    pub fn keep_and_send(
        &self,
        mail: Option<&Mail>,
        data_dir: &DataDir,
    ) -> Result<PostReport, LedgerError> {
        let mut report = PostReport::default();
        let mut ledger = Ledger::open(&data_dir.ledger(), data_dir.modes().file)?;
        if let Some(mail) = mail {
            report.dropped = ledger.owe_mail(mail)?;
        }
        if let Err(error) = self.send_what_is_owed(&mut ledger, data_dir, &mut report) {
            // The mail is kept; what of it was sent is not known here.
            report.note(error.to_string());
            report.owed = 1;
        }
        Ok(report)
    }

    fn send_what_is_owed(
        &self,
        ledger: &mut Ledger,
        data_dir: &DataDir,
        report: &mut PostReport,
    ) -> Result<(), LedgerError> {
        if ledger.owed_mails()?.0 > 0 && !self.signal.is_urgent() {
            // Two processes at once would send each mail twice.
            match self.lock(data_dir) {
                Ok(_lock) => self.send_each(ledger, report)?,
                Err(problem) => report.note(problem),
            }
        }
        report.owed = ledger.owed_mails()?.0;
        Ok(())
    }

    /// Sends one mail that cannot be kept.
    ///
    /// # Errors
    /// Why it was not sent.
    pub fn send(&self, mail: &Mail) -> Result<(), String> {
        let session = self.open()?;
        let session = self
            .give(session, mail)?
            .map_err(|error| error.to_string())?;
        session.close();
        Ok(())
    }

    /// Whether the server would take mails: connects and logs in.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), String> {
        self.open().map(Session::close)
    }

    fn lock(&self, data_dir: &DataDir) -> Result<TaskLock, String> {
        let began = Instant::now();
        loop {
            match TaskLock::take(&data_dir.mail_lock(), data_dir.modes().file) {
                Err(LockError::Held(_))
                    if began.elapsed() < OTHERS && !self.signal.is_requested() =>
                {
                    thread::sleep(TICK);
                }
                Err(LockError::Held(_)) => {
                    return Err("another process is just sending mails".to_owned());
                }
                taken => return taken.map_err(|error| error.to_string()),
            }
        }
    }

    fn send_each(&self, ledger: &mut Ledger, report: &mut PostReport) -> Result<(), LedgerError> {
        let mut session = None;
        let mut after = None;
        while let Some(owed) = ledger.next_owed_mail(after)? {
            after = Some(owed.place);
            let open = match session.take() {
                Some(open) => Ok(open),
                None => self.open(),
            };
            match open.and_then(|open| self.give(open, &owed.mail)) {
                Ok(Ok(open)) => {
                    ledger.forget_owed_mail(&owed.mail.id)?;
                    report.sent += 1;
                    session = Some(open);
                }
                // The next one may be taken all the same.
                Ok(Err(error)) => {
                    let problem = error.to_string();
                    ledger.note_owed_mails(owed.place, owed.place, &problem)?;
                    report.note(problem);
                }
                Err(problem) => {
                    ledger.note_owed_mails(owed.place, i64::MAX, &problem)?;
                    report.note(problem);
                    return Ok(());
                }
            }
        }
        if let Some(open) = session {
            open.close();
        }
        Ok(())
    }

    fn open(&self) -> Result<Session, String> {
        let server = self.server()?;
        let opened = self
            .signal
            .within(CONNECTING, move || Session::open(&server));
        opened
            .map_err(|not_waited| format!("the mail server: {not_waited}"))?
            .map_err(|error| error.to_string())
    }

    /// Sends `mail` over `session`, and gives that back if it is of use still.
    ///
    /// # Errors
    /// That it was not waited for; within, that the server did not take it.
    fn give(&self, session: Session, mail: &Mail) -> Result<Result<Session, MailError>, String> {
        let envelope = Envelope {
            from: self.config.from.clone(),
            to: self.config.to.clone(),
        };
        let mail = mail.clone();
        let send = move || {
            let mut session = session;
            session.send(&mail, &envelope).map(|()| session)
        };
        self.signal
            .within(SENDING, send)
            .map_err(|not_waited| format!("the mail server: {not_waited}"))
    }

    fn server(&self) -> Result<MailServer, String> {
        let login = self.config.login.as_ref().map(MailLogin::resolve);
        let ca_pem = self.config.ca_file.as_ref().map(|path| {
            fs::read(path)
                .map_err(|error| format!("failed to read ca_file {}: {error}", path.display()))
        });
        Ok(MailServer {
            host: self.config.server.clone(),
            port: self.config.port,
            security: match self.config.security {
                MailSecurity::StartTls => Security::StartTls,
                MailSecurity::Tls => Security::Tls,
                MailSecurity::None => Security::None,
            },
            login: login.transpose().map_err(|error| error.to_string())?,
            ca_pem: ca_pem.transpose()?,
            timeout: STEP,
        })
    }
}

impl PostReport {
    /// Each problem once: one server tells each mail the same.
    fn note(&mut self, problem: String) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}
