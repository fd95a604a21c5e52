//! A mail as HTML for mail readers: one table, styles in place, nothing to fetch.
//! Readers that heed a style sheet get the dark colours from it.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::block::{Block, Figure, Tone};
use crate::report::html::pieces;
use crate::report::text::{harmless, thousands};

const FONT: &str =
    "font-family:-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',Arial,sans-serif;";
const MONO: &str = "font-family:'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;";

/// What a style in place cannot say.
const SHEET: &str = "
:root{color-scheme:light dark;supported-color-schemes:light dark}
.mark{background:#fdf0c4;color:#6b4700;border-radius:3px;padding:0 2px}
@media (prefers-color-scheme:dark){
.ground{background:#10161d !important}
.paper{background:#18212b !important;border-color:#2e3a47 !important}
.ink{color:#e4eaf0 !important}
.quiet{color:#a3b0be !important}
.line{border-color:#2e3a47 !important}
.good{background:#143b35 !important;color:#a5e6d9 !important}
.wait{background:#40340f !important;color:#f5da8d !important}
.bad{background:#47201a !important;color:#ffc1b0 !important}
.plain{background:#2a3541 !important;color:#ccd6e0 !important}
.bad-ink{color:#ff9b80 !important}
.wait-ink{color:#f5da8d !important}
.mark{background:#463a12;color:#fbe39a}
}";

/// The blocks as a document.
pub fn write(subject: &str, blocks: &[Block]) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (subject) }
                style { (PreEscaped(SHEET)) }
            }
            body.ground style="margin:0;padding:0;background:#f5f6f8" {
                table.ground role="presentation" width="100%" cellspacing="0" cellpadding="0" border="0"
                    style="background:#f5f6f8" {
                    tr { td align="center" style="padding:20px 10px" {
                        table.paper role="presentation" width="100%" cellspacing="0" cellpadding="0" border="0"
                            style="max-width:640px;background:#ffffff;border:1px solid #d9dee5;border-radius:10px" {
                            tr { td style={ (FONT) "padding:9px 22px;border-radius:10px 10px 0 0;background:#12324a;color:#f4f8fb;font-size:14px;font-weight:650" } {
                                "Nightferry"
                            } }
                            @for (index, block) in blocks.iter().enumerate() { (shown(block, index == 0)) }
                            tr { td style="padding:0 0 8px;font-size:0;line-height:0" { "\u{a0}" } }
                        }
                    } }
                }
            }
        }
    };
    document.into_string()
}

fn row(style: &str, inside: &Markup) -> Markup {
    html! { tr { td style={ (FONT) (style) } { (inside) } } }
}

fn shown(block: &Block, first: bool) -> Markup {
    match block {
        Block::Task(task) => {
            let line = if first {
                ""
            } else {
                "border-top:1px solid #d9dee5;"
            };
            let space = if first { "18px" } else { "22px" };
            html! { tr { td style="padding:0" {
                @if !first { div style="font-size:0;line-height:0;height:14px" { "\u{a0}" } }
                div.line style={ (line) } {
                    h1.ink style={ (FONT) "margin:0;padding:" (space) " 22px 0;font-size:22px;line-height:1.25;font-weight:650;color:#1b2430" } {
                        (words(task))
                    }
                }
            } } }
        }
        Block::Verdict(tone, verdict) => {
            let (class, colours) = ground(*tone);
            row(
                "padding:8px 22px 0;",
                &html! { span class=(class) style={ "display:inline-block;padding:5px 11px;border-radius:6px;font-size:15px;line-height:1.4;font-weight:600;" (colours) } {
                    (words(verdict))
                } },
            )
        }
        Block::Section(heading) => row(
            "padding:18px 22px 0;",
            &html! { h2.ink style="margin:0;font-size:16px;line-height:1.3;color:#1b2430" { (words(heading)) } },
        ),
        Block::Figures(figures) => row("padding:8px 22px 0;", &table(figures)),
        Block::Note {
            tone,
            lead,
            text,
            example,
        } => row(
            "padding:12px 22px 0;",
            &note(*tone, lead, text, example.as_deref()),
        ),
        Block::Lines(lines) => row(
            "padding:0 22px;",
            &html! { @for line in lines {
                div.quiet style={ (MONO) "font-size:13px;line-height:1.5;color:#556070;word-break:break-all" } { (harmless(line)) }
            } },
        ),
        Block::Quiet(text) => row(
            "padding:10px 22px 0;",
            &html! { div.quiet style="font-size:13px;line-height:1.45;color:#556070;word-break:break-word" { (words(text)) } },
        ),
        Block::Foot(text) => row(
            "padding:18px 22px 0;",
            &html! { div class="quiet line" style="border-top:1px solid #d9dee5;padding-top:10px;font-size:12px;line-height:1.45;color:#556070;word-break:break-word" { (words(text)) } },
        ),
    }
}

const fn ground(tone: Tone) -> (&'static str, &'static str) {
    match tone {
        Tone::Good => ("good", "background:#dff2ec;color:#12594f"),
        Tone::Wait => ("wait", "background:#fbf0d3;color:#6f4e00"),
        Tone::Bad => ("bad", "background:#fbe4de;color:#8f2912"),
        Tone::Plain => ("plain", "background:#e9edf2;color:#3b4654"),
    }
}

const fn ink(tone: Tone) -> (&'static str, &'static str) {
    match tone {
        Tone::Bad => ("bad-ink", "color:#8f2912"),
        Tone::Wait => ("wait-ink", "color:#6f4e00"),
        Tone::Good | Tone::Plain => ("ink", "color:#1b2430"),
    }
}

fn note(tone: Tone, lead: &str, text: &str, example: Option<&str>) -> Markup {
    let (class, colour) = ink(tone);
    html! {
        div.ink style="font-size:14px;line-height:1.5;color:#1b2430;word-break:break-word" {
            @if !lead.is_empty() { b class=(class) style=(colour) { (words(lead)) ":" } " " }
            (words(text))
            @if let Some(name) = example {
                div.quiet style={ (MONO) "font-size:13px;line-height:1.5;color:#556070;word-break:break-all" } {
                    (pieces::name(name))
                }
            }
        }
    }
}

fn table(figures: &[Figure]) -> Markup {
    const CELL: &str =
        "padding:4px 0;border-bottom:1px solid #d9dee5;font-size:14px;line-height:1.4;";
    html! {
        table width="100%" cellspacing="0" cellpadding="0" border="0" style="border-collapse:collapse" {
            @for figure in figures {
                @let (class, colour) = ink(figure.tone);
                @let quiet = if figure.part { ("quiet line", "color:#556070;padding-left:16px;") } else { ("ink line", "color:#1b2430;") };
                tr {
                    th.(quiet.0) scope="row" align="left" style={ (FONT) (CELL) (quiet.1) "font-weight:400;white-space:nowrap" } {
                        (words(&figure.label))
                    }
                    td class={ (class) " line" } align="right" style={ (FONT) (CELL) (colour) ";padding-left:18px;white-space:nowrap;font-variant-numeric:tabular-nums;font-weight:" (weight(figure)) } {
                        (thousands(figure.count))
                    }
                    td class="quiet line" width="60%" style={ (FONT) (CELL) "padding-left:14px;color:#556070;font-size:13px" } {
                        (words(&figure.remark))
                    }
                }
            }
        }
    }
}

const fn weight(figure: &Figure) -> &'static str {
    match (figure.part, figure.tone) {
        (true, _) => "400",
        (false, Tone::Plain | Tone::Good) => "500",
        (false, Tone::Bad | Tone::Wait) => "700",
    }
}

/// Words, of servers and of the system too: what would not show itself is written
/// out, what stands between backticks is code.
fn words(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code style=(MONO) { (harmless(part)) } } @else { (harmless(part)) }
        }
    }
}
