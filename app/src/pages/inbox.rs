//! The development inbox: messages that were not sent, the code first.

use leptos::prelude::*;

use crate::{
    countdown::{clock_face, seconds_left},
    pages::shell::{Frame, Head, document},
    wire::InboxMessage,
};

/// Input of the inbox.
#[derive(Clone, Debug)]
pub struct InboxPage<'a> {
    /// Texts, assets and nonce.
    pub frame: Frame<'a>,
    /// The messages, in any order.
    pub messages: Vec<InboxMessage>,
    /// The server's clock, in milliseconds since the Unix epoch.
    pub now: u64,
}

/// Renders the messages, newest first.
pub fn inbox(page: InboxPage<'_>) -> String {
    let InboxPage { frame, mut messages, now } = page;
    let texts = &frame.texts.inbox;
    messages.sort_by_key(|message| std::cmp::Reverse(message.number));

    let head = Head { title: texts.inbox_title.clone(), ..Head::default() };
    let empty =
        messages.is_empty().then(|| view! { <p class="empty">{texts.inbox_empty.clone()}</p> });
    document(frame, &head, || {
        let list = messages.into_iter().map(|message| item(frame, message, now)).collect_view();
        view! {
            <div class="inbox">
                <h1>{texts.inbox_title.clone()}</h1>
                <p>{texts.inbox_intro.clone()}</p>
                <a class="link" href="/dev/inbox">
                    {texts.inbox_refresh.clone()}
                </a>
                {empty}
                <ol reversed>{list}</ol>
            </div>
        }
    })
}

fn item(frame: Frame<'_>, message: InboxMessage, now: u64) -> impl IntoView + use<> {
    let (texts, start) = (&frame.texts.inbox, &frame.texts.start);
    let channel = start.channel(message.channel).to_owned();
    let age = clock_face(seconds_left(now, message.received_at));
    view! {
        <li>
            <p class="digits">
                <bdi dir="ltr" translate="no">
                    {message.code}
                </bdi>
            </p>
            <p class="meta">
                {channel} " · " <bdi dir="ltr">{message.to}</bdi> " · " {texts.inbox_age.with(&age)}
            </p>
            <details>
                <summary>{texts.inbox_message.clone()}</summary>
                {(!message.subject.is_empty())
                    .then(|| view! { <p class="subject">{message.subject}</p> })}
                <pre dir="auto">{message.text}</pre>
            </details>
        </li>
    }
}
