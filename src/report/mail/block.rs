//! What a mail is made of, whatever form it is shown in.

/// How something is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// It will be made up for by itself.
    Wait,
    /// Somebody has to look.
    Bad,
    /// Neither.
    Plain,
}

/// A piece of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// What follows is about this task.
    Task(String),
    /// How it ended, in one line.
    Verdict(Tone, String),
    /// A heading within a task.
    Section(String),
    /// Figures, a line each.
    Figures(Vec<Figure>),
    /// Something to know, and what to do about it.
    Note {
        /// How it is to be taken.
        tone: Tone,
        /// What it is about.
        lead: String,
        /// The rest.
        text: String,
        /// The name of an object that shows it.
        example: Option<String>,
    },
    /// What others wrote, a line each.
    Lines(Vec<String>),
    /// Small print.
    Quiet(String),
    /// The end.
    Foot(String),
}

/// A line of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What is counted.
    pub label: String,
    /// How many.
    pub count: i64,
    /// What else is to be said.
    pub remark: String,
    /// Whether it is a part of the line above it.
    pub part: bool,
    /// How it is to be taken.
    pub tone: Tone,
}

impl Figure {
    /// A line with nothing but a number.
    pub fn new(label: &str, count: i64) -> Self {
        Self {
            label: label.to_owned(),
            count,
            remark: String::new(),
            part: false,
            tone: Tone::Plain,
        }
    }

    /// The line with a remark.
    pub fn with(self, remark: impl Into<String>) -> Self {
        let remark = remark.into();
        Self { remark, ..self }
    }

    /// The line, to be taken so if it is about anything.
    pub fn toned(self, tone: Tone) -> Self {
        if self.count == 0 {
            self
        } else {
            Self { tone, ..self }
        }
    }

    /// The line as a part of the one above it.
    pub fn part(label: &str, count: u64) -> Self {
        Self {
            part: true,
            ..Self::new(label, i64::try_from(count).unwrap_or(i64::MAX))
        }
    }
}
