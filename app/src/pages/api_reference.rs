//! The API reference: every endpoint with its fields, their bounds and an example.
//!
//! The content comes from the OpenAPI description; this module renders it.

use leptos::{either::Either, prelude::*};

use crate::pages::shell::{Frame, Head, document};

/// Input of the API reference.
#[derive(Clone, Copy, Debug)]
pub struct ReferencePage<'a> {
    /// Texts, assets and nonce.
    pub frame: Frame<'a>,
    /// The content.
    pub reference: &'a Reference,
}

/// Content of the API reference. Text between backticks is rendered as code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// Paragraphs about the whole API.
    pub intro: Vec<String>,
    /// The endpoints by group.
    pub groups: Vec<Group>,
}

/// A group of endpoints (an OpenAPI tag).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Name of the group.
    pub name: String,
    /// Description of the group.
    pub words: String,
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// An endpoint: a method and a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Fragment identifier (the OpenAPI `operationId`).
    pub id: String,
    /// `GET`, `POST`...
    pub method: String,
    /// The path, such as `/v1/verifications/{id}`.
    pub path: String,
    /// Summary in a few words.
    pub summary: String,
    /// Description in paragraphs.
    pub words: Vec<String>,
    /// Parameters, headers and fields of the request.
    pub asked: Vec<Member>,
    /// Status of a successful response, with its description.
    pub success: (String, String),
    /// Fields of a successful response.
    pub answered: Vec<Member>,
    /// Statuses of error responses, with their descriptions.
    pub refusals: Vec<(String, String)>,
    /// Example call with curl.
    pub example: String,
}

/// A field, parameter or header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name, with the path of the object around it.
    pub name: String,
    /// Type and bounds.
    pub kind: String,
    /// Must be present.
    pub required: bool,
    /// Description.
    pub words: String,
}

/// Renders the API reference.
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
        let paragraphs =
            |words: &[String]| words.iter().map(|words| paragraph(words)).collect_view();
        let links = reference.groups.iter().flat_map(|group| &group.endpoints).map(|endpoint| {
            view! {
                <li>
                    <a href=format!("#{}", endpoint.id)>{method_and_path(endpoint)}</a>
                </li>
            }
        });
        let groups = reference.groups.iter().map(|group| {
            let endpoints = group.endpoints.iter().map(|endpoint| {
                view! {
                    <article id=endpoint.id.clone()>
                        <h3>{endpoint.summary.clone()}</h3>
                        <p class="address">{method_and_path(endpoint)}</p>
                        {paragraphs(&endpoint.words)}
                        <pre tabindex="0" aria-label=texts.reference_example.clone()>
                            <code>{endpoint.example.clone()}</code>
                        </pre>
                        {members(&texts.reference_asked, &endpoint.asked, &texts.reference_required)}
                        {statuses(&texts.reference_answered, std::slice::from_ref(&endpoint.success))}
                        {collapsed(&texts.reference_fields, &endpoint.answered)}
                        {statuses(&texts.reference_refused, &endpoint.refusals)}
                    </article>
                }
            });
            view! {
                <section>
                    <h2>{group.name.clone()}</h2>
                    {paragraph(&group.words)}
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

fn method_and_path(endpoint: &Endpoint) -> impl IntoView + use<> {
    view! {
        <span class="method" data-method=endpoint.method.clone()>
            {endpoint.method.clone()}
        </span>
        " "
        <code>{endpoint.path.clone()}</code>
    }
}

/// Fields under a heading; nothing if there are none.
fn members(heading: &str, members: &[Member], required: &str) -> impl IntoView + use<> {
    (!members.is_empty()).then(|| {
        view! {
            <h4>{heading.to_owned()}</h4>
            {fields(members, Some(required))}
        }
    })
}

/// Fields in a collapsed section; nothing if there are none.
fn collapsed(heading: &str, members: &[Member]) -> impl IntoView + use<> {
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
            <dd>{inline(&member.words)}</dd>
        }
    });
    view! { <dl>{list.collect_view()}</dl> }
}

/// Statuses under a heading; nothing if there are none.
fn statuses(heading: &str, statuses: &[(String, String)]) -> impl IntoView + use<> {
    let list = statuses.iter().map(|(status, words)| {
        view! {
            <li>
                <b>{status.clone()}</b>
                <span>{inline(words)}</span>
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

fn paragraph(words: &str) -> impl IntoView + use<> {
    view! { <p>{inline(words)}</p> }
}

/// Text with the parts between backticks as code.
fn inline(words: &str) -> impl IntoView + use<> {
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
