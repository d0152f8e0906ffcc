//! The reference of the JSON API: every endpoint with its fields, their bounds and an example.
//!
//! What it says comes from the API's own description; here it is only laid out.

use leptos::{either::Either, prelude::*};

use crate::pages::shell::{Frame, Head, document};

/// What the reference is made from.
#[derive(Clone, Copy, Debug)]
pub struct ReferencePage<'a> {
    /// Texts, assets, nonce.
    pub frame: Frame<'a>,
    /// What it says.
    pub reference: &'a Reference,
}

/// An API in words. What stands between backticks is set as code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// What is true of all of it, in paragraphs.
    pub intro: Vec<String>,
    /// Its endpoints.
    pub groups: Vec<Group>,
}

/// Endpoints that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// What they are about.
    pub name: String,
    /// What that is.
    pub words: String,
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// A method of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name in links.
    pub id: String,
    /// `GET`, `POST`...
    pub method: String,
    /// The address, as `/v1/verifications/{id}`.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// And in paragraphs.
    pub words: Vec<String>,
    /// What it is told, in its address, headers and body.
    pub asked: Vec<Member>,
    /// How it answers if all is well: the status and what that means.
    pub success: (String, String),
    /// What it then says.
    pub answered: Vec<Member>,
    /// What else it may answer: the status and what that means.
    pub refusals: Vec<(String, String)>,
    /// How it is called with curl.
    pub example: String,
}

/// A field, parameter or header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name; within an object with the name of that in front.
    pub name: String,
    /// Its type and bounds.
    pub kind: String,
    /// It may not be left out.
    pub required: bool,
    /// What it is.
    pub words: String,
}

/// Renders the reference.
pub fn reference(page: ReferencePage<'_>) -> String {
    let ReferencePage { frame, reference } = page;
    let texts = &frame.texts.reference;
    let head = Head {
        title: texts.reference_title.clone(),
        indexed: false,
        sheet: Some(frame.assets.reference_css.clone()),
        ..Head::default()
    };
    document(frame, &head, || {
        let paragraphs = |words: &[String]| words.iter().map(|words| line(words)).collect_view();
        let links = reference.groups.iter().flat_map(|group| &group.endpoints).map(|endpoint| {
            view! {
                <li>
                    <a href=format!("#{}", endpoint.id)>{address(endpoint)}</a>
                </li>
            }
        });
        let groups = reference.groups.iter().map(|group| {
            let endpoints = group.endpoints.iter().map(|endpoint| {
                view! {
                    <article id=endpoint.id.clone()>
                        <h3>{endpoint.summary.clone()}</h3>
                        <p class="address">{address(endpoint)}</p>
                        {paragraphs(&endpoint.words)}
                        <pre tabindex="0" aria-label=texts.reference_example.clone()>
                            <code>{endpoint.example.clone()}</code>
                        </pre>
                        {members(&texts.reference_asked, &endpoint.asked, &texts.reference_required)}
                        {statuses(&texts.reference_answered, std::slice::from_ref(&endpoint.success))}
                        {folded(&texts.reference_fields, &endpoint.answered)}
                        {statuses(&texts.reference_refused, &endpoint.refusals)}
                    </article>
                }
            });
            view! {
                <section>
                    <h2>{group.name.clone()}</h2>
                    {line(&group.words)}
                    {endpoints.collect_view()}
                </section>
            }
        });
        view! {
            <div class="reference" translate="no">
                <h1>{texts.reference_title.clone()}</h1>
                {paragraphs(&reference.intro)}
                <p>
                    <a class="link" href="/v1/openapi.json">
                        {texts.reference_openapi.clone()}
                    </a>
                </p>
                <nav aria-label=texts.reference_title.clone()>
                    <ul>{links.collect_view()}</ul>
                </nav>
                {groups.collect_view()}
            </div>
        }
    })
}

fn address(endpoint: &Endpoint) -> impl IntoView + use<> {
    view! {
        <span class="method" data-method=endpoint.method.clone()>
            {endpoint.method.clone()}
        </span>
        " "
        <code>{endpoint.path.clone()}</code>
    }
}

/// Fields under a heading; nothing where there are none.
fn members(heading: &str, members: &[Member], required: &str) -> impl IntoView + use<> {
    (!members.is_empty()).then(|| {
        view! {
            <h4>{heading.to_owned()}</h4>
            {fields(members, Some(required))}
        }
    })
}

/// Fields that are shown when asked for; nothing where there are none.
fn folded(heading: &str, members: &[Member]) -> impl IntoView + use<> {
    (!members.is_empty()).then(|| {
        view! {
            <details>
                <summary>{heading.to_owned()}</summary>
                {fields(members, None)}
            </details>
        }
    })
}

fn fields(members: &[Member], required: Option<&str>) -> impl IntoView + use<> {
    let list = members.iter().map(|member| {
        let required = required.filter(|_| member.required).map(str::to_owned);
        view! {
            <dt>
                <code>{member.name.clone()}</code>
                " "
                <span>{member.kind.clone()}</span>
                " "
                {required.map(|required| view! { <em>{required}</em> })}
            </dt>
            <dd>{in_line(&member.words)}</dd>
        }
    });
    view! { <dl>{list.collect_view()}</dl> }
}

/// Statuses under a heading; nothing where there are none.
fn statuses(heading: &str, statuses: &[(String, String)]) -> impl IntoView + use<> {
    let list = statuses.iter().map(|(status, words)| {
        view! {
            <li>
                <b>{status.clone()}</b>
                <span>{in_line(words)}</span>
            </li>
        }
    });
    (!statuses.is_empty()).then(|| {
        view! {
            <h4>{heading.to_owned()}</h4>
            <ul class="statuses">{list.collect_view()}</ul>
        }
    })
}

fn line(words: &str) -> impl IntoView + use<> {
    view! { <p>{in_line(words)}</p> }
}

/// Text in which every other stretch between backticks is code.
fn in_line(words: &str) -> impl IntoView + use<> {
    let parts = words.split('`').enumerate().map(|(index, part)| {
        let part = part.to_owned();
        if index % 2 == 1 {
            Either::Left(view! { <code>{part}</code> })
        } else {
            Either::Right(part)
        }
    });
    parts.collect_view()
}
