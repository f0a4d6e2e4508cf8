//! Fault switches: a test arms a named point, and whoever passes it next panics.
//!
//! Invariants:
//! - Without the cargo feature `faults` there is nothing to arm and passing a point does nothing.

/// Points at which a test can make a panic happen. Clones share the switches.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    #[cfg(feature = "faults")]
    armed: std::sync::Arc<parking_lot::Mutex<std::collections::HashMap<String, u32>>>,
}

#[cfg(feature = "faults")]
impl Faults {
    /// Makes the next pass of this point panic; armed twice, the next two.
    pub fn arm(&self, point: &str) {
        *self.armed.lock().entry(point.to_owned()).or_default() += 1;
    }

    /// Passes a point.
    ///
    /// # Panics
    /// If the point was armed.
    pub fn point(&self, point: &str) {
        let armed = self.armed.lock().get_mut(point).is_some_and(|times| {
            let armed = *times > 0;
            *times -= u32::from(armed);
            armed
        });
        assert!(!armed, "the fault {point:?} was armed");
    }
}

#[cfg(not(feature = "faults"))]
impl Faults {
    /// Does nothing in this build.
    pub const fn arm(&self, _point: &str) {}

    /// Does nothing in this build.
    #[inline]
    pub const fn point(&self, _point: &str) {}
}
