//! The ledger, the destination and the lists, compared with the model.

use std::collections::BTreeSet;

use nightferry::ledger::Ledger;
use proptest::prelude::*;

use super::Voyage;
use super::drawn::{End, NAMES};
use super::expected::{Original, State};

impl Voyage {
    /// Compares all views, both buckets and the lists with the model.
    pub(super) fn compare(&mut self, crashed: bool, end: End) -> Result<(), TestCaseError> {
        let states: Vec<State> = self
            .books
            .requests
            .iter()
            .map(|r| r.state.clone())
            .collect();
        prop_assert_eq!(self.found(), states);
        self.compare_run(crashed, end)?;
        let months: Vec<String> = self
            .books
            .months()
            .iter()
            .map(|(month, [requested, synced, failed, ignored])| {
                format!("{month}|{requested}|{synced}|{failed}|{ignored}")
            })
            .collect();
        // A month whose only outcome was taken back has a row of noughts.
        let rows = self.world.rows(
            "SELECT month, requested, synced, failed, ignored FROM month_summary
             WHERE requested + synced + failed + ignored > 0 ORDER BY month",
        );
        prop_assert_eq!(rows, months);
        let ledger = Ledger::open_read_only(&self.world.ledger_file()).unwrap();
        prop_assert_eq!(ledger.check().unwrap(), [""; 0]);
        prop_assert_eq!(
            self.world.rows("SELECT task FROM books WHERE NOT balanced"),
            [""; 0]
        );
        self.compare_destination()?;
        self.compare_lists()
    }

    fn compare_run(&mut self, crashed: bool, end: End) -> Result<(), TestCaseError> {
        let rows = self
            .world
            .rows("SELECT taken, synced, failed, ignored, deferred FROM run_history ORDER BY run");
        if crashed && rows.last().is_some_and(|row| row == "0|0|0|0|0") {
            // It died before it took anything.
            *self.books.runs.last_mut().unwrap() = [0; 5];
        }
        let written = self
            .books
            .runs
            .iter()
            .map(|run| run.map(|n| n.to_string()).join("|"));
        prop_assert_eq!(&rows, &written.collect::<Vec<_>>());
        let [_, _, _, _, deferred] = self.books.runs.last().unwrap();
        if end == End::Whole {
            prop_assert_eq!(*deferred, 0);
        }
        if let End::Limit(limit) = end {
            let run = self.books.runs.len();
            let looked_at = self.world.rows(&format!(
                "SELECT count(DISTINCT name) FROM object_history WHERE run = {run}"
            ));
            let left = self.books.pending();
            let left: BTreeSet<_> = left.iter().map(|&r| self.books.requests[r].name).collect();
            let looked_at: u64 = looked_at[0].parse().unwrap();
            prop_assert!(looked_at == limit || (looked_at < limit && left.is_empty()));
        }
        Ok(())
    }

    fn compare_destination(&mut self) -> Result<(), TestCaseError> {
        for (name, key) in NAMES.into_iter().enumerate() {
            let there = self.at_destination(name);
            let expected = self.books.copies[name].as_ref().map(|copy| &copy.object);
            if there.as_ref() == expected {
                continue;
            }
            // Put, and not recorded before the end; by a crash never recorded.
            let waits = self.books.requests.iter().any(|request| {
                request.name == name && !matches!(request.state, State::Synced | State::Ignored(_))
            });
            let is_copy = there == self.books.sources[name] || self.in_doubt.contains(&name);
            prop_assert!(waits && is_copy, "{key}: {there:?}, not {expected:?}");
            self.in_doubt.insert(name);
        }
        Ok(())
    }

    /// The lists of each run that is over name what the ledger says. A run that
    /// died may not have come to them, nor to those that it owed for others.
    fn compare_lists(&self) -> Result<(), TestCaseError> {
        let states = self
            .world
            .rows("SELECT run || ' ' || state FROM run_history ORDER BY run");
        let has_died = states.last().is_some_and(|run| run.ends_with("running"));
        let over = states
            .iter()
            .filter_map(|run| run.split_once(' '))
            .filter(|(_, state)| *state != "running");
        for (run, _) in over {
            let run: u32 = run.parse().unwrap();
            for (list, outcome) in [
                ("success", "synced"),
                ("skip", "ignored"),
                ("failed", "failed"),
            ] {
                let mut listed = self.world.listed(list, run);
                listed.sort();
                let settled = self.world.rows(&format!(
                    "SELECT name FROM object_history WHERE run = {run} AND outcome = '{outcome}'
                     ORDER BY name"
                ));
                if !(has_died && listed.is_empty()) {
                    prop_assert_eq!(listed, settled, "{} list of run {}", list, run);
                }
            }
        }
        Ok(())
    }

    /// The state of each request, by its number.
    pub(super) fn found(&self) -> Vec<State> {
        let rows = self
            .world
            .rows("SELECT state || ' ' || coalesce(reason, '') FROM requests ORDER BY request");
        let state = |row: &String| match row.split_once(' ').unwrap() {
            ("pending", _) => State::Pending,
            ("synced", _) => State::Synced,
            ("failed", cause) => State::Failed(cause.to_owned()),
            (_, reason) => State::Ignored(reason.to_owned()),
        };
        rows.iter().map(state).collect()
    }

    pub(super) fn at_destination(&self, name: usize) -> Option<Original> {
        let object = self.world.server.object("dst", NAMES[name])?;
        Some(Original {
            sha256: object.sha256(),
            size: object.size,
        })
    }
}
