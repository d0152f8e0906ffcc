//! Simplifies the derived description.
//!
//! The derive describes a field with a description of its own as all of its type and of an object with
//! that description, which nothing satisfies, and an optional field as one of its type and of null.
//! Both become one type with a description.

use serde_json::{Map, Value, json};

/// Simplifies a description, from its leaves up.
pub(super) fn postprocess(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(postprocess),
        Value::Object(object) => {
            object.values_mut().for_each(postprocess);
            described(object);
            optional(object);
            if let Some(Value::String(words)) = object.get_mut("description") {
                *words = unwrapped(words);
            }
        }
        _ => {}
    }
}

/// `allOf: [type, {type: object, description}]` becomes the type with that description.
fn described(object: &mut Map<String, Value>) {
    let Some([kind, words]) = pair(object, "allOf") else { return };
    let is_words = words["type"] == "object"
        && words.get("properties").is_none()
        && words.get("description").is_some();
    if is_words && let (Value::Object(mut kind), Value::Object(words)) = (kind, words) {
        kind.extend(words.into_iter().filter(|(name, _)| name != "type"));
        object.remove("allOf");
        object.extend(kind);
    }
}

/// `oneOf: [type, {type: null}]` becomes the type or null; a reference stays as it is.
fn optional(object: &mut Map<String, Value>) {
    let Some([kind, null]) = pair(object, "oneOf") else { return };
    let (Value::Object(mut kind), Value::Object(null)) = (kind, null) else { return };
    let Some(of) = kind.get("type").filter(|of| of.is_string()).cloned() else { return };
    if null.get("type") != Some(&json!("null")) {
        return;
    }
    kind.insert("type".into(), json!([of, "null"]));
    if let Some(Value::Array(words)) = kind.get_mut("enum") {
        words.push(Value::Null);
    }
    object.remove("oneOf");
    // The description of the field goes before that of its type.
    for (name, value) in kind {
        object.entry(name).or_insert(value);
    }
}

fn pair(object: &Map<String, Value>, name: &str) -> Option<[Value; 2]> {
    object.get(name)?.as_array()?.clone().try_into().ok()
}

/// Paragraphs without the line breaks of the source.
fn unwrapped(words: &str) -> String {
    let paragraphs = words.split("\n\n").map(|lines| {
        let words: Vec<_> = lines.split_whitespace().collect();
        words.join(" ")
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processed(mut value: Value) -> Value {
        postprocess(&mut value);
        value
    }

    #[test]
    fn a_described_type_is_the_type_with_the_description() {
        let roundabout = json!({"allOf": [
            {"type": "string", "maxLength": 4},
            {"type": "object", "description": "Two\nlines."},
        ]});
        let plain = json!({"type": "string", "maxLength": 4, "description": "Two lines."});
        assert_eq!(processed(roundabout), plain);
    }

    #[test]
    fn an_optional_type_is_the_type_or_null() {
        let roundabout = json!({
            "oneOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}],
            "description": "It.",
        });
        let plain = json!({"type": ["string", "null"], "enum": ["a", null], "description": "It."});
        assert_eq!(processed(roundabout), plain);
    }

    #[test]
    fn a_simple_description_stays_as_it_is() {
        for plain in [
            json!({"oneOf": [{"$ref": "#/components/schemas/V"}, {"type": "null"}]}),
            json!({"allOf": [{"type": "object", "properties": {}}, {"type": "string"}]}),
            json!([{"type": "string"}, 1, null]),
        ] {
            assert_eq!(processed(plain.clone()), plain);
        }
    }
}
