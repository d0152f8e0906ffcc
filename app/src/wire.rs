//! Types that the server hands to pages and to the island.
//!
//! They carry nothing that the person may not see: no code, no key, and recipients only masked.
//! Times are milliseconds since the Unix epoch by the server's clock, and every answer that holds
//! a time also holds the server's `now`, so that no browser clock is ever trusted.

pub use otp_types::{Channel, DeliveryState, Outcome, State};

/// The newest message of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The channel it went by.
    pub channel: Channel,
    /// Progress of the delivery.
    pub state: DeliveryState,
    /// Number of times that a provider was asked to take it.
    pub tries: u32,
    /// Number of messages of this verification, this one included.
    pub number: u32,
}

/// A verification as the holder of its id may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationView {
    /// The verification's id, 32 characters of base64url.
    pub id: String,
    /// State.
    pub state: State,
    /// The recipient, masked for people, for example `j***@example.com`.
    pub recipient: String,
    /// Number of digits of the code.
    pub code_length: u8,
    /// Checks that are left.
    pub attempts_left: u32,
    /// Messages that may still be asked for.
    pub sends_left: u32,
    /// The newest message.
    pub delivery: Delivery,
    /// Channels by which another code can be asked for.
    pub channels: Vec<Channel>,
    /// The server's clock when this was written.
    pub now: u64,
    /// Time at which the newest code stops being accepted.
    pub code_expires_at: u64,
    /// Time from which another code may be asked for.
    pub resend_at: u64,
    /// Time at which the verification as a whole expires.
    pub expires_at: u64,
    /// Its end is followed by a return form or by a message to the embedding page, which the page that
    /// the server renders then holds.
    pub leads_on: bool,
}

/// Brand of a relying party.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    /// Its name, on pages and in messages.
    pub name: String,
    /// Its logo as a `data:` URI, so that no page of ours loads anything from elsewhere.
    pub logo: Option<String>,
    /// Its colour, as `#rrggbb`, on light ground and on dark.
    pub accent: Option<(String, String)>,
    /// URL for help: `mailto:` or `https:`.
    pub support: Option<String>,
}

/// Content of the page of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageView {
    /// The verification; `None` where it has expired.
    pub view: Option<VerificationView>,
    /// Brand of the site.
    pub brand: Brand,
    /// The page or site around it.
    pub place: Place,
    /// The proof of an approved verification; `None` for any other.
    pub proof: Option<Proof>,
    /// The claim of this page, while it asks for a code.
    pub claim: Option<String>,
}

/// The proof of an approved verification, as far as one client may have it (S31).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// This client's check was approved; `None` once the result is redeemed or its time is over.
    Own(Option<Token>),
    /// Another client's check was; time at which the result's time is over, `None` once it is.
    Elsewhere(Option<u64>),
}

/// A signed result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The result token.
    pub signed: String,
    /// Time from which it is refused.
    pub expires_at: u64,
}

impl Proof {
    /// The token, for the client that may have it.
    pub fn token(&self) -> Option<&Token> {
        match self {
            Self::Own(token) => token.as_ref(),
            Self::Elsewhere(_) => None,
        }
    }
}

impl PageView {
    /// The way back to the relying party, once the verification is over. That of an approved one is for
    /// the client alone whose check was approved.
    pub fn way_back(&self) -> Option<&WayBack> {
        let Place::Visited(way) = &self.place else { return None };
        let is_open = match (way.result, &self.proof) {
            (State::Pending, _) => false,
            (State::Approved, proof) => matches!(proof, Some(Proof::Own(_))),
            _ => true,
        };
        is_open.then_some(way)
    }
}

/// Content of the page behind the link "this wasn't me" of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotMeView {
    /// The recipient of the mail, masked.
    pub recipient: String,
    /// Brand of the site.
    pub brand: Brand,
    /// State of the verification. An approved one stays approved.
    pub state: State,
    /// The recipient has said so already.
    pub is_done: bool,
    /// Whole hours, rounded up, in which strangers can then have no code sent to the recipient.
    pub cool_down_hours: u32,
}

/// Place of a verification's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// It began on our own first page.
    #[default]
    Alone,
    /// The relying party has sent the person here and waits for them.
    Visited(WayBack),
    /// It is shown in a frame of a relying party's page.
    Embedded(Embedding),
}

/// The way back to a relying party: a form that is posted to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayBack {
    /// Exactly as the relying party has listed it.
    pub url: String,
    /// How the verification ended; `Pending` while it has not.
    pub result: State,
    /// The relying party's own identifier for its session.
    pub page_state: Option<String>,
}

/// A relying party's page with a frame in which a verification begins and is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedding {
    /// The public key of the site.
    pub site_key: String,
    /// The origin of the page, the only one that may frame the verification.
    pub origin: String,
    /// The page's own identifier for its session; part of the token.
    pub page_state: Option<String>,
}

/// Offer of a site for frames in its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedOffer {
    /// The one origin that may frame it.
    pub origin: String,
    /// Brand of the site.
    pub brand: Brand,
    /// The channels to offer, in their order.
    pub channels: Vec<Channel>,
    /// ISO 3166-1 regions to which text messages go; `None` for all.
    pub regions: Option<Vec<String>>,
}

/// The answer to a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckAnswer {
    /// Outcome of the check.
    pub outcome: Outcome,
    /// The verification after it; `None` where it has expired or never was.
    pub verification: Option<VerificationView>,
    /// The page with the proof, if the proof is this client's and leads on to a relying party.
    pub page: Option<PageView>,
}

/// Input of the start form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartRequest {
    /// The channel that was chosen; without one it follows from what `to` looks like.
    pub channel: Option<Channel>,
    /// An e-mail address or a phone number. Ignored where the server has a fixed recipient.
    pub to: String,
    /// ISO 3166-1 alpha-2 region in which a phone number without country code is read.
    pub country: Option<String>,
}

/// One country of the phone form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2, for example `GB`.
    pub region: String,
    /// Its name in the page's language.
    pub name: String,
    /// Country calling code without the plus sign, for example `44`.
    pub calling_code: u16,
}

/// Options of the start page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartOptions {
    /// The channels that have a provider, in the order to offer them.
    pub channels: Vec<Channel>,
    /// Masked form of the fixed recipient, with which nothing is typed.
    pub fixed_recipient: Option<String>,
    /// Countries of the phone form, sorted by name; empty without a phone channel.
    pub countries: Vec<Country>,
    /// The region selected at first.
    pub default_country: String,
}

/// A message that the development inbox has caught.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize, serde::Serialize))]
pub struct InboxMessage {
    /// Counts up from 1 as messages arrive.
    pub number: u64,
    /// When it arrived.
    pub received_at: u64,
    /// The channel it went by.
    pub channel: Channel,
    /// The whole recipient: the inbox exists in development only.
    pub to: String,
    /// Subject of an e-mail, empty for a text message.
    pub subject: String,
    /// The text that would have been delivered.
    pub text: String,
    /// The code alone, so that tests and people need not search for it.
    pub code: String,
}
