//! JSON bodies with placeholders.

use serde_json::Value;

use super::template::{Part, Position, Template, Values};

/// A JSON object or list whose texts are templates.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonTemplate(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(Template),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// A number, a truth value or nothing.
    Other(Value),
}

impl JsonTemplate {
    /// Reads a body.
    ///
    /// # Errors
    /// The reason why it cannot be one. Its texts are not quoted.
    pub fn parse(json: Value) -> Result<Self, String> {
        if !json.is_object() && !json.is_array() {
            return Err("must be an object or a list".to_owned());
        }
        Node::parse(json).map(Self)
    }

    /// The body with the values of a message.
    pub(super) fn with(&self, values: &Values<'_>) -> Value {
        self.0.with(values)
    }

    /// Whether it has a placeholder for this part of a message.
    pub(super) fn has(&self, part: Part) -> bool {
        self.0.has(part)
    }
}

impl Node {
    fn parse(json: Value) -> Result<Self, String> {
        Ok(match json {
            Value::String(text) => Self::Text(Template::parse(&text, Position::Body)?),
            Value::Array(items) => {
                Self::List(items.into_iter().map(Self::parse).collect::<Result<_, _>>()?)
            }
            Value::Object(items) => {
                if items.keys().any(|name| name.contains(['{', '}'])) {
                    return Err("has a brace in a name; placeholders stand in values".to_owned());
                }
                let items = items.into_iter().map(|(name, item)| Ok((name, Self::parse(item)?)));
                Self::Object(items.collect::<Result<_, String>>()?)
            }
            other => Self::Other(other),
        })
    }

    fn with(&self, values: &Values<'_>) -> Value {
        match self {
            Self::Text(template) => Value::String(template.with(values)),
            Self::List(items) => items.iter().map(|item| item.with(values)).collect(),
            Self::Object(items) => {
                let items = items.iter().filter(|(_, item)| !item.is_left_out(values));
                items.map(|(name, item)| (name.clone(), item.with(values))).collect()
            }
            Self::Other(value) => value.clone(),
        }
    }

    fn is_left_out(&self, values: &Values<'_>) -> bool {
        matches!(self, Self::Text(template) if template.is_left_out(values))
    }

    fn has(&self, part: Part) -> bool {
        match self {
            Self::Text(template) => template.has(part),
            Self::List(items) => items.iter().any(|item| item.has(part)),
            Self::Object(items) => items.iter().any(|(_, item)| item.has(part)),
            Self::Other(_) => false,
        }
    }
}
