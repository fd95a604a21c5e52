//! What documents show: blocks of commands, and commands within sentences.

use std::fs;
use std::path::{Path, PathBuf};

/// A block of a document, or what it shows between backticks.
#[derive(Debug)]
pub struct Block {
    /// `README.md:44`.
    pub place: String,
    /// What stands behind the three backticks, such as `sh`.
    pub language: String,
    /// Its lines as they stand.
    pub text: String,
}

impl Block {
    /// The commands in it: every line that is no comment in `sh`, what stands behind
    /// a prompt in `console` and `text`. A line that ends in `\` goes on.
    pub fn commands(&self) -> Vec<String> {
        let prompt = match self.language.as_str() {
            "sh" | "bash" => "",
            "console" | "text" => "$ ",
            _ => return Vec::new(),
        };
        let mut commands = Vec::new();
        let mut begun = String::new();
        for line in self.text.lines() {
            let line = match line.strip_prefix(prompt) {
                _ if !begun.is_empty() => line,
                Some(line) => line,
                None => continue,
            };
            let line = without_comment(line).trim();
            if let Some(part) = line.strip_suffix('\\') {
                begun.push_str(part);
            } else if !line.is_empty() || !begun.is_empty() {
                commands.push(std::mem::take(&mut begun) + line);
            }
        }
        commands
    }
}

/// The line up to a `#` that begins a word outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (None, '#') if before.is_whitespace() => return &line[..at],
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        before = character;
    }
    line
}

/// A document: its path in the repository and its text.
pub struct Document {
    pub path: String,
    pub text: String,
}

impl Document {
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (line, number) in self.text.lines().zip(1..) {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    open = Some(Block {
                        place: format!("{}:{number}", self.path),
                        language: language.trim().to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text.push_str(line.trim_start());
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{open:?} has no end");
        blocks
    }

    /// All commands in its blocks, each with the place of its block.
    pub fn commands(&self) -> Vec<(String, String)> {
        let of = |block: &Block| {
            let commands = block.commands().into_iter();
            let place = |command| (block.place.clone(), command);
            commands.map(place).collect::<Vec<_>>()
        };
        self.blocks().iter().flat_map(of).collect()
    }

    /// Where its links lead within the repository.
    pub fn links(&self) -> Vec<String> {
        let targets = self.text.split("](").skip(1);
        let targets = targets.map(|rest| rest.split(')').next().unwrap().to_owned());
        targets.filter(|target| !target.contains("://")).collect()
    }

    /// What stands between backticks and begins with `nightferry `, outside of blocks.
    pub fn mentioned(&self) -> Vec<String> {
        let outside = self.text.split("```").step_by(2);
        let spans = outside.flat_map(|text| text.split('`').skip(1).step_by(2));
        let commands = spans.filter(|span| span.starts_with("nightferry "));
        commands.map(str::to_owned).collect()
    }
}

/// The anchors of a document's headings, as GitHub makes them.
pub fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|heading| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// The documents that show commands to users: README.md, those of `docs/` and of `sql/`.
pub fn documents() -> Vec<Document> {
    let root = Path::new(super::REPOSITORY);
    let mut paths = vec![root.join("README.md"), root.join("sql/README.md")];
    let docs = walkdir::WalkDir::new(root.join("docs")).sort_by_file_name();
    let docs = docs.into_iter().map(|entry| entry.unwrap().into_path());
    paths.extend(docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    let document = |path: PathBuf| Document {
        text: fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(root).unwrap().display().to_string(),
    };
    paths.into_iter().map(document).collect()
}

#[test]
fn blocks_are_taken_apart_into_commands() {
    let document = Document {
        path: "a.md".to_owned(),
        text: "Say `nightferry status` or `x`.\n\n```sh\n# not this\na --b \\\n    'c # d'   # but this\n\
               e\n```\n```console\n$ f g\nanswer\n```\n```toml\nh = 1\n```\n"
            .to_owned(),
    };
    let commands: Vec<(String, Vec<String>)> = document
        .blocks()
        .iter()
        .map(|block| (block.place.clone(), block.commands()))
        .collect();
    let expected = [
        ("a.md:3", vec!["a --b 'c # d'", "e"]),
        ("a.md:9", vec!["f g"]),
        ("a.md:13", vec![]),
    ];
    let expected = expected.map(|(place, commands)| {
        let commands = commands.into_iter().map(str::to_owned).collect();
        (place.to_owned(), commands)
    });
    assert_eq!(commands, expected);
    assert_eq!(document.mentioned(), ["nightferry status"]);
}
