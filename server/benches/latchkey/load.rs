//! A closed loop of requests: each connection sends the next one when the one before it is answered.
//!
//! All connections are driven by one thread, so that the load takes little from the server's cores.

use futures_util::{StreamExt, stream::FuturesOrdered};

use crate::client::Client;

/// Has the connections share `number` things to do between them; gives the results in their order.
pub(crate) async fn each<T>(
    clients: &mut [Client],
    number: usize,
    act: impl AsyncFn(&mut Client, usize) -> T,
) -> Vec<T> {
    let (share, act) = (number.div_ceil(clients.len()), &act);
    let shares = clients.iter_mut().enumerate().map(|(client_number, client)| async move {
        let mut results = Vec::new();
        for thing in (client_number * share..number).take(share) {
            results.push(act(client, thing).await);
        }
        results
    });
    shares.collect::<FuturesOrdered<_>>().concat().await
}
