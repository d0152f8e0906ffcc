//! Composition of the MIME message.

use std::time::{Duration, SystemTime};

use lettre::{
    Address, Message,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use otp::Timestamp;

use crate::delivery::{
    OutgoingMessage,
    template::{self, Email},
};

/// Composes the mail; returns its `Message-ID` and its bytes.
///
/// The id is derived from the id of the outgoing message, so mail programs show a duplicate once. Where bounces are
/// taken it is the name by which they are recognised, which nobody can make up.
pub(super) fn compose(
    from: &Mailbox,
    to: &Address,
    message: &OutgoingMessage,
    email: Email,
    now: Timestamp,
) -> Result<(String, Vec<u8>), lettre::error::Error> {
    let name = message.receipts.as_ref().map_or(&message.id, |receipts| &receipts.reference);
    let id = format!("<{name}@{}>", from.email.domain());
    let sender = match (&message.site.sender, &from.name) {
        (None, Some(_)) => from.clone(),
        (Some(name), _) => Mailbox::new(Some(template::one_line(name)), from.email.clone()),
        // lettre panics on a name with a line break.
        (None, None) => {
            Mailbox::new(Some(template::one_line(&message.site.brand.name)), from.email.clone())
        }
    };
    let message = Message::builder()
        .message_id(Some(id.clone()))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(now.as_millis()))
        .from(sender)
        .to(Mailbox::new(None, to.clone()))
        .subject(email.subject.clone())
        // Suppresses automatic replies (RFC 3834); Exchange has a header of its own.
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .raw_header(raw("X-Auto-Response-Suppress", "All"))
        .raw_header(raw("Content-Language", &email.locale))
        .multipart(body(email))?;
    Ok((id, message.formatted()))
}

/// The plain text and the HTML, the latter with its logo if it shows one (RFC 2387).
fn body(email: Email) -> MultiPart {
    let Email { text, html, logo: Some(logo), .. } = email else {
        return MultiPart::alternative_plain_html(email.text, email.html);
    };
    let media_type = ContentType::parse(logo.media_type).unwrap_or(ContentType::TEXT_PLAIN);
    let logo = Attachment::new_inline(template::LOGO_ID.to_owned()).body(logo.content, media_type);
    let related = MultiPart::related().singlepart(SinglePart::html(html)).singlepart(logo);
    MultiPart::alternative().singlepart(SinglePart::plain(text)).multipart(related)
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
