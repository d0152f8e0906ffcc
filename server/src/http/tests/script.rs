//! Port that answers as told.

use super::*;

/// Answers by the id or by what was typed, and writes down what would have changed something.
#[derive(Default)]
pub(super) struct Script {
    pub(super) acts: Mutex<Vec<String>>,
}

impl Script {
    async fn note(&self, act: String, id: &str) -> Result<(), ApiError> {
        self.acts.lock().unwrap().push(act);
        match id {
            "panics" => panic!("a fault with 123456 in it"),
            "hangs" => std::future::pending().await,
            "away" => Err(ApiError::Unavailable { retry_after: 7 }),
            "unknown" => Err(ApiError::NotFound),
            _ => Ok(()),
        }
    }
}

fn view(state: State) -> VerificationView {
    VerificationView {
        id: ID.to_owned(),
        state,
        recipient: "j***@example.com".to_owned(),
        code_length: 6,
        attempts_left: 4,
        sends_left: 4,
        delivery: Delivery {
            channel: Channel::Email,
            state: DeliveryState::Sent,
            tries: 1,
            number: 1,
        },
        channels: vec![Channel::Email],
        now: 0,
        code_expires_at: 300_000,
        resend_at: 30_000,
        expires_at: 900_000,
        leads_on: false,
    }
}

fn embedding() -> Embedding {
    Embedding {
        site_key: "lk_pub_shop".to_owned(),
        origin: "https://shop.example".to_owned(),
        page_state: Some("abc".to_owned()),
    }
}

#[async_trait]
impl Port for Script {
    fn embed_offer(&self, site_key: &str, origin: &str) -> Option<EmbedOffer> {
        let known = site_key == "lk_pub_shop" && self.knows_origin(origin);
        known.then(|| EmbedOffer {
            origin: origin.to_owned(),
            brand: Brand::default(),
            channels: vec![Channel::Email],
            regions: None,
        })
    }

    fn knows_origin(&self, origin: &str) -> bool {
        ["https://shop.example", "https://other.example"].contains(&origin)
    }

    async fn start(&self, who: &Caller, what: StartRequest) -> Result<VerificationView, ApiError> {
        let page = match &who.door {
            Door::Frame(Embedding { origin, page_state, .. }) => {
                format!(" for {origin} with {}", page_state.as_deref().unwrap_or_default())
            }
            Door::Page | Door::Island => String::new(),
        };
        self.note(format!("start {} {}{page}", what.to, who.address), &what.to).await?;
        match what.to.as_str() {
            "nobody" => Err(ApiError::InvalidRecipient { problem: RecipientProblem::Email }),
            "often@example.com" => {
                Err(ApiError::RateLimited { limit: Limit::RecipientSends, retry_after: 60 })
            }
            _ => Ok(view(State::Pending)),
        }
    }

    async fn page(&self, caller: &Caller, id: &str) -> Result<Option<PageView>, ApiError> {
        let place = match id.split_once('-') {
            Some(("framed", _)) => Place::Embedded(embedding()),
            Some(("hosted", state)) => Place::Visited(WayBack {
                url: "https://shop.example/return".to_owned(),
                result: if state == "approved" { State::Approved } else { State::Pending },
                page_state: Some("abc".to_owned()),
            }),
            _ => Place::Alone,
        };
        let is_behind = match &caller.door {
            Door::Island => true,
            Door::Page => !matches!(place, Place::Embedded(_)),
            Door::Frame(page) => {
                matches!(&place, Place::Embedded(home) if home.origin == page.origin)
            }
        };
        let state = id.trim_start_matches("framed-").trim_start_matches("hosted-");
        let found = self.view(state).await?.filter(|_| is_behind);
        Ok(found.map(|view| PageView {
            proof: (view.state == State::Approved).then_some(Proof::Elsewhere(Some(60_000))),
            claim: (view.state == State::Pending).then(|| "a-claim".to_owned()),
            view: Some(view),
            brand: Brand { name: "Latchkey".to_owned(), ..Brand::default() },
            place,
        }))
    }

    async fn view(&self, id: &str) -> Result<Option<VerificationView>, ApiError> {
        match id {
            ID | "pending" => Ok(Some(view(State::Pending))),
            "approved" => Ok(Some(view(State::Approved))),
            "panics" | "hangs" | "away" => self.note("view".to_owned(), id).await.map(|()| None),
            _ => Ok(None),
        }
    }

    async fn check(
        &self,
        caller: &Caller,
        id: &str,
        guess: &str,
        claim: &str,
    ) -> Result<CheckAnswer, ApiError> {
        let claimed = if claim.is_empty() { "" } else { " with " };
        self.note(format!("check{claimed}{claim}"), id).await?;
        let (outcome, state) = match guess {
            "123456" => (Outcome::Approved, State::Approved),
            "12345" => {
                (Outcome::Malformed { expected: 6, problem: CodeProblem::TooShort }, State::Pending)
            }
            _ => (Outcome::Incorrect { attempts_left: 4 }, State::Pending),
        };
        let leads_on = id.starts_with("framed-") || id.starts_with("hosted-");
        let is_own = outcome == Outcome::Approved && leads_on && caller.door != Door::Island;
        let page = if is_own {
            self.page(caller, &id.replace("pending", "approved")).await?
        } else {
            None
        };
        let token = Token { signed: "a.b.c".to_owned(), expires_at: 60_000 };
        let page = page.map(|page| PageView { proof: Some(Proof::Own(Some(token))), ..page });
        Ok(CheckAnswer { outcome, verification: Some(view(state)), page })
    }

    async fn resend(
        &self,
        _: &Caller,
        id: &str,
        channel: Option<Channel>,
    ) -> Result<VerificationView, ApiError> {
        self.note("resend".to_owned(), id).await?;
        match channel {
            Some(Channel::Sms) => Err(ApiError::ResendTooEarly { retry_after: 25 }),
            _ => Ok(view(State::Pending)),
        }
    }

    async fn cancel(&self, _: &Caller, id: &str) -> Result<(), ApiError> {
        self.note("cancel".to_owned(), id).await
    }

    async fn not_me(&self, link: &str) -> Result<Option<NotMeView>, ApiError> {
        let view = NotMeView {
            recipient: "j***@example.com".to_owned(),
            brand: Brand::default(),
            state: State::Pending,
            is_done: false,
            cool_down_hours: 24,
        };
        Ok((link == ID).then_some(view))
    }

    async fn disown(&self, link: &str) -> Result<bool, ApiError> {
        self.note("disown".to_owned(), link).await?;
        Ok(link == ID)
    }
}
