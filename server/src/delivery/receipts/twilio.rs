//! Status callbacks of Twilio: forms, signed over the exact URL and all fields.
//!
//! The signature is base64 of HMAC-SHA-1, keyed with the account's auth token, over the URL as Twilio was given it and
//! the names and values of all fields, sorted by name, equal values of a name once and sorted. Twilio puts the port into
//! that URL or leaves it out, so its own libraries try both, and so does this.
//! <https://www.twilio.com/docs/usage/security#validating-requests>

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Forged, ReceiptRequest, Told, field, form_in};
use crate::origin::Origin;

/// Statuses of messages and calls that have arrived. A call has when it was answered.
const ARRIVED: [&str; 3] = ["delivered", "read", "completed"];
/// Statuses of those that never will. Others are on the way.
const FAILED: [&str; 5] = ["undelivered", "failed", "busy", "no-answer", "canceled"];

/// The account that signs callbacks.
pub(in crate::delivery) struct Account<'a> {
    /// Its auth token.
    pub(in crate::delivery) token: &'a SecretString,
}

impl Account<'_> {
    /// Reads a callback to this path.
    pub(in crate::delivery) fn read(
        &self,
        request: &ReceiptRequest<'_>,
        origin: &Origin,
        path: &str,
    ) -> Result<Option<Told>, Forged> {
        // The URL that Twilio was given has no query, so one that has is not what it called.
        let fields = form_in(request).filter(|_| request.query.is_none()).ok_or(Forged)?;
        let given = request.headers.get("x-twilio-signature").ok_or(Forged)?;
        let given = BASE64_STANDARD.decode(given.as_bytes()).map_err(|_| Forged)?;
        let is_signed = origins(origin).iter().any(|origin| {
            let signed = signed_text(&format!("{origin}{path}"), &fields);
            hmac::verify(&self.key(), signed.as_bytes(), &given).is_ok()
        });
        if !is_signed {
            return Err(Forged);
        }
        let [of_message, of_call] = ["Message", "Call"].map(|kind| {
            let status = field(&fields, &format!("{kind}Status"))?;
            Some((status, field(&fields, &format!("{kind}Sid"))))
        });
        Ok(of_message.or(of_call).and_then(|(status, id)| {
            let has_arrived = ARRIVED.contains(&status);
            let is_final = has_arrived || FAILED.contains(&status);
            is_final.then(|| Told { has_arrived, reference: id.map(str::to_owned) })
        }))
    }

    fn key(&self) -> hmac::Key {
        let token = self.token.expose_secret().as_bytes();
        hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token)
    }
}

/// The origin without a port and with one.
fn origins(origin: &Origin) -> [String; 2] {
    let url = Url::parse(origin.as_str()).ok();
    let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or_default();
    let scheme = if origin.is_https() { "https" } else { "http" };
    let host = origin.host();
    [format!("{scheme}://{host}"), format!("{scheme}://{host}:{port}")]
}

/// The text that is signed.
fn signed_text(url: &str, fields: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    const TOKEN: &str = "12345";
    const PATH: &str = "/receipts/twilio/R";

    fn read(
        origin: &str,
        (signature, kind): (&str, &str),
        query: Option<&str>,
        body: &str,
    ) -> Result<Option<Told>, Forged> {
        let mut headers = HeaderMap::new();
        headers.insert("x-twilio-signature", signature.parse().unwrap());
        headers.insert("content-type", kind.parse().unwrap());
        let request = ReceiptRequest {
            provider: "twilio",
            reference: Some("R"),
            query,
            headers: &headers,
            body: body.as_bytes(),
        };
        let account = Account { token: &SecretString::from(TOKEN) };
        account.read(&request, &Origin::parse(origin).unwrap(), PATH)
    }

    fn sign(url: &str, body: &str) -> String {
        let account = Account { token: &SecretString::from(TOKEN) };
        let text = signed_text(url, &super::super::form(body.as_bytes()));
        BASE64_STANDARD.encode(hmac::sign(&account.key(), text.as_bytes()))
    }

    const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";
    const BODY: &str = "MessageSid=SM1&MessageStatus=delivered&To=%2B44%207400";

    /// The example of Twilio's documentation and libraries.
    #[test]
    fn a_signature_is_that_of_twilio() {
        let fields = super::super::form(
            b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
        );
        let text = signed_text("https://mycompany.com/myapp.php?foo=1&bar=2", &fields);
        let account = Account { token: &SecretString::from(TOKEN) };
        let signature = BASE64_STANDARD.encode(hmac::sign(&account.key(), text.as_bytes()));
        assert_eq!(signature, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn s22_a_callback_is_believed_for_the_exact_url_with_and_without_port() {
        let arrived = Ok(Some(Told { has_arrived: true, reference: Some("SM1".into()) }));
        for (origin, urls) in [
            ("https://otp.example", ["https://otp.example", "https://otp.example:443"]),
            ("https://otp.example:8443", ["https://otp.example", "https://otp.example:8443"]),
            ("http://127.0.0.1:3000", ["http://127.0.0.1", "http://127.0.0.1:3000"]),
        ] {
            for url in urls {
                let signature = sign(&format!("{url}{PATH}"), BODY);
                assert_eq!(read(origin, (&signature, FORM), None, BODY), arrived, "{url}");
            }
            for url in ["https://evil.example", "http://otp.example", "https://otp.example:444"] {
                let signature = sign(&format!("{url}{PATH}"), BODY);
                assert_eq!(read(origin, (&signature, FORM), None, BODY), Err(Forged), "{url}");
            }
        }
    }

    #[test]
    fn s22_an_altered_callback_is_forged() {
        let origin = "https://otp.example";
        let signature = sign(&format!("{origin}{PATH}"), BODY);
        for body in [
            BODY.replace("delivered", "failed"),
            BODY.replace("SM1", "SM2"),
            format!("{BODY}&MessageStatus=failed"),
            format!("MessageStatus=failed&{BODY}"),
            BODY.replace("&To", "&to"),
            String::new(),
        ] {
            assert_eq!(read(origin, (&signature, FORM), None, &body), Err(Forged), "{body}");
        }
        for altered in ["", "=", "AAAA", &signature[1..], &format!("{signature}=")] {
            assert_eq!(read(origin, (altered, FORM), None, BODY), Err(Forged), "{altered}");
        }
        assert_eq!(read(origin, (&signature, "text/plain"), None, BODY), Err(Forged));
        // Bodies that are no forms are signed by their digest in the query.
        let query = "bodySHA256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let signature = sign(&format!("{origin}{PATH}?{query}"), "");
        for kind in ["application/json", FORM] {
            assert_eq!(read(origin, (&signature, kind), Some(query), ""), Err(Forged), "{kind}");
        }
    }

    #[test]
    fn the_order_of_fields_and_repeated_values_do_not_matter() {
        let url = format!("https://otp.example{PATH}");
        let signature = sign(&url, "MessageStatus=read&MessageSid=SM1&a=2&a=1");
        let body = "a=1&a=2&a=1&MessageSid=SM1&MessageStatus=read";
        assert!(read("https://otp.example", (&signature, FORM), None, body).is_ok());
    }

    #[test]
    fn statuses_of_messages_and_calls_have_their_meaning() {
        for (body, meaning) in [
            ("MessageStatus=delivered", Some(true)),
            ("MessageStatus=read", Some(true)),
            ("MessageStatus=undelivered&ErrorCode=30003", Some(false)),
            ("MessageStatus=failed", Some(false)),
            ("MessageStatus=canceled", Some(false)),
            ("MessageStatus=queued", None),
            ("MessageStatus=sending", None),
            ("MessageStatus=sent", None),
            ("CallStatus=completed&CallSid=CA1", Some(true)),
            ("CallStatus=busy", Some(false)),
            ("CallStatus=no-answer", Some(false)),
            ("CallStatus=in-progress", None),
            ("Other=1", None),
        ] {
            let signature = sign(&format!("https://otp.example{PATH}"), body);
            let told = read("https://otp.example", (&signature, FORM), None, body).unwrap();
            assert_eq!(told.map(|told| told.has_arrived), meaning, "{body}");
        }
    }
}
