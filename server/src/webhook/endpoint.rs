//! The webhook receiver of a site or of the operator, with its limits.
//!
//! Each receiver has its own limit of concurrent requests and a bounded queue in memory. Events beyond it, and
//! all events while the circuit breaker is open, go back to the outbox for a while, so that a slow or
//! broken receiver does not delay the events of other sites.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use otp::Timestamp;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use url::Url;

use super::Signer;
use crate::outbox::Breaker;

/// Concurrent requests to one receiver.
const REQUESTS: usize = 8;
/// Events of one receiver that wait in memory for a request; more wait in the outbox.
const QUEUED: usize = 64;
/// Shortest wait of an event that is requeued because the queue in memory is full.
const REQUEUE_WAIT: Duration = Duration::from_secs(1);
/// Events that are requeued for each [`REQUEUE_WAIT`] while the queue in memory is full.
const REQUEUE_RATE: u32 = 256;
/// Interval between events that are requeued while the breaker is open. It bounds the load of a broken
/// receiver, however many events it has and however often the breaker opens.
const BREAKER_INTERVAL: Duration = Duration::from_millis(4);

/// Owner of a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Receiver {
    /// The site of this name, for events of its verifications.
    Site(String),
    /// The operator of the server, for alerts.
    Operator,
}

/// For the log.
impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(name) => write!(f, "site {name}"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// A webhook receiver.
#[derive(Debug)]
pub struct Endpoint {
    pub(super) url: Url,
    pub(super) signer: Signer,
    pub(super) breaker: Breaker,
    requests: Semaphore,
    capacity: Arc<Semaphore>,
    /// Events requeued since the queue in memory was full.
    requeued: AtomicU32,
    /// Due time of the last event that was requeued because the breaker was open.
    last_due: Mutex<Timestamp>,
}

impl Endpoint {
    /// A receiver at `url`, whose requests are signed by `signer`.
    pub fn new(url: Url, signer: Signer) -> Self {
        Self {
            url,
            signer,
            breaker: Breaker::default(),
            requests: Semaphore::new(REQUESTS),
            capacity: Arc::new(Semaphore::new(REQUESTS + QUEUED)),
            requeued: AtomicU32::default(),
            last_due: Mutex::default(),
        }
    }

    /// The due time of one more event that is requeued at `now` because the breaker is open; `None` if it
    /// is closed.
    pub(super) fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.breaker.open_until(now)?;
        let mut last = self.last_due.lock().unwrap_or_else(PoisonError::into_inner);
        *last = end.max(*last + BREAKER_INTERVAL);
        Some(*last)
    }

    /// Reserves a place in memory for one more event.
    ///
    /// # Errors
    /// The due time for requeueing the event if the queue is full. Due times are spread, since claiming
    /// and requeueing all events again and again would slow down other sites.
    pub(super) fn reserve(&self, now: Timestamp) -> Result<OwnedSemaphorePermit, Timestamp> {
        let Ok(permit) = self.capacity.clone().try_acquire_owned() else {
            let before = self.requeued.fetch_add(1, Ordering::Relaxed);
            return Err(now + REQUEUE_WAIT + REQUEUE_WAIT * before / REQUEUE_RATE);
        };
        if self.capacity.available_permits() >= QUEUED {
            self.requeued.store(0, Ordering::Relaxed);
        }
        Ok(permit)
    }

    /// Waits until one more request may be made.
    pub(super) async fn request_permit(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.requests.acquire().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn endpoint() -> Endpoint {
        Endpoint::new(Url::parse("https://shop.example/").unwrap(), Signer::new(&[]))
    }

    #[test]
    fn events_beyond_the_queue_in_memory_are_requeued_at_a_steady_rate() {
        let endpoint = endpoint();
        let reserve = || endpoint.reserve(NOW).map_err(|until| until.since(NOW));
        let permits: Vec<_> = (0..REQUESTS + QUEUED).map(|_| reserve().unwrap()).collect();
        let waits: Vec<_> = (0..1024).map(|_| reserve().unwrap_err()).collect();
        assert_eq!(waits[0], REQUEUE_WAIT);
        assert!(waits.is_sorted());
        let within = |second: u64| waits.iter().filter(|wait| wait.as_secs() == second).count();
        assert_eq!([1, 2, 3, 4].map(within), [256; 4]);
        drop(permits);
        let permits: Vec<_> = (0..REQUESTS + QUEUED).map(|_| reserve().unwrap()).collect();
        assert_eq!(reserve().unwrap_err(), REQUEUE_WAIT);
        drop(permits);
    }

    #[test]
    fn events_requeued_by_an_open_breaker_are_spread() {
        let endpoint = endpoint();
        (0..4).for_each(|_| endpoint.breaker.failed(NOW));
        assert_eq!(endpoint.open_until(NOW), None);
        endpoint.breaker.failed(NOW);
        let due: Vec<_> = (0..1000).map(|_| endpoint.open_until(NOW).unwrap()).collect();
        assert!(due.is_sorted());
        assert_eq!(due[999].since(due[0]), 999 * BREAKER_INTERVAL);
        // When the breaker opens again, further events come after the others.
        let later = due[0];
        endpoint.breaker.failed(later);
        let expected = (due[999] + BREAKER_INTERVAL).max(later + due[0].since(NOW));
        assert_eq!(endpoint.open_until(later), Some(expected));
        endpoint.breaker.succeeded();
        assert_eq!(endpoint.open_until(later), None);
    }
}
