//! The page's modules as one script: one request, and text that compresses well together.
//!
//! Each module becomes a function that is called once, after those of the modules it imports. Only
//! the forms are known that the page uses: `import { a, b as c } from './x.js';` on a line of its
//! own, and `export` before a declaration. Comments and indentation are left out.

use std::collections::HashMap;
use std::fmt::Write;

/// A script that is being put together.
pub struct Bundle<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    /// Modules that are in it, by path, with their numbers.
    modules: HashMap<String, usize>,
    script: String,
}

impl<'a> Bundle<'a> {
    /// The script of a module and of all that it imports; `read` gives a module's text by its path.
    pub fn of(entry: &str, read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        let mut bundle = Self { read, modules: HashMap::new(), script: String::new() };
        bundle.add(entry);
        bundle
    }

    /// Paths of the modules that are in it.
    #[cfg(test)]
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    #[allow(missing_docs)]
    pub fn script(self) -> String {
        self.script
    }

    /// Adds a module after those that it imports; its number.
    fn add(&mut self, path: &str) -> usize {
        if let Some(&known) = self.modules.get(path) {
            return known;
        }
        let number = self.modules.len();
        self.modules.insert(path.to_owned(), number);
        let text = (self.read)(path).unwrap_or_default();
        let (mut body, mut exports) = (String::new(), Vec::new());
        for line in code_lines(&text) {
            if let Some((names, from)) = import_of(line) {
                let module = self.add(&resolve(path, from));
                let names = names.replace(" as ", ":");
                // Writing to a string does not fail.
                let _ = writeln!(body, "const{{{names}}}=m{module};");
                continue;
            }
            let declaration = line.strip_prefix("export ");
            exports.extend(declaration.and_then(declared_name));
            body.push_str(declaration.unwrap_or(line));
            body.push('\n');
        }
        let exports = exports.join(",");
        let _ = writeln!(self.script, "const m{number}=(()=>{{{body}return{{{exports}}}}})();");
        number
    }
}

/// Lines of code: without blank ones, indentation, and comments at their beginning.
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

/// The names and the path of an import.
fn import_of(line: &str) -> Option<(&str, &str)> {
    let (names, from) = line.strip_prefix("import {")?.split_once("} from '")?;
    Some((names.trim(), from.strip_suffix("';")?))
}

/// The path of a module as another one names it.
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

/// The name that a declaration gives.
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
                    "// The entry.\nimport { f, X as Y } from './views/a.js';\n\
                     import { g } from './b.js';\nf(Y, g);\n"
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
            "const m2=(()=>{class g {}\n(g).x;\nreturn{g}})();\n\
             const m1=(()=>{const{g}=m2;\nasync function f(x) {\nreturn g(x);\n}\n\
             const X = 1;\nreturn{f,X}})();\n\
             const m0=(()=>{const{f, X:Y}=m1;\nconst{g}=m2;\nf(Y, g);\nreturn{}})();\n"
        );
    }
}
