//! The dependencies between the files of the crate, read from the paths in its source.
//!
//! Plain text, without macros expanded: comments and literals are left out, then every `use` and every
//! path that begins with `crate`, `super`, `self` or a child module is followed to the file that
//! defines what it names. A re-export (`pub use`) is followed too: it is an alias, no need.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// How many re-exports lead to a definition at most.
const MAX_ALIASES: usize = 8;

/// A module's path from the root of the crate.
type Module = Vec<String>;

/// A path as it stands in a file.
struct Mention {
    /// The module it stands in, inline ones included.
    from: Module,
    segments: Vec<String>,
    /// The name under which a `pub use` offers it.
    offered_as: Option<String>,
}

/// The files of a crate and what each needs.
pub struct Crate {
    /// Files by module.
    files: BTreeMap<Module, PathBuf>,
    mentions: BTreeMap<Module, Vec<Mention>>,
    /// Re-exports of a module: module, name, and the path it stands for.
    aliases: BTreeMap<(Module, String), Module>,
}

impl Crate {
    /// Reads every source file below a folder.
    pub fn read(folder: &Path) -> Self {
        let mut paths = Vec::new();
        sources(folder, &mut paths);
        let module = |path: &Path| module_of(path.strip_prefix(folder).unwrap());
        let files: BTreeMap<_, _> = paths
            .into_iter()
            .map(|path| (module(&path), path))
            .filter(|(m, _)| m.as_slice() != ["main"])
            .collect();
        let mut mentions = BTreeMap::new();
        for (module, path) in &files {
            mentions.insert(module.clone(), mentioned(module, &fs::read_to_string(path).unwrap()));
        }
        let mut known = Self { files, mentions: BTreeMap::new(), aliases: BTreeMap::new() };
        for mention in mentions.values().flatten() {
            if let Some(name) = &mention.offered_as
                && let Some(target) = known.absolute(mention)
            {
                known.aliases.insert((mention.from.clone(), name.clone()), target);
            }
        }
        known.mentions = mentions;
        known
    }

    /// Each file with the other files it needs.
    pub fn needs(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let mut needs: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
        for (module, mentions) in &self.mentions {
            let file = self.files[module].as_path();
            let all = needs.entry(file).or_default();
            for mention in mentions {
                let Some(target) = self.absolute(mention).and_then(|path| self.defining(path))
                else {
                    continue;
                };
                let is_own_child = mention.offered_as.is_some() && target.starts_with(module);
                let other = self.files[&target].as_path();
                if !is_own_child && !target.is_empty() && other != file {
                    all.insert(other);
                }
            }
        }
        needs
    }

    /// A mention as a path from the root; none for another crate's.
    fn absolute(&self, mention: &Mention) -> Option<Module> {
        let mut module = mention.from.clone();
        let mut segments = mention.segments.iter().map(String::as_str).peekable();
        match *segments.peek()? {
            "crate" => {
                segments.next();
                module.clear();
            }
            "self" => {
                segments.next();
            }
            "super" => {
                while segments.next_if_eq(&"super").is_some() {
                    module.pop()?;
                }
            }
            name => {
                let child = [module.clone(), vec![name.to_owned()]].concat();
                if !self.files.contains_key(&child) {
                    return None;
                }
            }
        }
        module.extend(segments.map(str::to_owned));
        Some(module)
    }

    /// The module whose file defines what a path names.
    fn defining(&self, mut path: Module) -> Option<Module> {
        for _ in 0..MAX_ALIASES {
            let length = (0..=path.len()).rev().find(|&n| self.files.contains_key(&path[..n]))?;
            let Some(name) = path.get(length) else { return Some(path) };
            let module = path[..length].to_vec();
            match self.aliases.get(&(module.clone(), name.clone())) {
                // A part's re-export of another part counts as part of it.
                Some(target) if target.first() == module.first() => {
                    path = [target, &path[length + 1..]].concat();
                }
                _ => return Some(module),
            }
        }
        None
    }
}

/// A circle of files in this graph, if there is one: each needs the next, and the last needs the
/// first.
pub fn circle<'a>(needs: &BTreeMap<&'a Path, BTreeSet<&'a Path>>) -> Option<Vec<&'a Path>> {
    let shortest = needs.keys().filter_map(|&start| way_back(needs, start));
    shortest.min_by_key(Vec::len)
}

/// The shortest path from a file back to it.
fn way_back<'a>(
    needs: &BTreeMap<&'a Path, BTreeSet<&'a Path>>,
    start: &'a Path,
) -> Option<Vec<&'a Path>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for &next in needs.get(way.last()?).into_iter().flatten() {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next) {
                    longer.push([&*way, &[next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// Every Rust file below a folder.
pub fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The module of a file: `store/mod.rs` is `store`, and `lib.rs` the root.
fn module_of(path: &Path) -> Module {
    let stem = path.with_extension("");
    let mut module: Module = stem.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

/// Every path that a file mentions.
fn mentioned(module: &Module, text: &str) -> Vec<Mention> {
    let tokens = tokens(text);
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    let mut found = Vec::new();
    // The braces that are open, with the name of those that are modules.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let from = || [module.clone(), open.iter().flatten().cloned().collect()].concat();
        match word(at) {
            "mod" if word(at + 2) == "{" => {
                open.push(Some(tokens[at + 1].clone()));
                at += 2;
            }
            "{" => open.push(None),
            "}" => drop(open.pop()),
            // Visibility in a module is not a dependency on it.
            "pub" if word(at + 1) == "(" && word(at + 2) == "in" => {
                at = (at..tokens.len()).find(|&end| word(end) == ")").unwrap_or(tokens.len());
            }
            "use" if word(at + 1) != "<" => {
                let is_offered = at > 0 && matches!(word(at - 1), "pub" | ")");
                let end = (at..tokens.len()).find(|&end| word(end) == ";").unwrap_or(tokens.len());
                let mut paths = Vec::new();
                tree(&tokens[at + 1..end], &[], &mut paths);
                found.extend(paths.into_iter().map(|(segments, name)| Mention {
                    from: from(),
                    segments,
                    offered_as: is_offered.then_some(name),
                }));
                at = end;
            }
            first if is_name(first) && word(at + 1) == "::" => {
                let mut segments = vec![first.to_owned()];
                while word(at + 1) == "::" && is_name(word(at + 2)) {
                    segments.push(word(at + 2).to_owned());
                    at += 2;
                }
                found.push(Mention { from: from(), segments, offered_as: None });
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The paths of a use tree, each with the name it gets.
fn tree(tokens: &[String], prefix: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let mut segments = prefix.to_vec();
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => {
                let inside = &tokens[at + 1..tokens.len() - 1];
                for branch in branches(inside) {
                    tree(branch, &segments, found);
                }
                return;
            }
            "as" => {
                found.push((segments, tokens[at + 1].clone()));
                return;
            }
            "self" if at == 0 && !prefix.is_empty() => {}
            name if is_name(name) => segments.push(name.to_owned()),
            _ => {}
        }
    }
    let name = segments.last().cloned().unwrap_or_default();
    found.push((segments, name));
}

/// The parts of a group between its commas.
fn branches(tokens: &[String]) -> Vec<&[String]> {
    let mut depth = 0;
    let parts = tokens.split(|token| {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        depth == 0 && token == ","
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// The words and marks of a source, without comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_string(rest) {
            length
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' {
            character(rest)
        } else if is_name(&rest[..first.len_utf8()]) {
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            found.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            found.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                found.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// The length of a raw string that begins here.
fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let marks = body.find(|c| c != '#')?;
    body[marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let start = text.len() - body.len() + marks + 1;
    Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// The length of a literal up to its closing mark.
fn quoted(text: &str, mark: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == mark => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character, or of the mark alone where a lifetime begins.
fn character(text: &str) -> usize {
    let mut after = text.chars().skip(1);
    match (after.next(), after.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(text, '\''),
        _ => 1,
    }
}
