//! Lists of strings between the island and the server: a value that is read is written and read alike.
#![cfg_attr(fuzzing, no_main)]

use std::fmt::Debug;

use app::{
    server_fns::json::Json,
    wire::{Channel, VerificationView},
};
use leptos::server_fn::{Bytes, Decodes, Encodes};

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holds(data));

pub(crate) fn holds(data: &[u8]) {
    survives::<VerificationView>(data);
    survives::<Option<VerificationView>>(data);
    survives::<Vec<Option<Channel>>>(data);
    survives::<Vec<String>>(data);
    survives::<Option<u64>>(data);
    survives::<String>(data);
}

fn survives<T: PartialEq + Debug>(data: &[u8])
where
    Json: Decodes<T, Error: Debug> + Encodes<T, Error: Debug>,
{
    let Ok(value) = <Json as Decodes<T>>::decode(Bytes::copy_from_slice(data)) else { return };
    let written = Json::encode(&value).expect("a value is written");
    assert_eq!(<Json as Decodes<T>>::decode(written.clone()).as_ref().ok(), Some(&value));
    // A longer list is another one.
    let mut list: Vec<String> = serde_json::from_slice(&written).expect("a list of strings");
    list.push(String::new());
    let longer = Bytes::from(serde_json::to_vec(&list).expect("JSON"));
    assert!(<Json as Decodes<T>>::decode(longer).is_err());
}
