//! The classic text format of Prometheus (0.0.4), made from `OpenMetrics` text.

use std::fmt::Write;

/// Rewrites `OpenMetrics` text: in the classic format a counter's own name ends in `_total`, and
/// there is neither `# UNIT` nor `# EOF`.
pub fn classic(openmetrics: &str) -> String {
    let mut text = String::with_capacity(openmetrics.len());
    // The type comes after the help, and decides the name that the help has.
    let mut help = None;
    for line in openmetrics.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), rest) => help = Some((name, rest)),
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let suffix = if kind == "counter" { "_total" } else { "" };
                // Writing to a string cannot fail.
                if let Some((_, Some(help))) = help.take() {
                    let _ = writeln!(text, "# HELP {name}{suffix} {help}");
                }
                let _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
            }
            (Some("#"), ..) => {}
            _ => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_as_the_classic_format_wants() {
        let openmetrics = "# HELP a Things.\n# TYPE a counter\n# UNIT a x\na_total{b=\"# c\"} 1\n\
                           # HELP d More.\n# TYPE d gauge\nd 2\n# EOF\n";
        let wanted = "# HELP a_total Things.\n# TYPE a_total counter\na_total{b=\"# c\"} 1\n\
                      # HELP d More.\n# TYPE d gauge\nd 2\n";
        assert_eq!(classic(openmetrics), wanted);
    }
}
