//! The words of the page, as plain data.
//!
//! The catalogue lives on the server. A page asks it once per locale for everything that it may
//! say, plural forms included, and the island gets its share as props, so that no translation
//! machinery is shipped to a phone.

use crate::wire_codec::{Pack, Rest, pack_fields};

/// What stands for a value that the page fills in itself, such as the masked recipient: an object
/// replacement character, which no translation contains.
pub const SLOT: char = '\u{FFFC}';

/// The variable that a text is to be formatted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// None.
    Nothing,
    /// `$count` is this number.
    Count(u32),
    /// The variable of this name is [`SLOT`], as a string.
    Slot(&'static str),
}

/// A text around one value that is set in an element of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slotted {
    /// What comes before the value.
    pub before: String,
    /// What comes after it.
    pub after: String,
}

impl Slotted {
    /// Splits a formatted text at [`SLOT`]; the marks with which Fluent isolates a variable go,
    /// since the element around the value isolates it.
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

/// A text in its plural forms: element `n` says it of `n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(Vec<String>);

impl Counted {
    /// The text for `count`; the last one stands in for anything beyond.
    pub fn of(&self, count: u32) -> &str {
        let index = usize::try_from(count).unwrap_or(usize::MAX);
        self.0.get(index).or(self.0.last()).map_or("", String::as_str)
    }

    /// Leaves only the texts up to `count`, to be carried to the browser.
    #[must_use]
    pub fn up_to(mut self, count: u32) -> Self {
        self.0.truncate(usize::try_from(count).unwrap_or(usize::MAX).saturating_add(1));
        self
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

impl Pack for Counted {
    fn pack(&self, list: &mut Vec<String>) {
        self.0.pack(list);
    }

    fn unpack(rest: &mut Rest) -> Option<Self> {
        Pack::unpack(rest).map(Self)
    }
}

/// Declares a group of texts so that the names of its fields are also the ids of the catalogue.
///
/// `name` is a plain text, `name(variable)` is [`Slotted`] around a value, `name[most]` is
/// [`Counted`] from 0 to `most`.
macro_rules! texts {
    (@type) => { String };
    (@type ($slot:ident)) => { Slotted };
    (@type [$most:literal]) => { Counted };

    (@collect $text:ident, $id:expr,) => { $text($id, Argument::Nothing) };
    (@collect $text:ident, $id:expr, ($slot:ident)) => {
        Slotted::split(&$text($id, Argument::Slot(stringify!($slot))))
    };
    (@collect $text:ident, $id:expr, [$most:literal]) => {
        Counted((0..=$most).map(|count| $text($id, Argument::Count(count))).collect())
    };

    ($(#[$group_doc:meta])* $group:ident {
        $($(#[$doc:meta])* $field:ident $(($slot:ident))? $([$most:literal])?,)+
    }) => {
        $(#[$group_doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $group {
            $($(#[$doc])* pub $field: texts!(@type $(($slot))? $([$most])?),)+
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
    };
}

texts! {
    /// What the verification card says; the island's share.
    CardTexts {
        /// "OTP Verification"
        title,
        /// "Error:", put before the title of a page that reports one.
        error_prefix,
        /// "SUBMIT"
        submit,
        /// "RESEND OTP"
        resend,
        /// Instead of "SUBMIT" while a check is under way.
        checking,
        /// Under the field: the last digit submits.
        hint,
        /// Link to another recipient.
        change,
        /// Its accessible name.
        change_label,
        /// To the recipient: the first message is on its way to a provider.
        sending(recipient),
        /// The same for every later message.
        sending_again(recipient),
        /// A provider has taken the first message.
        sent(recipient),
        /// The same for every later message.
        sent_again(recipient),
        /// The message has arrived.
        delivered(recipient),
        /// It could not be delivered, and what to do.
        undelivered(recipient),
        /// How long the code stays valid.
        time_left(time),
        /// When another code can be asked for.
        resend_wait(time),
        /// Another code can be asked for now.
        resend_ready,
        /// No more codes will be sent.
        resend_over,
        /// Another code by e-mail.
        resend_by_email,
        /// Another code by text message.
        resend_by_sms,
        /// Said at five minutes.
        five_minutes_left,
        /// Said at one minute.
        one_minute_left,
        /// Said at half a minute.
        half_a_minute_left,
        /// "Incorrect OTP!" with the tries that are left.
        incorrect[10],
        /// After "Invalid OTP": fewer digits than were sent.
        too_short,
        /// More digits than were sent.
        too_long,
        /// Something else than digits.
        not_digits,
        /// "Login Success!"
        approved,
        /// The recipient is verified.
        approved_body(recipient),
        /// "This OTP has already been used"
        already_used,
        /// What to do then.
        already_used_body,
        /// "This OTP has expired"
        expired,
        /// What to do then.
        expired_body,
        /// The budget of checks is spent.
        too_many_attempts,
        /// What to do then.
        too_many_attempts_body,
        /// The verification was called off.
        canceled,
        /// What to do then.
        canceled_body,
        /// No message could be delivered.
        failed,
        /// What to do then.
        failed_body,
        /// Back to the first page.
        start_again,
        /// Too many messages were asked for.
        limit_sends(time),
        /// Too many codes were tried.
        limit_checks(time),
        /// Too early for another code.
        too_early(time),
        /// The service is away for a moment.
        unavailable,
        /// A fault on our side.
        internal,
        /// The request came from another page, or could not be read.
        not_understood,
    }
}

impl CardTexts {
    /// The title of a page; one that reports an error says so first, since that is what a screen
    /// reader reads first.
    pub fn titled(&self, title: &str, is_error: bool) -> String {
        if is_error { [&self.error_prefix, title].join(" ") } else { title.to_owned() }
    }
}

texts! {
    /// What depends on the length of the code, in the card.
    CodeTexts {
        /// The field's label.
        code_label[10],
        /// "Invalid OTP: enter the N digits we sent"
        malformed[10],
    }
}

texts! {
    /// What the first page says.
    StartTexts {
        /// What is going to happen.
        start_intro,
        /// The same where the recipient is fixed.
        start_fixed(recipient),
        /// Legend of the choice between channels.
        channel_label,
        /// E-mail, as a choice.
        channel_email,
        /// Text message, as a choice.
        channel_sms,
        /// Label of the address field.
        email_label,
        /// Label of the country list.
        country_label,
        /// Label of the number field.
        phone_label,
        /// How a number may be written.
        phone_hint,
        /// The one button.
        send,
        /// No address was typed.
        email_missing,
        /// It is no address.
        email_invalid,
        /// No number was typed.
        phone_missing,
        /// It is no number.
        phone_invalid,
        /// A national number needs its country.
        country_missing,
        /// Too few digits.
        phone_too_short,
        /// Too many digits.
        phone_too_long,
        /// Nothing can be sent by this channel.
        channel_unavailable,
    }
}

texts! {
    /// What the pages for faults say.
    ProblemTexts {
        /// Heading: nothing is here.
        not_found,
        /// What to do then.
        not_found_body,
        /// Heading: too many requests.
        slow_down,
        /// Heading: the request was refused or not understood.
        refused,
        /// Heading: this is no page for other people's frames.
        not_embeddable,
        /// What to do then, said to whoever builds the page around.
        not_embeddable_body,
        /// Heading: the service is away for a moment.
        away,
        /// Heading: a fault on our side.
        fault,
    }
}

texts! {
    /// What is said to whom a relying party has sent here.
    WayBackTexts {
        /// The way back, once it is over.
        return_to(brand),
        /// The way back before that.
        cancel_and_return(brand),
        /// To the recipient, who cannot be changed here: nothing could be delivered.
        undelivered_there(recipient),
        /// It has expired: what to do then.
        expired_there(brand),
        /// Too many wrong codes: what to do then.
        too_many_attempts_there(brand),
        /// It was called off: what to do then.
        canceled_there(brand),
        /// Nothing could be delivered: what to do then.
        failed_there(brand),
        /// Link to the relying party's help.
        support(brand),
    }
}

texts! {
    /// What the development inbox says.
    InboxTexts {
        /// Its heading.
        inbox_title,
        /// What it is.
        inbox_intro,
        /// Nothing has arrived yet.
        inbox_empty,
        /// Seconds since a message arrived.
        inbox_age(time),
        /// Unfolds the whole message.
        inbox_message,
        /// Loads the page again.
        inbox_refresh,
    }
}

texts! {
    /// The reference of the JSON API.
    ReferenceTexts {
        /// Its heading.
        reference_title,
        /// Link to the description for programs.
        reference_openapi,
        /// Names an example.
        reference_example,
        /// Over what an endpoint is told.
        reference_asked,
        /// Beside what may not be left out.
        reference_required,
        /// Over what an endpoint answers.
        reference_answered,
        /// Unfolds the fields of that.
        reference_fields,
        /// Over what it answers otherwise.
        reference_refused,
    }
}

/// Every text of the pages in one locale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// BCP 47 tag of the locale, for `<html lang>`.
    pub locale: String,
    /// The verification card.
    pub card: CardTexts,
    /// What depends on the length of the code.
    pub code: CodeTexts,
    /// The first page.
    pub start: StartTexts,
    /// Pages for faults.
    pub problem: ProblemTexts,
    /// What is said to whom a relying party has sent here.
    pub way_back: WayBackTexts,
    /// The development inbox.
    pub inbox: InboxTexts,
    /// The reference of the JSON API.
    pub reference: ReferenceTexts,
}

impl Texts {
    /// Collects the texts by asking `text` for each id, once per plural form.
    pub fn collect(locale: &str, mut text: impl FnMut(&str, Argument) -> String) -> Self {
        Self {
            locale: locale.to_owned(),
            card: CardTexts::collect(&mut text),
            code: CodeTexts::collect(&mut text),
            start: StartTexts::collect(&mut text),
            problem: ProblemTexts::collect(&mut text),
            way_back: WayBackTexts::collect(&mut text),
            inbox: InboxTexts::collect(&mut text),
            reference: ReferenceTexts::collect(&mut text),
        }
    }

    /// The direction in which the locale is written, for `<html dir>`.
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
    fn a_text_without_its_slot_stands_before_the_value() {
        assert_eq!(Slotted::split("Gone"), Slotted { before: "Gone".into(), after: String::new() });
    }

    #[test]
    fn a_counted_text_answers_for_every_count() {
        let texts = Texts::collect("en", echo);
        assert_eq!(texts.card.incorrect.of(0), "incorrect 0");
        assert_eq!(texts.card.incorrect.of(4), "incorrect 4");
        assert_eq!(texts.card.incorrect.of(400), "incorrect 10");
        assert_eq!(texts.card.incorrect.clone().up_to(2).of(9), "incorrect 2");
        assert_eq!(Counted::default().of(1), "");
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
