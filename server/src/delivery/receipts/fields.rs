//! Receipts of gateways that are described by configuration. They have no signature of their own that would be known
//! here: the reference in the URL is their proof.

use serde_json::Value;

use super::{ReceiptRequest, Told, field, form, form_in, is_of_type};

/// Places and meanings in the receipts of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptFields {
    /// The field with the status: a JSON pointer, or the name of a field of a JSON object, a form or a query.
    pub status: String,
    /// Its values for messages that have arrived.
    pub delivered: Vec<String>,
    /// Its values for messages that never will.
    pub undelivered: Vec<String>,
    /// The field with the gateway's id of the message.
    pub message_id: Option<String>,
}

impl ReceiptFields {
    /// Reads a receipt; `None` if it says nothing about the fate of the message.
    pub(in crate::delivery) fn read(&self, request: &ReceiptRequest<'_>) -> Option<Told> {
        let status = value(request, &self.status)?;
        let has_arrived = self.delivered.contains(&status);
        let is_final = has_arrived || self.undelivered.contains(&status);
        let reference = self.message_id.as_ref().and_then(|name| value(request, name));
        is_final.then_some(Told { has_arrived, reference })
    }
}

/// The value of a field, in the body or else in the query.
fn value(request: &ReceiptRequest<'_>, name: &str) -> Option<String> {
    let text = |fields: &[(String, String)]| field(fields, name).map(str::to_owned);
    let in_body = if is_of_type(request.headers, "application/json") {
        let body: Value = serde_json::from_slice(request.body).ok()?;
        let found = if name.starts_with('/') { body.pointer(name) } else { body.get(name) };
        found.and_then(|found| match found {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    } else {
        form_in(request).and_then(|fields| text(&fields))
    };
    in_body.or_else(|| text(&form(request.query?.as_bytes())))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn read(fields: &ReceiptFields, kind: &str, query: Option<&str>, body: &str) -> Option<Told> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", kind.parse().unwrap());
        let request = ReceiptRequest {
            provider: "gateway",
            reference: Some("R"),
            query,
            headers: &headers,
            body: body.as_bytes(),
        };
        fields.read(&request)
    }

    #[test]
    fn a_status_is_found_in_a_form_in_json_and_in_a_query() {
        let fields = ReceiptFields {
            status: "status".into(),
            delivered: vec!["delivered".into(), "1".into()],
            undelivered: vec!["failed".into()],
            message_id: Some("id".into()),
        };
        let pointers = ReceiptFields {
            status: "/data/0/status".into(),
            message_id: Some("/data/0/id".into()),
            ..fields.clone()
        };
        let told = |has_arrived, id: &str| Some(Told { has_arrived, reference: Some(id.into()) });
        let (form, json) = ("application/x-www-form-urlencoded", "application/json; charset=utf-8");
        for (fields, kind, query, body, expected) in [
            (&fields, form, None, "status=delivered&id=7", told(true, "7")),
            (&fields, form, None, "status=failed&id=7", told(false, "7")),
            (&fields, form, None, "status=buffered&id=7", None),
            (&fields, form, None, "id=7", None),
            (&fields, form, Some("status=delivered&id=8"), "", told(true, "8")),
            (&fields, form, Some("status=delivered"), "status=failed&id=9", told(false, "9")),
            (&fields, json, None, r#"{"status":1,"id":"7"}"#, told(true, "7")),
            (&pointers, json, None, r#"{"data":[{"status":"failed","id":7}]}"#, told(false, "7")),
            (&pointers, json, None, r#"{"data":[{"status":["failed"]}]}"#, None),
            (&pointers, json, None, "no JSON", None),
            (&fields, "text/plain", None, "status=delivered", None),
        ] {
            assert_eq!(read(fields, kind, query, body), expected, "{kind} {query:?} {body}");
        }
    }
}
