//! Wire codec of the island: values as plain lists of strings.
//!
//! On the wire a list is a JSON array of strings, which the browser reads by itself. A reader for
//! typed JSON, with its names, numbers and error messages, would be a third of all the code that a
//! phone loads. Both ends come from one build; a page that outlives its server's build cannot read
//! the list and falls back to its plain forms.

use crate::wire::{Channel, Delivery, DeliveryState, State, VerificationView};

/// The rest of a list.
pub(crate) type Rest = std::vec::IntoIter<String>;

/// A value that can be written to a list of strings and read back.
pub(crate) trait Pack: Sized {
    /// Appends the value.
    fn pack(&self, list: &mut Vec<String>);

    /// Takes the value off the front; `None` if something else stands there.
    fn unpack(rest: &mut Rest) -> Option<Self>;

    /// The value alone as a list.
    fn packed(&self) -> Vec<String> {
        let mut list = Vec::new();
        self.pack(&mut list);
        list
    }

    /// The value that a list consists of.
    fn unpacked(list: Vec<String>) -> Option<Self> {
        let mut rest = list.into_iter();
        Self::unpack(&mut rest).filter(|_| rest.next().is_none())
    }
}

impl Pack for String {
    fn pack(&self, list: &mut Vec<String>) {
        list.push(self.clone());
    }

    fn unpack(rest: &mut Rest) -> Option<Self> {
        rest.next()
    }
}

impl Pack for u64 {
    fn pack(&self, list: &mut Vec<String>) {
        list.push(self.to_string());
    }

    fn unpack(rest: &mut Rest) -> Option<Self> {
        rest.next()?.parse().ok()
    }
}

/// Packs numbers. Each is read as the widest one, since reading is what costs code.
macro_rules! pack_numbers {
    ($($number:ident),+) => {$(
        impl Pack for $number {
            fn pack(&self, list: &mut Vec<String>) {
                u64::from(*self).pack(list);
            }

            fn unpack(rest: &mut Rest) -> Option<Self> {
                u64::unpack(rest)?.try_into().ok()
            }
        }
    )+};
}

pack_numbers!(u32, u8);

impl Pack for bool {
    fn pack(&self, list: &mut Vec<String>) {
        u64::from(*self).pack(list);
    }

    fn unpack(rest: &mut Rest) -> Option<Self> {
        u64::unpack(rest).map(|flag| flag != 0)
    }
}

impl<T: Pack> Pack for Vec<T> {
    fn pack(&self, list: &mut Vec<String>) {
        list.push(self.len().to_string());
        for item in self {
            item.pack(list);
        }
    }

    fn unpack(rest: &mut Rest) -> Option<Self> {
        let count = u64::unpack(rest)?;
        (0..count).map(|_| T::unpack(rest)).collect()
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, list: &mut Vec<String>) {
        u64::from(self.is_some()).pack(list);
        if let Some(value) = self {
            value.pack(list);
        }
    }

    fn unpack(rest: &mut Rest) -> Option<Self> {
        match u64::unpack(rest)? {
            0 => Some(None),
            _ => T::unpack(rest).map(Some),
        }
    }
}

/// Packs a struct as its fields, one after the other.
macro_rules! pack_fields {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::wire_codec::Pack for $name {
            fn pack(&self, list: &mut Vec<String>) {
                $($crate::wire_codec::Pack::pack(&self.$field, list);)+
            }

            fn unpack(rest: &mut $crate::wire_codec::Rest) -> Option<Self> {
                Some(Self { $($field: $crate::wire_codec::Pack::unpack(rest)?,)+ })
            }
        }
    };
}
pub(crate) use pack_fields;

/// Packs words as they are spelled everywhere.
macro_rules! pack_words {
    ($($name:ident),+) => {$(
        impl Pack for $name {
            fn pack(&self, list: &mut Vec<String>) {
                list.push(self.as_str().to_owned());
            }

            fn unpack(rest: &mut Rest) -> Option<Self> {
                Self::parse(&rest.next()?)
            }
        }
    )+};
}

pack_words!(Channel, State, DeliveryState);

pack_fields!(Delivery { channel, state, tries, number });

pack_fields!(VerificationView {
    id,
    state,
    recipient,
    code_length,
    attempts_left,
    sends_left,
    delivery,
    channels,
    now,
    code_expires_at,
    resend_at,
    expires_at,
    leads_on,
});

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn survives<T: Pack + PartialEq + Debug>(value: &T) {
        assert_eq!(T::unpacked(value.packed()).as_ref(), Some(value));
    }

    fn view() -> VerificationView {
        VerificationView {
            id: "id".into(),
            state: State::Pending,
            recipient: "j***@example.com".into(),
            code_length: 6,
            attempts_left: 5,
            sends_left: 4,
            delivery: Delivery {
                channel: Channel::Email,
                state: DeliveryState::Accepted,
                tries: 0,
                number: 1,
            },
            channels: vec![Channel::Email, Channel::Sms],
            now: u64::MAX,
            code_expires_at: 2,
            resend_at: 3,
            expires_at: 4,
            leads_on: true,
        }
    }

    #[test]
    fn values_arrive_as_they_were_sent() {
        survives(&view());
        survives(&Some(view()));
        survives(&None::<VerificationView>);
        survives(&vec![Channel::Sms]);
    }

    #[test]
    fn a_list_of_another_build_is_not_misread() {
        let mut list = view().packed();
        assert_eq!(VerificationView::unpacked(list[1..].to_vec()), None);
        list.push("more".into());
        assert_eq!(VerificationView::unpacked(list), None);
        assert_eq!(Vec::<String>::unpacked(vec!["18446744073709551615".into()]), None);
    }
}
