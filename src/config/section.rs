//! Reading a TOML document by hand, so that every mistake is found in one pass
//! and each is reported with its line.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Mistake;

/// How alike two keys must be (Jaro-Winkler, 0 to 1) for one to be suggested for the other.
const ALIKE: f64 = 0.85;

/// Collects the mistakes of one file.
pub(super) struct Mistakes<'t> {
    path: &'t Path,
    text: &'t str,
    found: RefCell<Vec<(usize, Mistake)>>,
}

impl<'t> Mistakes<'t> {
    pub(super) fn new(path: &'t Path, text: &'t str) -> Self {
        let found = RefCell::default();
        Self { path, text, found }
    }

    /// Notes a mistake at byte `at` of the text.
    pub(super) fn add(&self, at: usize, key: String, message: impl fmt::Display) {
        let mistake = Mistake {
            path: self.path.to_owned(),
            line: self.line(at),
            key,
            message: message.to_string(),
        };
        self.found.borrow_mut().push((at, mistake));
    }

    /// The line on which byte `at` stands, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let before = self.text.bytes().take(at);
        before.filter(|&byte| byte == b'\n').count() + 1
    }

    /// All mistakes in the order of the text.
    pub(super) fn into_sorted(self) -> Vec<Mistake> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|&(at, _)| at);
        found.into_iter().map(|(_, mistake)| mistake).collect()
    }
}

/// A table of the document. Remembers which keys were asked for: in the end
/// these are the known ones, and any other is a mistake.
pub(super) struct Section<'t> {
    mistakes: &'t Mistakes<'t>,
    /// What stands before a key in a message, such as `task "photos", source.`.
    label: String,
    entries: &'t DeTable<'t>,
    at: usize,
    asked: Vec<&'static str>,
}

impl<'t> Section<'t> {
    pub(super) fn new(
        mistakes: &'t Mistakes<'t>,
        label: String,
        entries: &'t DeTable<'t>,
        at: usize,
    ) -> Self {
        let asked = Vec::new();
        Self {
            mistakes,
            label,
            entries,
            at,
            asked,
        }
    }

    /// The value of `key`, if it is there.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.entries.get(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The byte at which the value of `key` stands; if it is missing, the section itself.
    pub(super) fn at(&self, key: &str) -> usize {
        self.entries
            .get(key)
            .map_or(self.at, |value| value.span().start)
    }

    /// Notes that something is wrong with `key`.
    pub(super) fn mistake(&self, key: &str, message: impl fmt::Display) {
        let name = format!("{}{key}", self.label);
        self.mistakes.add(self.at(key), name, message);
    }

    /// Notes that `key` is missing, unless it is there (and then either right
    /// or already noted as wrong).
    pub(super) fn require(&self, key: &str, example: &str) {
        if !self.has(key) {
            self.mistake(key, format_args!("is missing; write {key} = {example}"));
        }
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(key)?.get_ref();
        let read = read(value);
        if read.is_none() {
            let found = value.type_str();
            self.mistake(key, format_args!("is of type {found}; write {wanted}"));
        }
        read
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    /// A string that is not empty.
    pub(super) fn string(&mut self, key: &'static str) -> Option<&'t str> {
        let text = self.typed(key, "a string in quotes", DeValue::as_str)?;
        if text.is_empty() {
            self.mistake(key, "is empty; write a value or leave the key out");
            return None;
        }
        Some(text)
    }

    /// A string that `parse` takes; what it says otherwise is the mistake.
    pub(super) fn parsed<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let parsed = parse(self.string(key)?);
        parsed.map_err(|wrong| self.mistake(key, wrong)).ok()
    }

    /// A list of at least one string, each of which `parse` takes; every element that
    /// it does not take is a mistake.
    pub(super) fn texts<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        most: usize,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let wanted = "a list of strings, such as [\"…\"]";
        let elements = self.typed(key, wanted, DeValue::as_array)?;
        if elements.is_empty() || elements.len() > most {
            let count = elements.len();
            self.mistake(key, format_args!("has {count} elements; write 1 to {most}"));
            return None;
        }
        let mut texts = Vec::new();
        for element in elements {
            match element.get_ref().as_str().map(&parse) {
                Some(Ok(text)) => texts.push(text),
                Some(Err(wrong)) => self.mistake(key, wrong),
                None => self.mistake(key, "has an element that is no string in quotes"),
            }
        }
        (texts.len() == elements.len()).then_some(texts)
    }

    /// A whole number within `range`.
    pub(super) fn number(&mut self, key: &'static str, range: &RangeInclusive<u32>) -> Option<u32> {
        let digits = self.typed(key, "a whole number", DeValue::as_integer)?;
        let number = u32::from_str_radix(digits.as_str(), digits.radix()).ok();
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            self.mistake(
                key,
                format_args!("is out of range; write a whole number from {least} to {most}"),
            );
        }
        number
    }

    /// The table `task.<key>`, which must be there.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Section<'t>> {
        if !self.has(key) {
            self.mistake(
                key,
                format_args!("is missing; write a section [task.{key}]"),
            );
        }
        let entries = self.typed(key, "a section", DeValue::as_table)?;
        let label = format!("{}{key}.", self.label);
        Some(Section::new(self.mistakes, label, entries, self.at(key)))
    }

    /// An element of the list `key`, counted from 1, as a section of its own.
    pub(super) fn element(
        &self,
        key: &str,
        number: usize,
        element: &'t Spanned<DeValue<'t>>,
    ) -> Option<Section<'t>> {
        let (at, name) = (
            element.span().start,
            format!("{}{key} {number}", self.label),
        );
        if let Some(entries) = element.get_ref().as_table() {
            return Some(Section::new(self.mistakes, name + ", ", entries, at));
        }
        let advice = "is no slot; write { from = \"…\", to = \"…\", max = \"…\" }";
        self.mistakes.add(at, name, advice);
        None
    }

    /// The table `key`, if it is there.
    pub(super) fn optional_section(&mut self, key: &'static str) -> Option<Section<'t>> {
        let entries = self.typed(key, "a section", DeValue::as_table)?;
        let label = format!("{}{key}.", self.label);
        Some(Section::new(self.mistakes, label, entries, self.at(key)))
    }

    /// Notes the keys that nobody asked for.
    pub(super) fn finish(self) {
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if !self.asked.contains(&name) {
                let full = format!("{}{}", self.label, name.escape_debug());
                let advice = self.advice(name);
                self.mistakes.add(
                    key.span().start,
                    full,
                    format_args!("unknown key; {advice}"),
                );
            }
        }
    }

    fn advice(&self, unknown: &str) -> String {
        let likeness = |key: &&str| strsim::jaro_winkler(key, unknown);
        let nearest = self
            .asked
            .iter()
            .copied()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        match nearest {
            Some(key) if likeness(&key) >= ALIKE => format!("did you mean `{key}`?"),
            _ => format!("known here: {}", self.asked.join(", ")),
        }
    }
}
