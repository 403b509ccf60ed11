//! Columns and formats of lists of messages.

use clap::ValueEnum;
use std::str::FromStr;

/// Something of a message that a list can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Column {
    /// Its ID; at a terminal the first 8 digits
    Id,
    /// When it was made
    Time,
    /// When it last changed
    Updated,
    /// Outbound or Inbound
    Direction,
    /// The platform
    Platform,
    /// The conversation: its ID; at a terminal its name
    Conversation,
    /// The conversation's name
    Name,
    /// The status
    Status,
    /// The type
    Type,
    /// The sender's name
    Sender,
    /// The sender's ID
    SenderId,
    /// The account it came in by, or left by
    Account,
    /// The content
    Content,
    /// Why the last attempt failed
    Error,
    /// Why it waits
    Waiting,
    /// How often it was sent again
    Retries,
}

impl Column {
    /// Its name, in `--columns` and in templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Time => "time",
            Self::Updated => "updated",
            Self::Direction => "direction",
            Self::Platform => "platform",
            Self::Conversation => "conversation",
            Self::Name => "name",
            Self::Status => "status",
            Self::Type => "type",
            Self::Sender => "sender",
            Self::SenderId => "sender-id",
            Self::Account => "account",
            Self::Content => "content",
            Self::Error => "error",
            Self::Waiting => "waiting",
            Self::Retries => "retries",
        }
    }

    fn names() -> String {
        Self::value_variants().iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
    }
}

/// How a list is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Columns for people.
    Table,
    /// One array.
    Json,
    /// A message a line.
    Jsonl,
    /// Fields separated by tabs, a message a line.
    Tsv,
    /// A line for each message.
    Template(Template),
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "jsonl" => Ok(Self::Jsonl),
            "tsv" => Ok(Self::Tsv),
            _ if text.contains('{') => text.parse().map(Self::Template),
            _ => {
                Err("write table, json, jsonl, tsv, or a template such as '{id} {content}'".into())
            }
        }
    }
}

/// A line with `{column}` in it for what a message has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(pub Vec<TemplatePart>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplatePart {
    /// Text that is printed as it is.
    Text(String),
    /// The value of a column.
    Column(Column),
}

impl FromStr for Template {
    type Err = String;

    /// `{{` and `}}` stand for braces, `\t` and `\n` for tab and line end.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' | '}' if rest.next_if_eq(&c).is_some() => plain.push(c),
                '{' => {
                    let name: String = rest.by_ref().take_while(|&c| c != '}').collect();
                    let column = Column::from_str(&name, true).map_err(|_| {
                        format!("there is no column `{name}`; there are {}", Column::names())
                    })?;
                    parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
                    parts.push(TemplatePart::Column(column));
                }
                '\\' if rest.next_if_eq(&'t').is_some() => plain.push('\t'),
                '\\' if rest.next_if_eq(&'n').is_some() => plain.push('\n'),
                c => plain.push(c),
            }
        }
        parts.push(TemplatePart::Text(plain));
        parts.retain(|part| *part != TemplatePart::Text(String::new()));
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_columns_and_text() {
        let Template(parts) = "{id}\\t[{Content}] {{x}}".parse().unwrap();
        let text = |text: &str| TemplatePart::Text(text.to_owned());
        assert_eq!(
            parts,
            [
                TemplatePart::Column(Column::Id),
                text("\t["),
                TemplatePart::Column(Column::Content),
                text("] {x}")
            ]
        );
        let refused = "{nonsense}".parse::<Format>().unwrap_err();
        assert!(refused.contains("`nonsense`") && refused.contains("sender-id"), "{refused}");
        assert!("yaml".parse::<Format>().unwrap_err().contains("jsonl"));
    }

    #[test]
    fn every_column_has_the_name_by_which_it_is_asked_for() {
        for column in Column::value_variants() {
            assert_eq!(Column::from_str(column.name(), false), Ok(*column));
        }
    }
}
