//! Resident memory of a server.

mod flows;
mod phones;
mod recipients;

/// Most memory of a server that has done nothing yet, in MiB.
const IDLE: f64 = 32.0;
/// Most memory of a server that has done much, in MiB.
const BUSY: f64 = 45.0;

/// Measures the parts that `is_named` selects, or all of them; `number` is that of their requests.
pub(crate) async fn measure(is_named: impl Fn(&str) -> bool, number: Option<usize>) {
    let all = !["flows", "phones", "recipients"].into_iter().any(&is_named);
    if all || is_named("flows") {
        flows::measure(number.unwrap_or(100_000)).await;
    }
    if all || is_named("phones") {
        phones::measure(number.unwrap_or(100_000)).await;
    }
    if all || is_named("recipients") {
        recipients::s29_memory_does_not_grow_with_recipients_and_addresses(
            number.unwrap_or(100_000),
        )
        .await;
    }
}
