//! S8: `Debug` shows no secret and no whole recipient.

use std::sync::Arc;

use secrecy::SecretString;
use server::delivery::{
    Inbox, Provider, Senders, Smtp, SmtpSecurity, SmtpSettings, TextSender, Twilio, TwilioSettings,
};

use crate::{CODE, NOW, TIMEOUT, catalogue, message};

const PASSWORD: &str = "a password that nobody guesses";

#[tokio::test]
async fn s8_debug_shows_no_secret() {
    let smtp = SmtpSettings {
        host: "mail.example.com".to_owned(),
        port: 587,
        security: SmtpSecurity::StartTls,
        credentials: Some(("user".to_owned(), SecretString::from(PASSWORD))),
        from: "otp@example.com".to_owned(),
        hello: "otp.example.com".to_owned(),
        ca_file: None,
        timeout: TIMEOUT,
    };
    let twilio = TwilioSettings {
        account_sid: "AC0".to_owned(),
        auth_token: SecretString::from(PASSWORD),
        sender: Some(TextSender::From("+447700900001".to_owned())),
        senders: Senders::default(),
        whatsapp: None,
        voice: None,
        base_url: "https://api.twilio.com".to_owned(),
        timeout: TIMEOUT,
    };
    let (mail, text) = (message("jane.doe@example.com"), message("+447700900142"));
    let providers = [
        Provider::Smtp(Smtp::new(smtp.clone(), catalogue()).unwrap()),
        Provider::Twilio(Twilio::new(twilio.clone(), catalogue()).unwrap()),
        Provider::Inbox(Arc::new(Inbox::new(catalogue()))),
    ];
    providers[2].deliver(&mail, NOW).await.unwrap();

    for shown in [
        format!("{smtp:#?}"),
        format!("{twilio:#?}"),
        format!("{mail:#?}"),
        format!("{text:#?}"),
        format!("{providers:#?}"),
    ] {
        for secret in [PASSWORD, CODE, "jane.doe", "447700900142"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
    assert!(format!("{mail:?}").contains("j***@example.com"), "the masked recipient is shown");
}
