//! Receipts of a gateway of the operator's own: JSON, signed by *Standard Webhooks* with the secret that its messages
//! are signed with.

use otp::Timestamp;
use serde::Deserialize;

use super::{Forged, ReceiptRequest, Told};
use crate::webhook::Signer;

/// Longest difference between the time of a request and ours, in seconds.
const TOLERANCE: u64 = 300;

#[derive(Deserialize)]
struct Receipt {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    /// The `webhook-id` of the message. So the signature is about this message and no other.
    id: String,
    /// The gateway's own id of it.
    reference: Option<String>,
}

/// Reads a receipt about the message with this id.
pub(in crate::delivery) fn read(
    request: &ReceiptRequest<'_>,
    signer: &Signer,
    message: &str,
    now: Timestamp,
) -> Result<Option<Told>, Forged> {
    let header = |name| request.headers.get(name).and_then(|value| value.to_str().ok());
    let seconds = header("webhook-timestamp").and_then(|seconds| seconds.parse::<u64>().ok());
    let (Some(id), Some(seconds), Some(signature)) =
        (header("webhook-id"), seconds, header("webhook-signature"))
    else {
        return Err(Forged);
    };
    let is_recent = seconds.abs_diff(now.as_millis() / 1000) <= TOLERANCE;
    if !is_recent || !signer.has_signed(id, seconds, request.body, signature) {
        return Err(Forged);
    }
    let receipt: Receipt = serde_json::from_slice(request.body).map_err(|_| Forged)?;
    if receipt.data.id.strip_prefix("msg_") != Some(message) {
        return Err(Forged);
    }
    let has_arrived = match &*receipt.kind {
        "message.delivered" => true,
        "message.undelivered" => false,
        _ => return Ok(None),
    };
    Ok(Some(Told { has_arrived, reference: receipt.data.reference }))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;
    use crate::{keyring::Keyring, webhook::Secret};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const SECONDS: u64 = 1_700_000_000;

    fn signer(letters: &[&str], name: &str) -> Signer {
        let texts: Vec<_> = letters.iter().map(|letter| letter.repeat(43)).collect();
        let keyring = Keyring::parse(texts.iter().map(String::as_str)).unwrap();
        Signer::new(&Secret::of_provider(&keyring, name).unwrap())
    }

    fn receive(signed_by: &Signer, seconds: u64, body: &str) -> Result<Option<Told>, Forged> {
        let signature = signed_by.sign("rcpt_1", seconds, body.as_bytes());
        let headers = [
            ("webhook-id", "rcpt_1".to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signature),
        ];
        let headers: HeaderMap = headers
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .into_iter()
            .collect();
        let request = ReceiptRequest {
            provider: "own",
            reference: Some("R"),
            query: None,
            headers: &headers,
            body: body.as_bytes(),
        };
        read(&request, &signer(&["A"], "own"), "m1", NOW)
    }

    fn body(kind: &str, id: &str) -> String {
        format!(r#"{{"type":"{kind}","timestamp":"x","data":{{"id":"{id}","reference":"g-1"}}}}"#)
    }

    #[test]
    fn s22_a_receipt_is_believed_with_the_signature_of_the_gateway_for_its_own_message() {
        let own = signer(&["A"], "own");
        let reference = Some("g-1".to_owned());
        let told = |kind| receive(&own, SECONDS, &body(kind, "msg_m1"));
        let arrived = Told { has_arrived: true, reference: reference.clone() };
        assert_eq!(told("message.delivered"), Ok(Some(arrived)));
        let failed = Told { has_arrived: false, reference };
        assert_eq!(told("message.undelivered"), Ok(Some(failed)));
        assert_eq!(told("message.send"), Ok(None), "our own request, sent back");

        let delivered = body("message.delivered", "msg_m1");
        for other in [signer(&["B"], "own"), signer(&["A"], "other")] {
            assert_eq!(receive(&other, SECONDS, &delivered), Err(Forged));
        }
        let rotated = signer(&["B", "A"], "own");
        assert!(receive(&rotated, SECONDS, &delivered).is_ok(), "one of its signatures is right");
        for late in [SECONDS - 301, SECONDS + 301] {
            assert_eq!(receive(&own, late, &delivered), Err(Forged));
        }
        assert!(receive(&own, SECONDS - 300, &delivered).is_ok());
        for id in ["msg_m2", "m1", "msg_", ""] {
            let about_another = body("message.delivered", id);
            assert_eq!(receive(&own, SECONDS, &about_another), Err(Forged), "{id}");
        }
        for odd in ["", "{}", "[]", r#"{"type":"message.delivered"}"#] {
            assert_eq!(receive(&own, SECONDS, odd), Err(Forged), "{odd}");
        }
    }
}
