//! Results on stdout.

use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};

use super::failure::{Failed, Outcome};
use crate::exit::ExitReason;
use crate::report::ReportError;

/// Buffered stdout.
pub type Stdout = BufWriter<StdoutLock<'static>>;

/// Writes to stdout. A reader that went away (`nightferry failed | head`) has
/// what it wanted: no error.
pub fn write(show: impl FnOnce(&mut Stdout) -> io::Result<()>) -> Outcome {
    report(|out| Ok(show(out)?))
}

/// As [`write`], for what report writes.
pub fn report(show: impl FnOnce(&mut Stdout) -> Result<(), ReportError>) -> Outcome {
    let mut out = BufWriter::new(io::stdout().lock());
    let shown = show(&mut out).and_then(|()| Ok(out.flush()?));
    match shown {
        Err(ReportError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {
            Ok(ExitReason::Done)
        }
        shown => shown.map(|()| ExitReason::Done).map_err(Failed::from),
    }
}
