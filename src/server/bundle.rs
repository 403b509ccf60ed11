//! The page's modules as one script, and its style sheets as one: fewer requests, and text that
//! compresses well together.
//!
//! Each module becomes a function that is called once, after those of the modules it imports; what
//! it exports is known to all that follow, so each exported name is one module's alone. Only the
//! forms are known that the page uses: `import { a, b } from './x.js';` on a line of its own,
//! `export` before a declaration, and `@import "x.css";`. Comments and indentation are left out.

use std::collections::HashSet;
use std::fmt::Write;

/// A script while it is put together.
pub struct Bundle<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    /// Paths of the modules that it contains.
    modules: HashSet<String>,
    script: String,
}

impl<'a> Bundle<'a> {
    /// The script of a module and all its imports; `read` returns a module's text by its path.
    pub fn of(entry: &str, read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        let mut bundle = Self { read, modules: HashSet::new(), script: String::new() };
        bundle.add(entry);
        bundle
    }

    /// Paths of the modules that it contains.
    #[cfg(test)]
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(String::as_str)
    }

    /// All modules as one script.
    pub fn script(self) -> String {
        self.script
    }

    /// Adds a module after its imports.
    fn add(&mut self, path: &str) {
        if !self.modules.insert(path.to_owned()) {
            return;
        }
        let text = (self.read)(path).unwrap_or_default();
        let (mut body, mut exports) = (String::new(), Vec::new());
        for line in code_lines(&text) {
            if let Some(from) = import_of(line) {
                self.add(&resolve(path, from));
                continue;
            }
            let declaration = line.strip_prefix("export ");
            exports.extend(declaration.and_then(declared_name));
            body.push_str(declaration.unwrap_or(line));
            body.push('\n');
        }
        let exports = exports.join(",");
        // Writing to a string does not fail.
        let _ = match exports.as_str() {
            "" => writeln!(self.script, "(()=>{{{body}}})();"),
            names => writeln!(self.script, "const{{{names}}}=(()=>{{{body}return{{{names}}}}})();"),
        };
    }
}

/// A script without blank lines, indentation, and comments at the beginning of a line.
pub fn shortened(script: &str) -> String {
    code_lines(script).flat_map(|line| [line, "\n"]).collect()
}

/// A style sheet with its imports inserted; `read` returns a sheet's text by its path.
pub fn style_sheet(path: &str, read: &dyn Fn(&str) -> Option<String>) -> String {
    let text = read(path).unwrap_or_default();
    let mut sheet = String::new();
    for line in code_lines(&text) {
        let imported = line.strip_prefix("@import \"").and_then(|rest| rest.strip_suffix("\";"));
        if let Some(from) = imported {
            sheet.push_str(&style_sheet(&resolve(path, from), read));
        } else {
            sheet.push_str(line);
            sheet.push('\n');
        }
    }
    sheet
}

/// Lines of code, as [`shortened`] keeps them.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut is_comment = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        is_comment |= line.starts_with("/*");
        let code = match line.split_once("*/") {
            Some((_, code)) if is_comment => {
                is_comment = false;
                code.trim_start()
            }
            _ if is_comment => "",
            _ => line,
        };
        (!code.is_empty() && !code.starts_with("//")).then_some(code)
    })
}

/// The path of an import.
fn import_of(line: &str) -> Option<&str> {
    let (_, from) = line.strip_prefix("import {")?.split_once("} from '")?;
    from.strip_suffix("';")
}

/// The path of a file, from its relative path in another file.
fn resolve(from: &str, to: &str) -> String {
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The name in a declaration.
fn declared_name(declaration: &str) -> Option<&str> {
    let rest = declaration.strip_prefix("async ").unwrap_or(declaration);
    let (_, name) = rest.split_once(' ')?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_come_after_those_they_import_and_once() {
        let read = |path: &str| {
            let text = match path {
                "page/app.js" => {
                    "// The entry.\nimport { f, X } from './views/a.js';\n\
                     import { g } from './b.js';\nf(X, g);\n"
                }
                "page/views/a.js" => {
                    "import { g } from '../b.js';\n\n/** Doubles. */\n\
                     export async function f(x) {\n  return g(x);\n}\nexport const X = 1;\n"
                }
                "page/b.js" => {
                    "/**\n * Comment.\n */\nexport class g {}\n/** @type {g} */ (g).x;\n"
                }
                _ => return None,
            };
            Some(text.to_owned())
        };
        let script = Bundle::of("page/app.js", &read).script();
        assert_eq!(
            script,
            "const{g}=(()=>{class g {}\n(g).x;\nreturn{g}})();\n\
             const{f,X}=(()=>{async function f(x) {\nreturn g(x);\n}\n\
             const X = 1;\nreturn{f,X}})();\n\
             (()=>{f(X, g);\n})();\n"
        );
    }

    #[test]
    fn a_style_sheet_has_those_that_it_imports() {
        let read = |path: &str| {
            let text = match path {
                "page/all.css" => "@import \"a.css\";\n/* Below. */\n.b {\n  top: 0;\n}\n",
                "page/a.css" => "/* More\n   words. */\n.a { left: 0; }\n",
                _ => return None,
            };
            Some(text.to_owned())
        };
        let sheet = style_sheet("page/all.css", &read);
        assert_eq!(sheet, ".a { left: 0; }\n.b {\ntop: 0;\n}\n");
    }
}
