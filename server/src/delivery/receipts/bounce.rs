//! Bounces: mail that came back with a report of its delivery (RFC 3464).
//!
//! The message is recognised by its `Message-ID`, which is a reference, in the part of it that the report returns. Mail
//! that is no such report, such as an automatic reply, says nothing.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders};

use super::Told;

/// The reference and the fate of the message that a report is about.
pub(in crate::delivery) fn read(mail: &[u8]) -> Option<(String, Told)> {
    let mail = MessageParser::default().parse(mail)?;
    let report = mail.content_type()?.attribute("report-type")?;
    let is_report = mail.is_content_type("multipart", "report");
    if !is_report || !report.eq_ignore_ascii_case("delivery-status") {
        return None;
    }
    let parts = mail.root_part().sub_parts()?.iter();
    let parts: Vec<_> = parts.filter_map(|id| mail.parts.get(*id as usize)).collect();
    let status = parts.iter().find(|part| {
        part.is_content_type("message", "delivery-status")
            || part.is_content_type("message", "global-delivery-status")
    })?;
    let has_arrived = has_arrived(status.contents())?;
    let reference = parts.iter().find_map(|part| reference_in(part))?;
    Some((reference, Told { has_arrived, reference: None }))
}

/// The fate that a report tells of; `None` if that is open. Our messages have one recipient. A report about several is
/// one of a forwarder, where one that was reached is enough.
fn has_arrived(status: &[u8]) -> Option<bool> {
    // Groups of fields, separated by empty lines (RFC 3464, 2.1).
    let text = String::from_utf8_lossy(status).replace("\r\n", "\n");
    let actions: Vec<_> = text.split("\n\n").filter_map(action).collect();
    let is = |word: &str| actions.iter().any(|action| action.eq_ignore_ascii_case(word));
    if is("delivered") {
        Some(true)
    } else if is("failed") && !is("delayed") && !is("relayed") && !is("expanded") {
        Some(false)
    } else {
        None
    }
}

/// The action of one group, as `failed` (RFC 3464, 2.3.3).
fn action(group: &str) -> Option<String> {
    let fields = MessageParser::default().parse_headers(group.trim_start())?;
    let action = fields.header("Action")?.as_text()?;
    action.split_ascii_whitespace().next().map(str::to_owned)
}

/// The reference in the `Message-ID` of a message that a part returns, whole or its header alone.
fn reference_in(part: &MessagePart<'_>) -> Option<String> {
    let local = |message: &Message<'_>| {
        let id = message.message_id()?;
        id.rsplit_once('@').map(|(local, _)| local.to_owned())
    };
    if let Some(returned) = part.message() {
        return local(returned);
    }
    let is_header = part.is_content_type("text", "rfc822-headers");
    let header = is_header.then(|| MessageParser::default().parse_headers(part.contents()));
    local(&header??)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A report as Postfix writes it.
    fn report(action: &str, returned: &str) -> String {
        format!(
            "Return-Path: <>\r\n\
             From: MAILER-DAEMON@mx.example.com (Mail Delivery System)\r\n\
             Subject: Undelivered Mail Returned to Sender\r\n\
             To: otp@example.com\r\n\
             Auto-Submitted: auto-replied\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n\
             \tboundary=\"B/mx.example.com\"\r\n\
             Message-Id: <20261122000000.0@mx.example.com>\r\n\
             \r\n\
             This is a MIME-encapsulated message.\r\n\
             \r\n\
             --B/mx.example.com\r\n\
             Content-Description: Notification\r\n\
             Content-Type: text/plain; charset=us-ascii\r\n\
             \r\n\
             Action: delivered is what this text says.\r\n\
             \r\n\
             --B/mx.example.com\r\n\
             Content-Description: Delivery report\r\n\
             Content-Type: message/delivery-status\r\n\
             \r\n\
             Reporting-MTA: dns; mx.example.com\r\n\
             X-Postfix-Queue-ID: 0\r\n\
             \r\n\
             Final-Recipient: rfc822; jane@example.com\r\n\
             {action}\r\n\
             Status: 5.1.1\r\n\
             Diagnostic-Code: smtp; 550 5.1.1 <jane@example.com>: no such\r\n\
             \x20   mailbox\r\n\
             \r\n\
             --B/mx.example.com\r\n\
             {returned}\r\n\
             \r\n\
             --B/mx.example.com--\r\n"
        )
    }

    const WHOLE: &str = "Content-Type: message/rfc822\r\n\r\nFrom: Shop <otp@example.com>\r\n\
                         Message-ID: <Ref_-1@example.com>\r\nSubject: S\r\n\r\n123456 is your code";
    const HEADER: &str = "Content-Type: text/rfc822-headers\r\n\r\nFrom: Shop <otp@example.com>\r\n\
                          Message-ID: <Ref_-1@example.com>\r\nSubject: S\r\n";

    fn fate(mail: &str) -> Option<(String, bool)> {
        read(mail.as_bytes()).map(|(reference, told)| (reference, told.has_arrived))
    }

    #[test]
    fn a_report_is_read_with_the_whole_message_and_with_its_header() {
        for returned in [WHOLE, HEADER] {
            for (action, expected) in [
                ("Action: failed", Some(false)),
                ("action:  FAILED (really)", Some(false)),
                ("Action: delivered", Some(true)),
                ("Action: delayed", None),
                ("Action: relayed", None),
                ("Action: expanded", None),
                (
                    "Action: failed\r\n\r\nFinal-Recipient: rfc822; b@c.example\r\nAction: relayed",
                    None,
                ),
                ("Action: other", None),
                ("X-Action: failed", None),
            ] {
                let expected = expected.map(|has_arrived| ("Ref_-1".to_owned(), has_arrived));
                assert_eq!(fate(&report(action, returned)), expected, "{action}");
                let unix = report(action, returned).replace("\r\n", "\n");
                assert_eq!(fate(&unix), expected, "{action}, lines as a pipe gives them");
            }
        }
    }

    #[test]
    fn other_mail_and_mail_that_is_cut_off_says_nothing() {
        let whole = report("Action: failed", WHOLE);
        for mail in [
            String::new(),
            "Subject: out of office\r\n\r\nAction: failed\r\nMessage-ID: <Ref_-1@x>".to_owned(),
            whole.replace("report-type=delivery-status", "report-type=disposition-notification"),
            whole.replace("multipart/report", "multipart/mixed"),
            whole.replace("message/delivery-status", "text/plain"),
            whole.replace("Message-ID", "X-Message-ID"),
            whole.replace("<Ref_-1@example.com>", "Ref"),
            report("Action: failed", "Content-Type: text/plain\r\n\r\nMessage-ID: <Ref_-1@x>"),
        ] {
            assert_eq!(fate(&mail), None, "{mail}");
        }
        for end in 0..whole.len() {
            let cut = fate(&whole[..end]);
            assert!(cut.is_none_or(|(reference, _)| "Ref_-1".starts_with(&reference)), "{end}");
        }
    }

    proptest! {
        /// Whatever is done to a report, it is read to its end.
        #[test]
        fn s19_no_mail_is_a_fault(
            at in 0_usize..1400,
            length in 0_usize..200,
            with in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut mail = report("Action: failed", WHOLE).into_bytes();
            let at = at.min(mail.len());
            let end = (at + length).min(mail.len());
            mail.splice(at..end, with);
            let _ = read(&mail);
        }
    }
}
