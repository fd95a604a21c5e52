//! `nightferry report`: months or a run, to be looked at.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::args::Report;
use super::browse::known;
use super::failure::{Failed, Outcome};
use super::{Context, output, shown};
use crate::data_dir::Modes;
use crate::exit::ExitReason;
use crate::report::{Document, Span, WholeFile, refuse_unknown_month};

/// Writes the report.
pub fn report(context: &Context, asked: &Report) -> Outcome {
    let task = known(context, asked.task.as_deref())?;
    let span = asked.run.map_or(Span::Month(asked.month), Span::Run);
    let now = context.clock.now();
    let ledger = context.ledger()?;
    if let Span::Month(month) = span {
        refuse_unknown_month(&ledger, task, month, now)?;
    }
    ledger.at_one_instant(|ledger| {
        let document = Document::plan(ledger, task, span, now)?;
        if asked.out == Path::new("-") {
            return output::report(|out| document.write(ledger, out));
        }
        let mut file = BufWriter::new(begin(&asked.out)?);
        document.write(ledger, &mut file)?;
        let file = file.into_inner().map_err(std::io::Error::from)?;
        let sha256 = file.finish()?.sha256;
        output::write(|out| writeln!(out, "{sha256}  {}", shown(&asked.out)))?;
        Ok(ExitReason::Done)
    })
}

/// Begins the file at `path`, in a folder that is there; what is no file is not replaced.
fn begin(path: &Path) -> Result<WholeFile, Failed> {
    let cannot = |why: &str| Failed::usage(format!("cannot write {}: {why}", shown(path)));
    let name = path.file_name().ok_or_else(|| cannot("it names no file"))?;
    let name = name
        .to_str()
        .ok_or_else(|| cannot("its name is not UTF-8"))?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(cannot("there is no such folder"));
    }
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Err(cannot("what is there is no file; `-` is stdout"));
    }
    WholeFile::create(folder, name.to_owned(), Modes::PRIVATE)
        .map_err(|error| cannot(&error.to_string()))
}
