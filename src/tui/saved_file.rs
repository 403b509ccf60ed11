//! The file in which the client keeps its state from one start to the next, for each server.

use super::model::saved_state::{SavedDraft, SavedState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// States by the address of their server.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
struct SavedStates(BTreeMap<String, SavedState>);

impl SavedStates {
    /// Those in a file; none where it is not there, or damaged.
    fn read(path: &Path) -> Self {
        fs::read(path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }
}

/// The state of the client of one server.
pub struct SavedFile {
    path: PathBuf,
    server: String,
    /// The state as this client read or wrote it last.
    last: SavedState,
}

impl SavedFile {
    /// The part of a file that is about a server.
    pub fn at(path: PathBuf, server: &str) -> Self {
        let last = SavedStates::read(&path).0.remove(server).unwrap_or_default();
        Self { path, server: server.to_owned(), last }
    }

    /// The state that was kept.
    pub fn state(&self) -> &SavedState {
        &self.last
    }

    /// Keeps a state, if it is another one than before. Drafts that another client kept meanwhile stay.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn save(&mut self, now: SavedState) -> io::Result<()> {
        if now == self.last {
            return Ok(());
        }
        let mut states = SavedStates::read(&self.path);
        let there = states.0.remove(&self.server).unwrap_or_default();
        let is_ours = |draft: &SavedDraft| {
            [&self.last.drafts, &now.drafts]
                .iter()
                .any(|ours| ours.iter().any(|our| our.to == draft.to))
        };
        let others = there.drafts.into_iter().filter(|draft| !is_ours(draft));
        let drafts = now.drafts.iter().cloned().chain(others).collect();
        states.0.insert(self.server.clone(), SavedState { open: now.open.clone(), drafts });
        self.write(&states)?;
        self.last = now;
        Ok(())
    }

    /// Writes the file as a whole, for its user alone.
    fn write(&self, states: &SavedStates) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let new = self.path.with_extension(format!("{}.new", std::process::id()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(states)?)?;
        file.sync_data()?;
        fs::rename(&new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::model::scope::ConversationKey;
    use tempfile::TempDir;

    fn draft(conversation: &str, text: &str) -> SavedDraft {
        let to = ConversationKey { platform: "qq".into(), conversation: conversation.into() };
        SavedDraft { to, text: text.into(), mentions: Vec::new(), answers: None }
    }

    fn with(drafts: &[SavedDraft]) -> SavedState {
        SavedState { open: None, drafts: drafts.to_vec() }
    }

    #[test]
    fn clients_keep_each_others_drafts_and_servers_their_own() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("new").join("tui.json");
        let [mut one, mut two] = [(); 2].map(|()| SavedFile::at(path.clone(), "http://a"));
        one.save(with(&[draft("group_1", "from one")])).unwrap();
        two.save(with(&[draft("group_2", "from two")])).unwrap();
        one.save(with(&[])).unwrap();
        assert_eq!(
            *SavedFile::at(path.clone(), "http://a").state(),
            with(&[draft("group_2", "from two")])
        );
        assert_eq!(*SavedFile::at(path, "http://b").state(), SavedState::default());
    }

    #[test]
    fn a_damaged_file_is_written_anew() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("tui.json");
        fs::write(&path, "{\"http://a\": [").unwrap();
        let mut file = SavedFile::at(path.clone(), "http://a");
        file.save(with(&[draft("group_1", "x")])).unwrap();
        assert_eq!(SavedFile::at(path, "http://a").state().drafts.len(), 1);
    }
}
