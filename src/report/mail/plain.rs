//! A mail as plain text, in 80 columns.

use super::block::{Block, Figure};
use crate::report::table::{Side, paragraph, plain};
use crate::report::text::{harmless, thousands, visible};

/// The blocks as text.
pub fn write(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        // A verdict stands with the task that it is about, and lines with their note.
        if !text.is_empty() && !matches!(block, Block::Verdict(..) | Block::Lines(_)) {
            text.push('\n');
        }
        match block {
            Block::Task(task) => {
                text.push_str(task);
                text.push('\n');
            }
            Block::Verdict(_, verdict) => text.push_str(&paragraph(verdict, 0)),
            Block::Section(heading) => text.extend([heading, "\n"]),
            Block::Figures(figures) => text.push_str(&table(figures)),
            Block::Note {
                lead,
                text: note,
                example,
                ..
            } => {
                let lead = if lead.is_empty() {
                    String::new()
                } else {
                    format!("{}: ", harmless(lead))
                };
                text.push_str(&paragraph(&format!("{lead}{}", harmless(note)), 2));
                if let Some(name) = example {
                    // Names stay whole: whoever reads them copies them.
                    text.extend(["    ", &visible(name), "\n"]);
                }
            }
            Block::Lines(lines) => {
                for line in lines {
                    text.extend(["    ", &harmless(line), "\n"]);
                }
            }
            Block::Quiet(words) => text.extend([&harmless(words), "\n"]),
            Block::Foot(words) => {
                text.push_str("-- \n");
                text.push_str(&paragraph(&harmless(words), 0));
            }
        }
    }
    text
}

fn table(figures: &[Figure]) -> String {
    let rows: Vec<Vec<String>> = figures
        .iter()
        .map(|figure| {
            let indent = if figure.part { "    " } else { "  " };
            vec![
                format!("{indent}{}", figure.label),
                thousands(figure.count),
                figure.remark.clone(),
            ]
        })
        .collect();
    plain(&[Side::Left, Side::Right, Side::Left], &rows)
}
