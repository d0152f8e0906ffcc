//! The page `/docs/api`: the description of the API, for people to browse.

use std::sync::Arc;

use app::pages::{Endpoint, Group, Member, Reference, ReferencePage, reference as lay_out};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use serde_json::Value;

use crate::http::{Context, caller, pages::Page, problem::Problem};

/// The route of the page, which is made once from the description and laid out for each answer.
pub(super) fn routes(description: &Value, origin: &str) -> Router<Arc<Context>> {
    let reference = Arc::new(Description(description).reference(origin));
    let page = async move |State(context): State<Arc<Context>>, caller: caller::From| {
        page(&context, &caller, &reference)
    };
    Router::new().route("/docs/api", get(page))
}

fn page(
    context: &Context,
    caller::From(caller): &caller::From,
    reference: &Reference,
) -> Result<Page, Problem> {
    Page::lay_out(context, &caller.locale, StatusCode::OK, |frame| {
        lay_out(ReferencePage { frame, reference })
    })
}

/// An OpenAPI description. The page leaves out anything that is missing.
struct Description<'a>(&'a Value);

impl<'a> Description<'a> {
    fn reference(&self, origin: &str) -> Reference {
        let groups = list(&self.0["tags"]).map(|tag| Group {
            name: text(&tag["name"]),
            words: text(&tag["description"]),
            endpoints: self.endpoints(&text(&tag["name"]), origin),
        });
        Reference { intro: paragraphs(&self.0["info"]["description"]), groups: groups.collect() }
    }

    /// The endpoints of a group, those with the shorter path first.
    fn endpoints(&self, tag: &str, origin: &str) -> Vec<Endpoint> {
        let of_path = |(path, methods): (&'a String, &'a Value)| {
            pairs(methods).map(move |(method, operation)| (path, method.to_uppercase(), operation))
        };
        let mut endpoints: Vec<_> = pairs(&self.0["paths"])
            .flat_map(of_path)
            .filter(|(_, _, operation)| list(&operation["tags"]).any(|name| name == tag))
            .map(|(path, method, operation)| self.endpoint(path, method, operation, origin))
            .collect();
        endpoints.sort_by_key(|endpoint| {
            let order = ["POST", "GET", "DELETE"].iter().position(|m| *m == endpoint.method);
            (endpoint.path.matches('/').count(), order)
        });
        endpoints
    }

    fn endpoint(&self, path: &str, method: String, operation: &'a Value, origin: &str) -> Endpoint {
        let parameters = list(&operation["parameters"]).map(|parameter| Member {
            name: text(&parameter["name"]),
            kind: self.kind(&parameter["schema"]),
            required: parameter["required"] == true,
            words: text(&parameter["description"]),
        });
        let body = &operation["requestBody"]["content"]["application/json"];
        let mut asked: Vec<_> = parameters.collect();
        asked.extend(self.members("", &body["schema"]));
        let (good, bad): (Vec<_>, Vec<_>) =
            pairs(&operation["responses"]).partition(|(status, _)| status.starts_with('2'));
        let words = |(status, response): &(&String, &Value)| {
            ((*status).clone(), text(&response["description"]))
        };
        let schema = |(_, response): &(&String, &'a Value)| {
            &response["content"]["application/json"]["schema"]
        };
        let answered = good.first().map(schema);
        Endpoint {
            id: text(&operation["operationId"]),
            example: example(&method, path, operation, &body["example"], origin),
            path: path.to_owned(),
            method,
            summary: text(&operation["summary"]),
            words: paragraphs(&operation["description"]),
            asked,
            success: good.first().map(words).unwrap_or_default(),
            answered: answered.map(|schema| self.members("", schema)).unwrap_or_default(),
            refusals: bad.iter().map(words).collect(),
        }
    }

    /// The fields of an object, required ones first, with those of objects in it.
    fn members(&self, within: &str, schema: &'a Value) -> Vec<Member> {
        let schema = self.resolved(schema);
        let required: Vec<_> = list(&schema["required"]).filter_map(Value::as_str).collect();
        let place = |name: &str| required.iter().position(|other| *other == name);
        let mut fields: Vec<_> = pairs(&schema["properties"]).collect();
        fields.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        let member = |(name, field): (&'a String, &'a Value)| {
            let full = format!("{within}{name}");
            let of = list(&field["oneOf"]).find(|of| of["type"] != "null").unwrap_or(field);
            let words = [field, of].map(|of| text(&of["description"]));
            let member = Member {
                kind: self.kind(of),
                required: place(name).is_some(),
                words: words.into_iter().find(|words| !words.is_empty()).unwrap_or_default(),
                name: full.clone(),
            };
            let inner = if of["type"] == "array" { &of["items"] } else { of };
            [member].into_iter().chain(self.members(&format!("{full}."), inner))
        };
        fields.into_iter().flat_map(member).collect()
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        name.map_or(schema, |name| &self.0["components"]["schemas"][name])
    }

    /// A type with its bounds, in signs that need no language.
    fn kind(&self, schema: &'a Value) -> String {
        let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        let schema = self.resolved(schema);
        let words: Vec<_> = list(&schema["enum"]).filter_map(Value::as_str).collect();
        if !words.is_empty() {
            return words.join(" | ");
        }
        if let Some(name) = name {
            return name.to_owned();
        }
        let mut parts = Vec::new();
        let types = list(&schema["type"]).find_map(Value::as_str).or(schema["type"].as_str());
        let items = &schema["items"];
        match types {
            Some("array") => parts.push(format!("[{}]", self.kind(items))),
            Some("string") => parts.push(schema["format"].as_str().unwrap_or("string").to_owned()),
            other => parts.extend(other.map(str::to_owned)),
        }
        let bound = |low: &str, high: &str| match (&schema[low], &schema[high]) {
            (Value::Null, Value::Null) => None,
            (low, Value::Null) => Some(format!("≥ {low}")),
            (Value::Null, high) => Some(format!("≤ {high}")),
            (low, high) if low == high => Some(low.to_string()),
            (low, high) => Some(format!("{low}–{high}")),
        };
        parts.extend(bound("minLength", "maxLength"));
        parts.extend(bound("minimum", "maximum"));
        parts.extend(bound("minProperties", "maxProperties"));
        parts.join(" · ")
    }
}

/// A call that can be pasted into a shell.
fn example(method: &str, path: &str, operation: &Value, body: &Value, origin: &str) -> String {
    let path = path.replace("{id}", "$id");
    let mut lines = vec![match method {
        "GET" => format!("curl {origin}{path}"),
        _ => format!("curl -X {method} {origin}{path}"),
    }];
    if list(&operation["security"]).any(|scheme| scheme["secretKey"].is_array()) {
        lines.push("-H \"Authorization: Bearer $key\"".to_owned());
    }
    if !body.is_null() {
        lines.push("-H 'Content-Type: application/json'".to_owned());
        lines.push(format!("-d '{body}'"));
    }
    lines.join(" \\\n  ")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn paragraphs(value: &Value) -> Vec<String> {
    let words = value.as_str().unwrap_or_default();
    words.split("\n\n").filter(|words| !words.is_empty()).map(str::to_owned).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn pairs(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
