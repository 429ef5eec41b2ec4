//! Ending `fit` from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends every [`fit`](crate::Model::fit) that was given it, after the batch that is being
/// trained on. `fit` then returns the history of the epochs that were completed, and the model
/// can be used, saved, and trained on: [`resume`](crate::Fit::resume) goes on with the next
/// batch. Clones are the same handle; it stays stopped.
///
/// ```
/// use cornu_models::{Fit, Stop};
/// let stop = Stop::new();
/// let from_another_thread = stop.clone();
/// let options = Fit::new().stop(&stop);
/// from_another_thread.stop();
/// assert!(stop.is_stopped());
/// ```
///
/// With the feature `ctrl-c`, [`Stop::on_ctrl_c`] gives one that Ctrl-C stops.
#[derive(Clone, Debug)]
pub struct Stop(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Flag(Arc<AtomicBool>),
    #[cfg(feature = "ctrl-c")]
    CtrlC(ctrl_c::Guard),
}

impl Default for Stop {
    fn default() -> Stop {
        Stop(Kind::Flag(Arc::default()))
    }
}

impl Stop {
    /// A handle that nobody has stopped yet.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// A handle that Ctrl-C stops, from now on and until the last of its clones is dropped. A
    /// second Ctrl-C ends the program, as the first one does where there is no such handle.
    ///
    /// ```no_run
    /// # use cornu_models::{Error, Fit, Model, Stop};
    /// # fn train(model: &mut Model, x: cornu_models::Data, y: cornu_models::Data) -> Result<(), Error> {
    /// let stop = Stop::on_ctrl_c()?;
    /// model.fit(x, y, Fit::new().epochs(1000).stop(&stop))?;
    /// model.save_checkpoint("as_far_as_it_came.cornu")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the operating system refuses a handler of the signal.
    #[cfg(feature = "ctrl-c")]
    pub fn on_ctrl_c() -> crate::Result<Stop> {
        Ok(Stop(Kind::CtrlC(ctrl_c::Guard::new()?)))
    }

    /// Ends what was given this handle.
    pub fn stop(&self) {
        self.flag().store(true, Ordering::SeqCst);
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.flag().load(Ordering::SeqCst)
    }

    fn flag(&self) -> &AtomicBool {
        match &self.0 {
            Kind::Flag(flag) => flag,
            #[cfg(feature = "ctrl-c")]
            Kind::CtrlC(_) => ctrl_c::pressed(),
        }
    }
}

#[cfg(feature = "ctrl-c")]
mod ctrl_c {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, PoisonError};

    use signal_hook::consts::SIGINT;
    use signal_hook::flag;

    use crate::error::{Error, Result};

    /// Whether Ctrl-C was pressed: then the next one ends the program. So it is set as long as
    /// nobody waits for the first one.
    static PRESSED: AtomicBool = AtomicBool::new(true);

    /// How many wait for it, once the handler is there.
    static WAITING: Mutex<Option<usize>> = Mutex::new(None);

    pub(super) fn pressed() -> &'static AtomicBool {
        &PRESSED
    }

    /// One who waits for Ctrl-C.
    #[derive(Debug)]
    pub(super) struct Guard(());

    impl Guard {
        pub(super) fn new() -> Result<Guard> {
            let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.is_none() {
                // The order counts: the first Ctrl-C must not find what it sets itself.
                flag::register_conditional_default(SIGINT, &PRESSED)
                    .and_then(|_| flag::register(SIGINT, &PRESSED))
                    .map_err(|e| {
                        Error::value("stop", "the system must let Ctrl-C be handled", e)
                    })?;
            }
            let count = waiting.unwrap_or(0);
            if count == 0 {
                PRESSED.store(false, Ordering::SeqCst);
            }
            *waiting = Some(count + 1);
            Ok(Guard(()))
        }
    }

    impl Clone for Guard {
        fn clone(&self) -> Guard {
            let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
            *waiting = waiting.map(|count| count + 1);
            Guard(())
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
            *waiting = waiting.map(|count| count - 1);
            if *waiting == Some(0) {
                PRESSED.store(true, Ordering::SeqCst);
            }
        }
    }
}
