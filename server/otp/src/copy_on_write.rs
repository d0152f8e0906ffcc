//! Records that are shared until they are changed.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// A record that is cloned without being copied, and copied when one of its holders changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyOnWrite<T>(Arc<T>);

impl<T> From<T> for CopyOnWrite<T> {
    fn from(record: T) -> Self {
        Self(Arc::new(record))
    }
}

impl<T> Deref for CopyOnWrite<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for CopyOnWrite<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_by_its_own_holder_alone() {
        let before = CopyOnWrite::from(vec![1]);
        let mut after = before.clone();
        assert_eq!(before.as_ptr(), after.as_ptr(), "nothing is copied yet");
        after.push(2);
        assert_eq!((&*before, &*after), (&vec![1], &vec![1, 2]));
    }
}
