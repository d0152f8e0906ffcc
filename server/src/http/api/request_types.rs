//! Types of the fields of requests. Each reads itself within its bounds and describes the same bounds
//! in the OpenAPI description.
//!
//! Refusals say what a field must be and never quote the value (S8). serde would, so the types check
//! values themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    sync::LazyLock,
};

use otp::recipient::calling_regions;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Object, ObjectBuilder, RefOr, Schema, SchemaFormat, Type,
        schema::{AdditionalProperties, AnyOfBuilder},
    },
};

use crate::service::Told;

/// Text without control characters: neither NUL nor anything that breaks a line.
const PRINTABLE: &str = r"^[^\u0000-\u001F\u007F-\u009F]*$";

/// A line of text of `MIN` to `MAX` characters.
#[derive(Clone, Debug)]
pub(super) struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn parse(text: String) -> Option<Self> {
        let fits = (MIN..=MAX).contains(&text.chars().count());
        (fits && !text.chars().any(char::is_control)).then_some(Self(text))
    }

    fn bounds() -> String {
        match MIN {
            0 => format!("must be text of up to {MAX} characters, without line breaks"),
            _ => format!("must be text of {MIN} to {MAX} characters, without line breaks"),
        }
    }

    fn object() -> Object {
        let object = ObjectBuilder::new().schema_type(Type::String).pattern(Some(PRINTABLE));
        let shortest = (MIN > 0).then_some(MIN);
        object.min_length(shortest).max_length(Some(MAX)).build()
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => Self::parse(text),
            _ => None,
        };
        text.ok_or_else(|| D::Error::custom(Self::bounds()))
    }
}

impl<const MIN: usize, const MAX: usize> ToSchema for Text<MIN, MAX> {}

impl<const MIN: usize, const MAX: usize> PartialSchema for Text<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        Self::object().into()
    }
}

/// Declares a type of text from a test, the words for a refusal and a schema.
macro_rules! kind {
    ($(#[$doc:meta])* $name:ident, $is:expr, $bounds:literal, $schema:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(super) struct $name(String);

        impl $name {
            pub(super) fn into_string(self) -> String {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let is: fn(&str) -> bool = $is;
                match Value::deserialize(deserializer)? {
                    Value::String(text) if is(&text) => Ok(Self(text)),
                    _ => Err(D::Error::custom($bounds)),
                }
            }
        }

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema: ObjectBuilder = $schema;
                schema.schema_type(Type::String).build().into()
            }
        }
    };
}

kind!(
    /// A guess, as the person typed it. One that is not a code is an outcome, not an error.
    Guess,
    |text| text.chars().count() <= 256,
    "must be text of up to 256 characters",
    ObjectBuilder::new().max_length(Some(256))
);

kind!(
    /// An ISO 3166-1 alpha-2 code of a country that has phone numbers, in either case.
    Country,
    is_country,
    "must be a country code such as GB, as in ISO 3166-1",
    ObjectBuilder::new().pattern(Some("^[A-Za-z]{2}$")).min_length(Some(2)).max_length(Some(2))
);

kind!(
    /// A BCP 47 language tag.
    Locale,
    is_language_tag,
    "must be a language tag such as en or en-GB",
    ObjectBuilder::new()
        .pattern(Some("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"))
        .min_length(Some(2))
        .max_length(Some(35))
);

kind!(
    /// An absolute URL. The site lists those that are accepted.
    Link,
    |text| (1..=2048).contains(&text.chars().count()),
    "must be a URL of up to 2048 characters",
    ObjectBuilder::new()
        .format(Some(SchemaFormat::Custom("uri".into())))
        .min_length(Some(1))
        .max_length(Some(2048))
);

/// An IPv4 or IPv6 address.
#[derive(Clone, Debug)]
pub(super) struct Address(IpAddr);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let address = value.as_str().and_then(|text| text.parse().ok()).map(Self);
        address.ok_or_else(|| D::Error::custom("must be an IPv4 or IPv6 address"))
    }
}

impl ToSchema for Address {}

impl PartialSchema for Address {
    fn schema() -> RefOr<Schema> {
        let of = |format| ObjectBuilder::new().schema_type(Type::String).format(Some(format));
        let formats = [KnownFormat::Ipv4, KnownFormat::Ipv6].map(SchemaFormat::KnownFormat);
        let any = formats.into_iter().fold(AnyOfBuilder::new(), |any, format| any.item(of(format)));
        Schema::AnyOf(any.build()).into()
    }
}

/// The person for whom a back end asks. It is hashed at once and never kept as it is. What is known here is
/// counted as for a person who uses the pages, so that one person cannot use up what all of yours may ask
/// for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Person)]
pub(super) struct EndUser {
    /// The address that the person's request came from, not that of a proxy of yours. It is counted with its
    /// networks, and shows whether the recipient was approved from there lately.
    #[schema(inline, example = "192.0.2.7")]
    address: Option<Address>,
    /// The `User-Agent` of the person's browser or app, which tells people of one network apart.
    #[schema(inline, example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")]
    user_agent: Option<Text<1, 512>>,
    /// Your own id of the account that asks. It is counted like an address.
    #[schema(inline, example = "user-1042")]
    account: Option<Text<1, 128>>,
}

impl From<EndUser> for Told {
    fn from(EndUser { address, user_agent, account }: EndUser) -> Self {
        Self {
            address: address.map(|Address(address)| address),
            user_agent: user_agent.map(Text::into_string),
            account: account.map(Text::into_string),
        }
    }
}

fn is_country(text: &str) -> bool {
    static COUNTRIES: LazyLock<BTreeSet<String>> =
        LazyLock::new(|| calling_regions().into_iter().map(|calling| calling.region).collect());
    COUNTRIES.contains(&text.to_ascii_uppercase())
}

fn is_language_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or_default();
    let is_language =
        (2..=8).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let is_subtag =
        |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 35 && is_language && subtags.all(is_subtag)
}

/// Names and values that the site chooses.
#[derive(Clone, Debug, Default)]
pub(super) struct Metadata(BTreeMap<String, String>);

impl Metadata {
    const PAIRS: usize = 10;

    pub(super) fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }
}

type MetadataName = Text<1, 40>;
type MetadataText = Text<0, 500>;

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut pairs = BTreeMap::new();
                while let Some(name) = map.next_key()? {
                    let name = MetadataName::parse(name).ok_or_else(|| {
                        A::Error::custom(
                            "must have names of 1 to 40 characters, without line breaks",
                        )
                    })?;
                    let (name, text) = (name.into_string(), map.next_value::<MetadataText>()?);
                    if pairs.insert(name, text.into_string()).is_some() {
                        return Err(A::Error::custom("must not have a name twice"));
                    }
                    if pairs.len() > Metadata::PAIRS {
                        return Err(A::Error::custom("must have at most 10 pairs"));
                    }
                }
                Ok(Metadata(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

impl ToSchema for Metadata {}

impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        let text = AdditionalProperties::RefOr(MetadataText::schema());
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(MetadataName::object()))
            .additional_properties(Some(text))
            .max_properties(Some(Metadata::PAIRS))
            .build()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_one_that_exists() {
        let is_read = |text: &str| serde_json::from_value::<Country>(Value::from(text)).is_ok();
        for good in ["GB", "gb", "Gb", "AX", "xk"] {
            assert!(is_read(good), "{good}");
        }
        for bad in ["", "G", "GBR", "zz", "ZZ", "UK", "QQ", "001", "ÄÖ"] {
            assert!(!is_read(bad), "{bad}");
        }
    }
}
