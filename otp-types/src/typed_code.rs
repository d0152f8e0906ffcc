//! Normalisation of codes as people type them, paste them or have them filled in.
//!
//! Browser and server share one function, so that the page calls complete exactly the texts that
//! the server checks: separators and invisible marks are dropped, the digits of every script count,
//! and a pasted message gives its code when only one number in it can be meant.

use crate::CodeProblem;

/// Reads a typed text as a code of `length` ASCII digits.
///
/// A text that holds words as well is taken for a pasted message: it gives its code when exactly
/// one number in it has the expected length, however often that number occurs.
///
/// # Errors
/// The [`CodeProblem`] of a text that is no such code.
pub fn read(typed: &str, length: u8) -> Result<String, CodeProblem> {
    let length = usize::from(length);
    let folded: String = typed.chars().filter(|c| !is_invisible(*c)).map(fold).collect();
    let bare = folded.trim();
    let bare = bare.strip_prefix('#').unwrap_or(bare);

    if let Some(digits) = joined(bare) {
        return match digits.len() {
            0 => Err(CodeProblem::Empty),
            n if n < length => Err(CodeProblem::TooShort),
            n if n > length => Err(CodeProblem::TooLong),
            _ => Ok(digits),
        };
    }
    let unbroken = bare.split(|c: char| !c.is_ascii_digit()).map(str::to_owned);
    only(unbroken, length).or_else(|| only(groups(bare), length)).ok_or(CodeProblem::NotDigits)
}

/// The digits of a text that holds nothing but digits and separators.
fn joined(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !is_separator(*c)).collect();
    bare.bytes().all(|b| b.is_ascii_digit()).then_some(bare)
}

/// Numbers written in groups, such as `123 456` or `123-456`.
fn groups(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_ascii_digit() && !is_separator(c))
        .map(|group| group.chars().filter(char::is_ascii_digit).collect())
}

/// The one number of this length, if there is exactly one.
fn only(numbers: impl Iterator<Item = String>, length: usize) -> Option<String> {
    let mut fitting = numbers.filter(|number| number.len() == length);
    let first = fitting.next()?;
    fitting.all(|other| other == first).then_some(first)
}

/// A decimal digit of any script becomes its ASCII equivalent, anything else stays.
fn fold(c: char) -> char {
    // The digits of a script stand in a row of ten: what precedes `c` most closely is its zero.
    let point = u32::from(c);
    let above = ZEROS.partition_point(|zero| *zero <= point);
    above.checked_sub(1).and_then(|index| char::from_digit(point - ZEROS[index], 10)).unwrap_or(c)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
        )
}

/// Marks that are pasted along unseen: direction, joining, breaking.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// The zero of every script that writes decimal numbers (Unicode 17, general category Nd).
const ZEROS: [u32; 77] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
    0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0,
    0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50,
    0x11DA0, 0x11DE0, 0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0, 0x1D7CE,
    0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn separators_and_invisible_marks_are_no_part_of_a_code() {
        for typed in [
            "012345",
            " 012 345\n",
            "012-345",
            "0\u{2013}1 2345",
            "\u{200e}012345\u{202c}",
            "012\u{a0}345",
            "#012345",
            " \u{2068}#012345\u{2069}",
        ] {
            assert_eq!(read(typed, 6), Ok("012345".to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn digits_of_other_scripts_become_ascii() {
        for typed in ["٠١٢٣٤٥", "۰۱۲۳۴۵", "०१२३४५", "０１２３４５", "𝟎𝟏𝟐𝟑𝟒𝟓", "๐๑๒๓๔๕"]
        {
            assert_eq!(read(typed, 6), Ok("012345".to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn each_fault_has_its_own_name() {
        assert_eq!(read("", 6), Err(CodeProblem::Empty));
        assert_eq!(read(" \u{200b}-", 6), Err(CodeProblem::Empty));
        assert_eq!(read("12345", 6), Err(CodeProblem::TooShort));
        assert_eq!(read("1234567", 6), Err(CodeProblem::TooLong));
        assert_eq!(read("12345a", 6), Err(CodeProblem::NotDigits));
        assert_eq!(read("²²²²²²", 6), Err(CodeProblem::NotDigits));
    }

    #[test]
    fn a_pasted_message_gives_its_code() {
        let message = "Your code is 482913. It expires in 5 minutes.\n\n@example.com #482913";
        assert_eq!(read(message, 6), Ok("482913".to_owned()));
        assert_eq!(read("G-482913 is your code", 6), Ok("482913".to_owned()));
        assert_eq!(read("Use 482 913 within 10 minutes", 6), Ok("482913".to_owned()));
        assert_eq!(read("رمزك هو ٤٨٢٩١٣", 6), Ok("482913".to_owned()));
    }

    #[test]
    fn a_pasted_message_with_two_candidates_gives_none() {
        assert_eq!(read("Order 111111, code 222222", 6), Err(CodeProblem::NotDigits));
        assert_eq!(read("call 0800 111 or 0800 222", 7), Err(CodeProblem::NotDigits));
        assert_eq!(read("card 4111111111111111", 6), Err(CodeProblem::NotDigits));
    }

    #[test]
    fn zeros_are_sorted_and_leave_room_for_ten_digits() {
        assert!(ZEROS.is_sorted_by(|a, b| a + 10 <= *b));
    }

    proptest! {
        #[test]
        fn a_read_code_has_the_expected_number_of_ascii_digits(typed in "\\PC*", length in 4u8..=10) {
            if let Ok(digits) = read(&typed, length) {
                prop_assert_eq!(digits.len(), usize::from(length));
                prop_assert!(digits.bytes().all(|b| b.is_ascii_digit()));
            }
        }

        #[test]
        fn reading_a_read_code_changes_nothing(digits in "[0-9]{4,10}") {
            let length = u8::try_from(digits.len()).unwrap();
            prop_assert_eq!(read(&digits, length), Ok(digits));
        }

        #[test]
        fn every_script_and_grouping_reads_alike(
            digits in proptest::collection::vec(0u32..10, 4..=10),
            script in 0..ZEROS.len(),
            separators in proptest::collection::vec(prop::sample::select(vec!["", " ", "-", "\u{200f}", "\u{a0}"]), 10),
        ) {
            let mut typed = String::new();
            for (digit, separator) in digits.iter().zip(&separators) {
                typed.push(char::from_u32(ZEROS[script] + digit).unwrap());
                typed.push_str(separator);
            }
            let plain: String = digits.iter().map(ToString::to_string).collect();
            prop_assert_eq!(read(&typed, u8::try_from(digits.len()).unwrap()), Ok(plain));
        }

        #[test]
        fn a_code_amid_words_is_found(
            digits in "[0-9]{6}",
            before in "[a-z]{1,8}[ .:]",
            after in "[ .,][a-z]{0,8}",
        ) {
            prop_assert_eq!(read(&format!("{before}{digits}{after}"), 6), Ok(digits));
        }
    }
}
