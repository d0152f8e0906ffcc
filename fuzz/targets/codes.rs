//! Typed codes. The first byte is the expected number of digits, the rest is the text.
#![cfg_attr(fuzzing, no_main)]

use otp::{Code, CodeProblem};

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holds(data));

pub(crate) fn holds(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(typed) = std::str::from_utf8(rest) else { return };
    let length = 4 + first % 7;
    let code = match Code::read(typed, length) {
        Ok(code) => code,
        Err(CodeProblem::Empty) => {
            return assert!(!typed.contains(|c: char| c.is_ascii_alphanumeric()));
        }
        Err(_) => {
            return assert!(Code::parse(typed).is_err() || typed.len() != usize::from(length));
        }
    };
    let digits = code.as_str();
    assert_eq!(code.length(), length);
    assert!(digits.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(Code::parse(digits).as_ref(), Ok(&code));
    let spaced: String = digits.chars().flat_map(|digit| [digit, '\u{a0}']).collect();
    let message = format!("Your code: {digits}.");
    for text in [digits, &format!(" #{digits}\n"), &spaced, &message] {
        assert_eq!(Code::read(text, length).as_ref(), Ok(&code));
    }
    assert_eq!(Code::read(&digits[1..], length), Err(CodeProblem::TooShort));
    assert_eq!(Code::read(&format!("{digits}0"), length), Err(CodeProblem::TooLong));
}
