//! The contract of saved answers.

use super::*;

pub(in crate::store) async fn an_answer_of_an_aborted_step_is_not_saved(store: impl Store) {
    let id = create(&store).await;
    let saving = |abort| Keep { id, name: 9, abort };
    assert!(store.apply(saving(true)).await.unwrap());
    assert!(store.apply(saving(false)).await.unwrap(), "it is the first that is kept");
    assert!(!store.apply(saving(false)).await.unwrap());
}

/// A step that saves an answer unless there is one already; gives whether it did.
pub(super) struct Keep {
    pub(super) id: VerificationId,
    pub(super) name: u8,
    pub(super) abort: bool,
}

impl Step for Keep {
    type Output = bool;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn now(&self) -> Timestamp {
        START
    }

    fn idempotency_key(&self) -> Option<[u8; 16]> {
        Some([self.name; 16])
    }

    fn run(&mut self, records: &mut Records) -> Decision<bool> {
        let is_first = records.saved_answer.is_none();
        let saved_answer = || SavedAnswer { sealed: vec![self.name], expires_at: START + LEASE };
        assert_eq!(*records.saved_answer.get_or_insert_with(saved_answer), saved_answer());
        if self.abort { Decision::Abort(is_first) } else { Decision::Commit(is_first) }
    }
}

pub(in crate::store) async fn a_request_is_answered_anew_once_however_many_send_it(
    store: impl Store,
) {
    let id = create(&store).await;
    let tries = (0..50).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.apply(Keep { id, name: 9, abort: false }).await.unwrap() })
    });
    let mut first = 0;
    for task in tries.collect::<Vec<_>>() {
        first += usize::from(task.await.unwrap());
    }
    assert_eq!(first, 1);
    assert!(store.apply(Keep { id, name: 8, abort: false }).await.unwrap());
}
