//! The end of a try that takes too long.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{HandOver, Undelivered};

/// Runs a try until it ends by itself, the time that is `left` for it is over, or the server ends. A try that is
/// cut off is ambiguous once the message has been handed over; before, nothing was sent.
///
/// # Errors
/// Those of the try, and of cutting it off.
pub(super) async fn until_cut_off<T>(
    attempt: impl Future<Output = Result<T, Undelivered>>,
    hand_over: &HandOver,
    left: Duration,
    server_ends: &CancellationToken,
) -> Result<T, Undelivered> {
    let (unsent, reason): (fn(_) -> _, _) = tokio::select! {
        result = attempt => return result,
        () = tokio::time::sleep(left) => (Undelivered::late, "the try took too long"),
        () = server_ends.cancelled() => (Undelivered::transient, "the server ended during the try"),
    };
    Err(if hand_over.has_begun() { Undelivered::ambiguous(reason) } else { unsent(reason) })
}
