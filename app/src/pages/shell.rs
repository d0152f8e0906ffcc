//! The HTML document of every page: head, inline style sheets, scripts.

use leptos::{either::Either, prelude::*};

use crate::{
    look::Look,
    pages::setting::Told,
    texts::{ReturnTexts, Slotted, Texts},
    wire::Brand,
};

/// Style sheets and scripts of the pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// The style sheet, inlined so that no request blocks the first paint.
    pub css: String,
    /// The style sheet for dark pages, inlined.
    pub dark: String,
    /// The style sheet for pages in a frame, inlined.
    pub embed_css: String,
    /// The style sheet of the API reference, inlined in that page only.
    pub reference_css: String,
    /// Source of the loader, inlined.
    pub loader: String,
    /// Source of the script of pages in a frame, inlined.
    pub frame: String,
    /// Source of the script that does the work before a message, inlined.
    pub work: String,
    /// URL of the island's JavaScript glue. If empty, the pages have no loader.
    pub js: String,
    /// URL of the island's WebAssembly.
    pub wasm: String,
}

/// Input that all pages have in common.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The texts in the negotiated locale.
    pub texts: &'a Texts,
    /// The style sheets and scripts.
    pub assets: &'a Assets,
    /// Nonce of this response's Content-Security-Policy.
    pub nonce: &'a str,
    /// There is a start page outside of frames.
    pub has_start: bool,
}

/// Task of the loader in a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Script {
    /// Hydrates the island of the page.
    Hydrate,
    /// Loads the island into the cache for the next page.
    Prefetch,
    /// There is no loader.
    #[default]
    None,
}

/// Everything around the content of a page.
#[derive(Default)]
pub(super) struct Head {
    /// The title; holds nothing personal, since browsers keep it in the history.
    pub(super) title: String,
    /// The page reports an error, which the title names first.
    pub(super) is_error: bool,
    /// Search engines may list the page.
    pub(super) indexed: bool,
    pub(super) script: Script,
    /// The packed seed of the island, if there is one.
    pub(super) seed: Option<String>,
    /// Style sheet of this page only.
    pub(super) sheet: Option<String>,
    /// The site's logo.
    pub(super) logo: Option<Logo>,
    /// Text on what a code is for, around the name of the relying party.
    pub(super) account: Option<(Slotted, String)>,
    /// Link to the site's help.
    pub(super) support: Option<Support>,
    /// Colour scheme and custom colours.
    pub(super) look: Look,
    /// Data for the embedding page, in a frame.
    pub(super) told: Option<Told>,
    /// The page has work to do.
    pub(super) works: bool,
}

/// A relying party's logo.
pub(super) struct Logo {
    /// A `data:` URI; without one the name is shown.
    image: Option<String>,
    /// The name of the relying party.
    name: String,
}

impl Logo {
    /// The logo, if there is one.
    pub(super) fn of(brand: &Brand) -> Option<Self> {
        brand.logo.is_some().then(|| Self::or_name(brand))
    }

    /// The logo, or the name.
    pub(super) fn or_name(brand: &Brand) -> Self {
        Self { image: brand.logo.clone(), name: brand.name.clone() }
    }
}

/// Link to the help of a relying party.
pub(super) struct Support {
    url: String,
    text: Slotted,
    name: String,
}

impl Support {
    /// The link, if there is one.
    pub(super) fn of(brand: &Brand, texts: &ReturnTexts) -> Option<Self> {
        let (text, name) = (texts.support.clone(), brand.name.clone());
        Some(Self { url: brand.support.clone()?, text, name })
    }
}

/// Renders a document with `main` as its content.
///
/// `main` is a function so that its signals belong to an owner that is dropped after rendering.
pub(super) fn document<V: IntoView>(
    frame: Frame<'_>,
    head: &Head,
    main: impl FnOnce() -> V,
) -> String {
    let Frame { texts, assets, nonce, .. } = frame;
    let title = texts.card.titled(&head.title, head.is_error);
    let task = match head.script {
        Script::Hydrate => "hydrate",
        Script::Prefetch => "prefetch",
        Script::None => "",
    };
    let script = (!task.is_empty() && !assets.js.is_empty()).then(|| {
        view! {
            <script
                nonce=nonce.to_owned()
                data-task=task
                data-js=assets.js.clone()
                data-wasm=assets.wasm.clone()
                inner_html=assets.loader.clone()
            ></script>
        }
    });
    let frame_script = head.told.as_ref().filter(|_| !assets.frame.is_empty()).map(|_| {
        view! { <script nonce=nonce.to_owned() inner_html=assets.frame.clone()></script> }
    });
    let work_script = (head.works && !assets.work.is_empty()).then(|| {
        view! { <script nonce=nonce.to_owned() inner_html=assets.work.clone()></script> }
    });
    let style = |css: String, media: Option<&'static str>| {
        (!css.is_empty())
            .then(|| view! { <style nonce=nonce.to_owned() media=media inner_html=css></style> })
    };
    let look = &head.look;
    let dark = look.theme.dark_when().map(|when| style(assets.dark.clone(), Some(when)));
    let framed = head.told.as_ref().map(|_| style(assets.embed_css.clone(), None));
    let sheet = head.sheet.clone().map(|sheet| style(sheet, None));
    let support = head.support.as_ref().map(|support| {
        view! {
            <p class="support">
                <a class="link" href=support.url.clone()>
                    {support.text.before.clone()}<bdi>{support.name.clone()}</bdi>
                    {support.text.after.clone()}
                </a>
            </p>
        }
    });
    let told = head.told.clone().unwrap_or_default();
    // The embedding page has a main landmark of its own, so that of the frame gets a name.
    let label = head.told.as_ref().map(|_| head.title.clone());
    let embedder = head.told.is_some().then_some(told.embedder);
    // The script of the frame fills it in.
    let required = embedder.is_some().then(|| texts.return_form.verify_first.clone());
    let alert = embedder.is_some().then(|| view! { <p id="required" role="alert"></p> });
    let owner = Owner::new();
    owner.with(|| {
        view! {
            <!DOCTYPE html>
            <html lang=texts.locale.clone() dir=texts.direction()>
                <head>
                    <meta charset="utf-8" />
                    <meta name="viewport" content="width=device-width, initial-scale=1" />
                    <title>{title}</title>
                    {if head.indexed {
                        Either::Left(
                            view! { <meta name="description" content=texts.start.start_intro.clone() /> },
                        )
                    } else {
                        Either::Right(view! { <meta name="robots" content="noindex" /> })
                    }}
                    <meta name="color-scheme" content=look.theme.scheme() />
                    // Clients that do not know SVG ask for `/favicon.ico` and
                    // `/apple-touch-icon.png` by themselves.
                    <link rel="icon" href="/favicon.svg" />
                    // Half a card would stand elsewhere than a whole one, since it stands in the middle:
                    // nothing is painted before its end is read.
                    <link rel="expect" href="#end" blocking="render" />
                    <style nonce=nonce.to_owned() inner_html=assets.css.clone()></style>
                    {dark}
                    {framed}
                    {sheet}
                    {style(look.css(), None)}
                </head>
                <body>
                    <main
                        class="card"
                        aria-label=label
                        data-seed=head.seed.clone()
                        data-embedder=embedder
                        data-ending=told.ending
                        data-token=told.token
                        data-page-state=told.page_state
                        data-stale-in=told.stale_in
                        data-required=required
                    >
                        {relying_party(head)}
                        {alert}
                        {main()}
                        {support}
                    </main>
                    <i id="end" hidden></i>
                    {script}
                    {frame_script}
                    {work_script}
                </body>
            </html>
        }
        .to_html()
    })
}

/// The relying party and what the page is for.
fn relying_party(head: &Head) -> impl IntoView + use<> {
    let logo = head.logo.as_ref().map(|logo| match &logo.image {
        Some(image) => Either::Left(view! {
            <img class="logo" src=image.clone() alt=logo.name.clone() />
        }),
        // The text below names it as well.
        None => Either::Right(
            head.account.is_none().then(|| view! { <p class="brand">{logo.name.clone()}</p> }),
        ),
    });
    let account = head.account.as_ref().map(|(text, name)| {
        view! {
            <p class="account">{text.before.clone()}<bdi>{name.clone()}</bdi>{text.after.clone()}</p>
        }
    });
    view! {
        {logo}
        {account}
    }
}
