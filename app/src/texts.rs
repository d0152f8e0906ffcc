//! Texts of the pages, as plain data.
//!
//! The catalogue stays on the server. A page asks it once per locale for all its texts, plural forms
//! included, and the island gets the [`CardTexts`] in its seed, so that browsers load no translation
//! code.

use crate::{
    wire::Channel,
    wire_codec::{Pack, Rest, pack_fields},
};

/// Placeholder for a value that the page fills in itself, such as the masked recipient: an object
/// replacement character, which no translation contains.
pub const SLOT: char = '\u{FFFC}';

/// The variable to format a text with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// None.
    Nothing,
    /// `$count` is this number.
    Count(u32),
    /// The variable of this name is [`SLOT`], as a string.
    Slot(&'static str),
}

/// A text around one value, which the page sets in an element of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slotted {
    /// The part before the value.
    pub before: String,
    /// The part after it.
    pub after: String,
}

impl Slotted {
    /// Splits a formatted text at [`SLOT`]. Fluent's isolation marks around the variable are
    /// dropped, since the element around the value isolates it.
    fn split(text: &str) -> Self {
        let (before, after) = text.split_once(SLOT).unwrap_or((text, ""));
        Self {
            before: before.trim_end_matches('\u{2068}').to_owned(),
            after: after.trim_start_matches('\u{2069}').to_owned(),
        }
    }

    /// The whole text with `value` in its place.
    pub fn with(&self, value: &str) -> String {
        [&self.before, value, &self.after].concat()
    }
}

impl Pack for Slotted {
    fn pack(&self, list: &mut Vec<String>) {
        list.push(self.with(SLOT.encode_utf8(&mut [0; 4])));
    }

    fn unpack(rest: &mut Rest) -> Option<Self> {
        rest.next().map(|text| Self::split(&text))
    }
}

/// A text in its plural forms: element `n` is the text for a count of `n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plural(Vec<String>);

impl Plural {
    /// The text for `count`; the last one serves for all larger counts.
    pub fn of(&self, count: u32) -> &str {
        let index = usize::try_from(count).unwrap_or(usize::MAX);
        self.0.get(index).or(self.0.last()).map_or("", String::as_str)
    }

    /// Drops the texts above `count`, which the browser will not need.
    #[must_use]
    pub fn up_to(mut self, count: u32) -> Self {
        self.0.truncate(usize::try_from(count).unwrap_or(usize::MAX).saturating_add(1));
        self
    }
}

impl Pack for Plural {
    fn pack(&self, list: &mut Vec<String>) {
        self.0.pack(list);
    }

    fn unpack(rest: &mut Rest) -> Option<Self> {
        Pack::unpack(rest).map(Self)
    }
}

/// Declares groups of texts, and [`Texts`] with one field for each group.
///
/// The name of a field is also the id in the catalogue, with hyphens. `name` is a plain text,
/// `name(variable)` a [`Slotted`] text around that variable, `name[most]` a [`Plural`] from 0 to
/// `most`.
macro_rules! texts {
    (@type) => { String };
    (@type ($slot:ident)) => { Slotted };
    (@type [$most:literal]) => { Plural };

    (@collect $text:ident, $id:expr,) => { $text($id, Argument::Nothing) };
    (@collect $text:ident, $id:expr, ($slot:ident)) => {
        Slotted::split(&$text($id, Argument::Slot(stringify!($slot))))
    };
    (@collect $text:ident, $id:expr, [$most:literal]) => {
        Plural((0..=$most).map(|count| $text($id, Argument::Count(count))).collect())
    };

    ($($(#[$doc:meta])* $member:ident: $group:ident {
        $($field:ident $(($slot:ident))? $([$most:literal])?),+ $(,)?
    })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq, Eq)]
            pub struct $group {
                $(
                    #[doc = concat!("Text `", stringify!($field), "` of the catalogue.")]
                    pub $field: texts!(@type $(($slot))? $([$most])?),
                )+
            }

            impl $group {
                fn collect(text: &mut impl FnMut(&str, Argument) -> String) -> Self {
                    Self {
                        $($field: {
                            let id = stringify!($field).replace('_', "-");
                            texts!(@collect text, &id, $(($slot))? $([$most])?)
                        },)+
                    }
                }
            }

            pack_fields!($group { $($field),+ });
        )+

        /// All texts of the pages in one locale.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Texts {
            /// BCP 47 tag of the locale, for `<html lang>`.
            pub locale: String,
            $($(#[$doc])* pub $member: $group,)+
        }

        impl Texts {
            /// Collects the texts by asking `text` for each id, once per plural form.
            pub fn collect(
                locale: &str,
                mut text: impl FnMut(&str, Argument) -> String,
            ) -> Self {
                Self { locale: locale.to_owned(), $($member: $group::collect(&mut text),)+ }
            }
        }
    };
}

// Each text is described in `server/locales/en/page.ftl`.
texts! {
    /// Texts of the verification card, which the island gets.
    card: CardTexts {
        title, error_prefix, submit, resend, checking, still_checking, hint, change, change_label,
        sending(recipient), sending_again(recipient), sent(recipient), sent_again(recipient),
        delivered(recipient), undelivered(recipient),
        sending_by_whatsapp(recipient), sent_by_whatsapp(recipient),
        calling_soon(recipient), calling(recipient), called(recipient),
        time_left(time), resend_wait(time), resend_ready, resend_over, resend_by_email, resend_by_sms,
        resend_by_whatsapp, resend_by_voice,
        five_minutes_left, one_minute_left, half_a_minute_left,
        incorrect[10], already_tried, too_short, too_long, not_digits,
        approved, approved_body(recipient), already_used, already_used_body, expired, expired_body,
        too_many_attempts, too_many_attempts_body, canceled, canceled_body, failed, failed_body,
        start_again,
        limit_sends(time), limit_checks(time), too_early(time), unavailable, internal, not_understood,
    }

    /// Texts of the card that depend on the length of the code.
    code: CodeTexts { code_label[10], malformed[10] }

    /// Texts of the start page.
    start: StartTexts {
        start_intro, start_fixed(recipient), channel_label, channel_email, channel_sms,
        channel_whatsapp, channel_voice, email_label,
        country_label, phone_label, phone_hint, send,
        email_missing, email_invalid, phone_missing, phone_invalid, country_missing, phone_too_short,
        phone_too_long, not_mobile, destination_not_served, by_email_instead, texts_paused(time),
        channel_unavailable,
    }

    /// Texts of the error pages.
    problem: ProblemTexts {
        not_found, not_found_body, slow_down, refused, not_embeddable, not_embeddable_body,
        development_only, development_only_body, away, fault,
        one_moment, one_moment_body(time), go_on,
    }

    /// Texts for a person who comes from a relying party.
    return_form: ReturnTexts {
        for_account(brand), elsewhere, elsewhere_body(recipient),
        return_to(brand), cancel_and_return(brand), undelivered_there(recipient), expired_there(brand),
        too_many_attempts_there(brand), canceled_there(brand), failed_there(brand), support(brand), verify_first,
    }

    /// Texts of the page behind the link "this wasn't me".
    not_me: NotMeTexts {
        not_me_question, not_me_asked(recipient), not_me_ends, not_me_cool_down[168], not_me_submit,
        not_me_otherwise, not_me_done, not_me_ended(recipient), not_me_cooling[168], not_me_used,
        not_me_used_body(brand), not_me_over, not_me_over_body,
    }

    /// Texts of the development inbox.
    inbox: InboxTexts {
        inbox_title, inbox_intro, inbox_empty, inbox_age(time), inbox_message, inbox_refresh,
    }

    /// Texts of the API reference.
    reference: ReferenceTexts {
        reference_title, reference_openapi, reference_example, reference_asked, reference_required,
        reference_answered, reference_fields, reference_refused,
    }
}

impl StartTexts {
    /// Name of a channel.
    pub fn channel(&self, channel: Channel) -> &str {
        match channel {
            Channel::Email => &self.channel_email,
            Channel::Sms => &self.channel_sms,
            Channel::Whatsapp => &self.channel_whatsapp,
            Channel::Voice => &self.channel_voice,
        }
    }
}

impl CardTexts {
    /// Button for a new code by this channel.
    pub fn resend_by(&self, channel: Channel) -> &String {
        match channel {
            Channel::Email => &self.resend_by_email,
            Channel::Sms => &self.resend_by_sms,
            Channel::Whatsapp => &self.resend_by_whatsapp,
            Channel::Voice => &self.resend_by_voice,
        }
    }

    /// The document's title. It names an error first, because a screen reader reads it first.
    pub fn titled(&self, title: &str, is_error: bool) -> String {
        if is_error { [&self.error_prefix, title].join(" ") } else { title.to_owned() }
    }
}

impl Texts {
    /// Writing direction of the locale, for `<html dir>`.
    pub fn direction(&self) -> &'static str {
        let language = self.locale.split(['-', '_']).next().unwrap_or_default();
        match language {
            "ar" | "ckb" | "dv" | "fa" | "he" | "ps" | "sd" | "ug" | "ur" | "yi" => "rtl",
            _ => "ltr",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(id: &str, argument: Argument) -> String {
        match argument {
            Argument::Nothing => id.to_owned(),
            Argument::Count(count) => format!("{id} {count}"),
            Argument::Slot(name) => format!("{id} \u{2068}{SLOT}\u{2069} {name}"),
        }
    }

    #[test]
    fn the_id_of_a_text_is_its_field_with_hyphens() {
        let texts = Texts::collect("en", echo);
        assert_eq!(texts.card.error_prefix, "error-prefix");
        assert_eq!(texts.start.phone_too_short, "phone-too-short");
    }

    #[test]
    fn a_slotted_text_is_split_around_its_value_without_isolation_marks() {
        let texts = Texts::collect("en", echo);
        assert_eq!(texts.card.time_left.before, "time-left ");
        assert_eq!(texts.card.time_left.after, " time");
        assert_eq!(texts.card.time_left.with("0:30"), "time-left 0:30 time");
    }

    #[test]
    fn a_text_without_its_placeholder_goes_before_the_value() {
        assert_eq!(Slotted::split("Gone"), Slotted { before: "Gone".into(), after: String::new() });
    }

    #[test]
    fn a_plural_has_a_text_for_every_count() {
        let texts = Texts::collect("en", echo);
        assert_eq!(texts.card.incorrect.of(0), "incorrect 0");
        assert_eq!(texts.card.incorrect.of(4), "incorrect 4");
        assert_eq!(texts.card.incorrect.of(400), "incorrect 10");
        assert_eq!(texts.card.incorrect.clone().up_to(2).of(9), "incorrect 2");
        assert_eq!(Plural::default().of(1), "");
    }

    #[test]
    fn texts_arrive_in_the_browser_as_they_were_sent() {
        let texts = Texts::collect("en", echo).card;
        assert_eq!(CardTexts::unpacked(texts.packed()), Some(texts));
    }

    #[test]
    fn arabic_and_hebrew_are_written_from_right_to_left() {
        let direction = |locale| Texts::collect(locale, echo).direction();
        assert_eq!(direction("ar-EG"), "rtl");
        assert_eq!(direction("he"), "rtl");
        assert_eq!(direction("en"), "ltr");
    }
}
