//! What names a message: inside to what is sealed, outside to whoever may receive it twice.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::store::{MessageKey, Queue};

/// What the ciphertext of a message is bound to: moved to another row it does not open.
///
/// Of a code it is the id of the verification and the number of the send. Those of other queues
/// are longer, so that none is ever taken for another.
pub fn binding(key: &MessageKey) -> Vec<u8> {
    let mut binding = key.verification.as_bytes().to_vec();
    binding.extend(key.number.to_be_bytes());
    match key.queue {
        Queue::Codes => {}
        Queue::Events => binding.extend(b"event"),
    }
    binding
}

/// Names a message to the outside, the same over all its tries, and tells nothing of what it names:
/// the id of a verification is as good as a key.
pub fn public_id(key: &MessageKey) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, &binding(key)).as_ref()[..18])
}

#[cfg(test)]
mod tests {
    use otp::{Timestamp, VerificationId};

    use super::*;

    #[test]
    fn messages_that_differ_in_anything_have_different_names() {
        let names = [1, 2].into_iter().flat_map(|millis| {
            let verification = VerificationId::first_at(Timestamp::from_millis(millis));
            [Queue::Codes, Queue::Events].into_iter().flat_map(move |queue| {
                [1, 2].map(|number| public_id(&MessageKey { queue, verification, number }))
            })
        });
        let names: std::collections::BTreeSet<_> = names.collect();
        assert_eq!(names.len(), 8);
    }

    #[test]
    fn what_was_sealed_before_there_were_queues_still_opens() {
        let verification = VerificationId::first_at(Timestamp::from_millis(1));
        let key = MessageKey { queue: Queue::Codes, verification, number: 258 };
        let bare = [verification.as_bytes().as_slice(), &[0, 0, 1, 2]].concat();
        assert_eq!(binding(&key), bare);
    }
}
