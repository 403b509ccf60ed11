//! Verifying a store: counts and indexes against the records themselves.

use super::postings::{Places, locate};
use super::tables::{Counters, Term};
use super::view::View;
use super::{Error, Result};
use redb::ReadableTable;
use std::collections::HashMap;

/// The most findings that are told; a store that is wrong is usually wrong everywhere.
const MAX_FINDINGS: usize = 100;

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// Messages read.
    pub messages: u64,
    /// Index rows read.
    pub rows: u64,
    /// What is wrong, in words; empty where all is well.
    pub findings: Vec<String>,
}

impl Report {
    fn find(&mut self, finding: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }
}

/// Reads every record, counts again, and compares every index with what it should be.
pub fn check(view: &View) -> Result<Report> {
    let mut report = Report::default();
    let mut counted = Counters {
        head: view.head(),
        named_terms: view.counters().named_terms,
        offset: view.counters().offset,
        kept_from: view.counters().kept_from,
        ..Counters::default()
    };
    let mut expected: HashMap<u64, Places> = HashMap::new();
    for message in view.after(0)? {
        let message = match message {
            Ok(message) => message,
            Err(Error::Read(text)) => {
                report.find(text);
                continue;
            }
            Err(error) => return Err(error),
        };
        report.messages += 1;
        counted.add(&message);
        if message.seq > view.head() {
            report.find(format!(
                "message {} lies beyond the journal's head {}",
                message.seq,
                view.head()
            ));
        }
        if view.seq_of(message.id)? != Some(message.seq) {
            report.find(format!(
                "the ID {} does not lead to its message {}",
                message.id, message.seq
            ));
        }
        let platform = message.platform.as_deref().unwrap_or_default();
        let named = [
            view.platforms.get(platform)?.map(|term| Term(term.value())),
            view.conversation_row(platform, &message.recipient)?.map(|row| row.term),
        ];
        let state = Some(Term::of_state(message.direction, message.status));
        for term in [state].into_iter().chain(named) {
            let Some(term) = term else {
                report.find(format!(
                    "message {} has a platform or conversation that is not known",
                    message.seq
                ));
                continue;
            };
            let (block, place) = locate(message.seq);
            expected.entry(term.row(block)).or_default().set(place, true);
        }
    }
    if counted != *view.counters() {
        report.find(format!(
            "the counts kept, {:?}, are not those counted, {counted:?}",
            view.counters()
        ));
    }
    compare_rows(view, expected, &mut report)?;
    Ok(report)
}

fn compare_rows(
    view: &View,
    mut expected: HashMap<u64, Places>,
    report: &mut Report,
) -> Result<()> {
    for row in view.postings.iter()? {
        let (key, bytes) = row?;
        report.rows += 1;
        let places = Places::decode(bytes.value());
        if places != expected.remove(&key.value()) {
            report
                .find(format!("the index row {:#x} does not agree with the messages", key.value()));
        }
    }
    for key in expected.keys() {
        report.find(format!("the index row {key:#x} is missing"));
    }
    Ok(())
}
