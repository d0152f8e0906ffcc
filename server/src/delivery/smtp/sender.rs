//! The sender of mail, in a form that every mail server takes.

use lettre::{Address, message::Mailbox};
use url::Host;

use crate::delivery::SenderProblem;

/// Reads `address` or `Name <address>`. An internationalised domain is put into its ASCII form (RFC 5890),
/// since the other form is refused by servers without SMTPUTF8.
///
/// # Errors
/// [`SenderProblem`].
pub fn parse_sender(text: &str) -> Result<Mailbox, SenderProblem> {
    let Mailbox { name, email } = text.parse().map_err(SenderProblem::Shape)?;
    if !email.user().is_ascii() {
        return Err(SenderProblem::LocalPart);
    }
    if email.domain().is_ascii() {
        return Ok(Mailbox { name, email });
    }
    let Ok(Host::Domain(domain)) = Host::parse(email.domain()) else {
        return Err(SenderProblem::Domain);
    };
    let email = Address::new(email.user(), domain).map_err(SenderProblem::Shape)?;
    Ok(Mailbox { name, email })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internationalised_domain_is_sent_in_its_ascii_form() {
        for (typed, sent) in [
            ("otp@bücher.example", "otp@xn--bcher-kva.example"),
            ("Bücher <otp@Bücher.example>", "otp@xn--bcher-kva.example"),
            ("Example <otp@Example.com>", "otp@Example.com"),
        ] {
            assert_eq!(parse_sender(typed).unwrap().email.to_string(), sent, "{typed}");
        }
        assert_eq!(parse_sender("Bücher <a@b.example>").unwrap().name.as_deref(), Some("Bücher"));
    }

    #[test]
    fn a_sender_that_servers_would_refuse_is_refused() {
        assert_eq!(parse_sender("büro@example.com"), Err(SenderProblem::LocalPart));
        assert!(matches!(parse_sender("nobody"), Err(SenderProblem::Shape(_))));
        assert!(matches!(parse_sender(""), Err(SenderProblem::Shape(_))));
    }
}
