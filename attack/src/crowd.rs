//! Many requests at a time.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::Fault;

/// Requests that are under way at a time.
const AT_A_TIME: usize = 16;

/// Has everybody act, some at a time; gives what comes of it in their order.
pub(crate) async fn each<P, T>(
    people: impl IntoIterator<Item = P>,
    act: impl AsyncFn(P) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    stream::iter(people).map(|person| act(person)).buffered(AT_A_TIME).try_collect().await
}
