//! Log lines of requests.

use super::*;

/// S8: ids are capabilities, so not even paths are logged.
#[tokio::test]
async fn s8_requests_are_logged_by_their_route_and_hold_nothing_personal() {
    let log = log();
    let site = site();

    site.post(&format!("/v/{ID}/check?x=s8-query"), "code=80808080&claim=s8-claim").await;
    site.post("/", "channel=email&email=s8.recipient%40example.com").await;
    site.call("/ui/check", &format!(r#"["{ID}","80808080","s8-claim"]"#)).await;
    site.get("/v/away").await;

    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    for expected in ["/v/{id}/check", "method=\"POST\"", "status=303", "status=503", "latency_us="]
    {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    for secret in [ID, "80808080", "s8.recipient", "s8-query", "s8-claim"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

pub(super) type Log = Arc<Mutex<Vec<u8>>>;

/// Everything that any test of this program logs, down to the finest. A subscriber for one thread
/// alone would miss what another thread has made the machinery believe to be of no interest.
pub(super) fn log() -> &'static Log {
    struct Sink;
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            LOG.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    static LOG: LazyLock<Log> = LazyLock::new(Log::default);
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Sink)
            .init();
    });
    &LOG
}
