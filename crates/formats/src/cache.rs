//! Pieces of a file that are kept in memory, few enough.

use std::sync::{Arc, Mutex, PoisonError};

use imsprep_source::Result;

/// Values by number, as many at most as there are slots: a value whose slot is wanted by another one goes. Several threads
/// share it; of those that want the same value one makes it and the others wait.
pub(crate) struct Cache<T>(Vec<Slot<T>>);

/// A value with its number.
type Slot<T> = Mutex<Option<(u64, Arc<T>)>>;

impl<T> Cache<T> {
    pub(crate) fn new(slots: usize) -> Self {
        Self((0..slots.max(1)).map(|_| Mutex::default()).collect())
    }

    /// The value of this number, kept or made now. One that can't be made is not kept.
    pub(crate) fn get(&self, number: u64, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let slot = usize::try_from(number % self.0.len() as u64).ok().and_then(|slot| self.0.get(slot));
        let Some(slot) = slot else { return make().map(Arc::new) };
        // Values are put in whole, so a thread that panicked left nothing half done.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, value)) = &*slot
            && *kept == number
        {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(make()?);
        *slot = Some((number, Arc::clone(&value)));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use imsprep_source::Error;

    use super::*;

    #[test]
    fn a_value_is_made_once_while_it_is_kept() {
        let cache = Cache::new(4);
        let made = Mutex::new(Vec::new());
        let get = |number| {
            let make = || {
                made.lock().unwrap().push(number);
                Ok(number * 10)
            };
            *cache.get(number, make).unwrap()
        };
        assert_eq!([1, 2, 1, 5, 5, 1, 2].map(get), [10, 20, 10, 50, 50, 10, 20]);
        assert_eq!(*made.lock().unwrap(), [1, 2, 5, 1]);
        assert!(cache.get(3, || Err(Error::Cancelled)).is_err());
        assert_eq!(*cache.get(3, || Ok(7)).unwrap(), 7);
    }
}
