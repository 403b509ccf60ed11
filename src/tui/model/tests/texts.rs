//! The client's own texts: each has a Chinese one.

use crate::model::message::Status;
use crate::tui::keys::{Mode, TABLE};
use crate::tui::language::tests::translated;
use crate::tui::model::{Level, reaction_words};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Texts that are said in a folder: those in `say!`, and the help of keys.
fn said(folder: &Path, texts: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("tests") && !path.ends_with("language") {
                said(&path, texts);
            }
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for part in source.split("say!(").skip(1) {
            let literal = part.trim_start();
            assert!(literal.starts_with('"'), "{}: {literal:.40}", path.display());
            let mut ends = literal.match_indices('"').skip(1);
            let end = ends.find(|(at, _)| !literal[..*at].ends_with('\\')).unwrap().0;
            texts.insert(literal[1..end].replace("\\n", "\n").replace("\\\\", "\\"));
        }
    }
}

#[test]
fn every_text_has_a_chinese_one_and_no_chinese_one_is_left_over() {
    let mut texts = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui");
    said(&folder, &mut texts);
    texts.extend(TABLE.iter().map(|binding| binding.help.to_owned()));
    texts.extend(Mode::ALL.iter().map(|mode| mode.title().to_owned()));
    texts.extend(Status::ALL.iter().map(|status| status.as_str().to_owned()));
    let levels = [Level::Off, Level::Mentions, Level::All];
    texts.extend(levels.iter().map(|level| level.name().to_owned()));
    texts.extend(reaction_words().map(str::to_owned));
    let words = ["Text", "Image", "File", "Video", "Audio", "Inbound", "Outbound"];
    texts.extend(words.map(str::to_owned));
    let known = translated();
    let without: Vec<_> = texts.difference(&known).collect();
    assert!(without.is_empty(), "without Chinese: {without:#?}");
    let left_over: Vec<_> = known.difference(&texts).collect();
    assert!(left_over.is_empty(), "said nowhere: {left_over:#?}");
}
