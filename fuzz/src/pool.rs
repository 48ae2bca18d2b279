//! The pool that engines run in: the fuzzer's own thread, so that a run depends on its input alone.

use std::sync::Once;

/// Makes rayon's ambient pool one of the current thread. Called by each target that needs one.
pub fn single() {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
        pool.build_global().expect("no other pool was made");
    });
}
