//! Identifiers of outbox messages: for the encryption and for receivers.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::store::{MessageKey, Queue};

/// Associated data of the encryption, so that a ciphertext cannot be moved to another row.
///
/// For codes it is the id of the verification and the number of the send. Other queues append their
/// name.
pub(super) fn binding(key: &MessageKey) -> Vec<u8> {
    let mut binding = key.verification.as_bytes().to_vec();
    binding.extend(key.number.to_be_bytes());
    match key.queue {
        Queue::Codes => {}
        Queue::Events => binding.extend(b"event"),
    }
    binding
}

/// Id of a message for receivers, the same for all tries, in base64url. It is a digest, because the id
/// of a verification is a capability.
pub fn public_id(key: &MessageKey) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, &binding(key)).as_ref()[..18])
}

#[cfg(test)]
mod tests {
    use otp::{Timestamp, VerificationId};

    use super::*;

    #[test]
    fn different_messages_have_different_ids() {
        let ids = [1, 2].into_iter().flat_map(|millis| {
            let verification = VerificationId::first_at(Timestamp::from_millis(millis));
            [Queue::Codes, Queue::Events].into_iter().flat_map(move |queue| {
                [1, 2].map(|number| public_id(&MessageKey { queue, verification, number }))
            })
        });
        let ids: std::collections::BTreeSet<_> = ids.collect();
        assert_eq!(ids.len(), 8);
    }

    #[test]
    fn codes_are_bound_as_before_there_were_queues() {
        let verification = VerificationId::first_at(Timestamp::from_millis(1));
        let key = MessageKey { queue: Queue::Codes, verification, number: 258 };
        let bare = [verification.as_bytes().as_slice(), &[0, 0, 1, 2]].concat();
        assert_eq!(binding(&key), bare);
    }
}
