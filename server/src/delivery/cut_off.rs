//! The end of a try that takes too long.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{HandOver, Undelivered};

/// Runs a try until it ends by itself, the `left` life of the code is over, or the server ends. A try that is cut
/// off is ambiguous once the message has been handed over, and transient before.
///
/// # Errors
/// Those of the try, and of cutting it off.
pub(super) async fn until_cut_off<T, E: From<Undelivered>>(
    attempt: impl Future<Output = Result<T, E>>,
    hand_over: &HandOver,
    left: Duration,
    server_ends: &CancellationToken,
) -> Result<T, E> {
    let reason = tokio::select! {
        result = attempt => return result,
        () = tokio::time::sleep(left) => "the code expired during the try",
        () = server_ends.cancelled() => "the server ended during the try",
    };
    let undelivered = if hand_over.has_begun() {
        Undelivered::ambiguous(reason)
    } else {
        Undelivered::transient(reason)
    };
    Err(undelivered.into())
}
