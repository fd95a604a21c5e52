//! Who is told of a run by mail, and when.

use std::collections::BTreeMap;
use std::path::Path;

use super::Context;
use super::account::{About, Account};
use super::failure::Failed;
use super::machine;
use crate::clock::Clock;
use crate::config::{MailConfig, MailWhen};
use crate::exit::ExitReason;
use crate::ledger::Ledger;
use crate::model::{Mail, TaskId};
use crate::report::mail::{self, Happened, Signature, Trouble};
use crate::report::text::{counted, harmless};
use crate::run::{Post, PostReport, RunError, StopSignal};

/// The run's last step: tells of it, if that is wanted, and sends what earlier ones
/// owe. That it fails is said, and takes nothing from the night.
pub fn tell(
    context: &Context,
    signal: &StopSignal,
    happened: &Happened,
    runs: &[(&TaskId, u64)],
    reasons: &[ExitReason],
    account: &mut Account,
) -> Option<ExitReason> {
    let config = context.config.mail.as_ref()?;
    let post = Post { config, signal };
    let due = match config.when {
        MailWhen::Always => true,
        MailWhen::Problems => ExitReason::most_serious(reasons) != ExitReason::Done,
        MailWhen::Never => false,
    };
    let ledger = context.ledger().ok();
    let mail = due.then(|| written(context, ledger.as_ref(), happened, account));
    if ledger.is_none() {
        // What cannot be kept is sent once or not at all.
        return mail.and_then(|mail| say_unsent(post.send(&mail), account));
    }
    drop(ledger);
    let owed = match post.keep_and_send(mail.as_ref(), &context.data_dir) {
        Ok(report) => say(&report, account),
        Err(error) => {
            let said = format!("the mail cannot be kept in the ledger: {error}");
            account.error(About::NIGHT, &said);
            return mail.and_then(|mail| say_unsent(post.send(&mail), account));
        }
    };
    if let Some(reason) = owed
        && let Err(error) = note_owed(context, runs, reason)
    {
        let said = format!("that a mail is owed cannot be noted: {error}");
        account.error(About::NIGHT, &said);
    }
    owed
}

/// Tells that there is no usable configuration, by what is right of it.
pub fn tell_unconfigured(path: &Path, failed: &Failed) {
    let Some(config) = MailConfig::salvage(path) else {
        return;
    };
    if config.when == MailWhen::Never {
        return;
    }
    let now = Clock::system().now();
    let mail = mail::bare(&not_started(failed), &signature(path), now);
    let sent = StopSignal::listen()
        .map_err(|error| RunError::Signals(error).to_string())
        .and_then(|signal| {
            let (config, signal) = (&config, &signal);
            Post { config, signal }.send(&mail)
        });
    say_unsent(sent, &mut Account::default());
}

/// Sends `mail`, or keeps it for the next run to send.
pub fn send(context: &Context, config: &MailConfig, mail: &Mail) -> Result<ExitReason, Failed> {
    let signal = StopSignal::listen().map_err(RunError::Signals)?;
    let signal = &signal;
    let report = Post { config, signal }.keep_and_send(Some(mail), &context.data_dir)?;
    Ok(say(&report, &mut Account::default()).unwrap_or(ExitReason::Done))
}

/// What mails of this configuration are signed with.
pub fn signature(config: &Path) -> Signature {
    // Whoever reads it is in no folder of this machine.
    let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
    Signature {
        host: machine::name(),
        config: config.display().to_string(),
        entropy: fastrand::u64(..),
    }
}

/// A night in which no task could be run.
pub fn not_started(failed: &Failed) -> Happened {
    Happened {
        tasks: Vec::new(),
        schedules: BTreeMap::new(),
        troubles: vec![Trouble {
            reason: failed.reason,
            short: mail::not_run(failed.reason).to_owned(),
            said: failed.to_string(),
        }],
    }
}

/// The mail from the ledger, or, if that cannot be read, without it.
fn written(
    context: &Context,
    ledger: Option<&Ledger>,
    happened: &Happened,
    account: &mut Account,
) -> Mail {
    let signature = signature(&context.config.path);
    let now = context.clock.now();
    let bare = || mail::bare(happened, &signature, now);
    ledger.map_or_else(bare, |ledger| {
        mail::night(ledger, happened, &signature, now).unwrap_or_else(|error| {
            let said = format!("the mail is without figures: {error}");
            account.error(About::NIGHT, &said);
            bare()
        })
    })
}

fn say(report: &PostReport, account: &mut Account) -> Option<ExitReason> {
    for problem in &report.problems {
        let said = format!("a mail was not sent: {}", harmless(problem));
        account.error(About::NIGHT, &said);
    }
    if report.dropped > 0 {
        let gone = counted(report.dropped as u64, "older mail");
        let said = format!("{gone} went unsent, as more than ten were owed");
        account.error(About::NIGHT, &said);
    }
    if report.owed > 0 {
        let owed = counted(report.owed, "mail");
        let said = format!("{owed} owed; the next run sends what is owed first");
        account.warn(About::NIGHT, &said);
    }
    (report.owed > 0).then_some(ExitReason::Owed)
}

fn say_unsent(sent: Result<(), String>, account: &mut Account) -> Option<ExitReason> {
    let problem = sent.err()?;
    let said = format!(
        "the mail was not sent, and without a ledger it cannot be kept for a later run: {}",
        harmless(&problem)
    );
    account.error(About::NIGHT, &said);
    Some(ExitReason::Owed)
}

fn note_owed(
    context: &Context,
    runs: &[(&TaskId, u64)],
    reason: ExitReason,
) -> crate::ledger::Result<()> {
    let mut ledger = Ledger::open(&context.ledger_path(), context.data_dir.modes().file)?;
    for &(task, number) in runs {
        if let Some(run) = ledger.run_numbered(task, number)? {
            ledger.add_exit_reason(run, reason)?;
        }
    }
    Ok(())
}
