//! The document around every page: head, critical style, loader.

use leptos::{either::Either, prelude::*};

use crate::{
    look::Look,
    pages::setting::Told,
    texts::{Slotted, Texts, WayBackTexts},
    wire::Brand,
};

/// What a page loads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// The style sheet, put into the page so that nothing blocks its first paint.
    pub css: String,
    /// What it says otherwise where it is dark, put into the page likewise.
    pub dark: String,
    /// What it says otherwise in somebody else's page.
    pub embed_css: String,
    /// What the reference of the API needs besides, put into that page alone.
    pub reference_css: String,
    /// The source of the loader, put into the page likewise.
    pub loader: String,
    /// The source of the script that speaks to the page around a frame.
    pub frame: String,
    /// URL of the island's JavaScript glue. Without it no script is put into any page.
    pub js: String,
    /// URL of the island's WebAssembly.
    pub wasm: String,
}

/// What every page needs besides its own data.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The words, in the negotiated locale.
    pub texts: &'a Texts,
    /// What the page loads.
    pub assets: &'a Assets,
    /// The nonce of this answer's Content-Security-Policy.
    pub nonce: &'a str,
}

/// What a page does with the island's code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Script {
    /// It holds an island, which is to come alive.
    Hydrate,
    /// The next page will need it: fetch it while the person types.
    Prefetch,
    /// Nothing here or next needs it.
    #[default]
    None,
}

/// How a page is headed.
#[derive(Default)]
pub(super) struct Head {
    /// The title; nothing personal, for it ends up in histories.
    pub(super) title: String,
    /// Does the page report an error? Then the title says so first.
    pub(super) is_error: bool,
    /// May search engines list it?
    pub(super) indexed: bool,
    pub(super) script: Script,
    /// What its island grows from, if it holds one.
    pub(super) seed: Option<String>,
    /// What it needs to look right beside what every page has.
    pub(super) sheet: Option<String>,
    /// Whose it is, where they have a logo.
    pub(super) logo: Option<Logo>,
    /// Where people find help.
    pub(super) support: Option<Support>,
    /// How it differs from the usual.
    pub(super) look: Look,
    /// What the page around it is told, where it stands in a frame.
    pub(super) told: Option<Told>,
}

/// A relying party's logo.
pub(super) struct Logo {
    /// A `data:` URI; without one the name stands in its place.
    image: Option<String>,
    /// What it stands for.
    name: String,
}

impl Logo {
    /// The logo, where there is one.
    pub(super) fn of(brand: &Brand) -> Option<Self> {
        brand.logo.is_some().then(|| Self::or_name(brand))
    }

    /// The logo, or the name.
    pub(super) fn or_name(brand: &Brand) -> Self {
        Self { image: brand.logo.clone(), name: brand.name.clone() }
    }
}

/// The link to a relying party's help.
pub(super) struct Support {
    url: String,
    text: Slotted,
    name: String,
}

impl Support {
    /// The link, where there is one.
    pub(super) fn of(brand: &Brand, texts: &WayBackTexts) -> Option<Self> {
        let (text, name) = (texts.support.clone(), brand.name.clone());
        Some(Self { url: brand.support.clone()?, text, name })
    }
}

/// Lays `main` out in a whole document.
///
/// `main` is a function so that its signals are created, and at the end disposed of, within an
/// owner of this one rendering.
pub(super) fn document<V: IntoView>(
    frame: Frame<'_>,
    head: &Head,
    main: impl FnOnce() -> V,
) -> String {
    let Frame { texts, assets, nonce } = frame;
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
    // The one script of a page in a frame that its forms do without.
    let voice = head.told.as_ref().filter(|_| !assets.frame.is_empty()).map(|_| {
        view! { <script nonce=nonce.to_owned() inner_html=assets.frame.clone()></script> }
    });
    let style = |css: String, media: Option<&'static str>| {
        (!css.is_empty())
            .then(|| view! { <style nonce=nonce.to_owned() media=media inner_html=css></style> })
    };
    let look = &head.look;
    let dark = look.theme.dark_when().map(|when| style(assets.dark.clone(), Some(when)));
    let framed = head.told.as_ref().map(|_| style(assets.embed_css.clone(), None));
    let sheet = head.sheet.clone().map(|sheet| style(sheet, None));
    let logo = head.logo.as_ref().map(|logo| match &logo.image {
        Some(image) => Either::Left(view! {
            <img class="logo" src=image.clone() alt=logo.name.clone() />
        }),
        None => Either::Right(view! { <p class="brand">{logo.name.clone()}</p> }),
    });
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
    // The page around has a main part of its own.
    let label = head.told.as_ref().map(|_| head.title.clone());
    let embedder = head.told.is_some().then_some(told.embedder);
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
                        data-now=told.now
                    >
                        {logo}
                        {main()}
                        {support}
                    </main>
                    <i id="end" hidden></i>
                    {script}
                    {voice}
                </body>
            </html>
        }
        .to_html()
    })
}
