//! Notifications: how many are unread, always; the newest of them and the settings, once these were loaded.
//!
//! Invariants:
//! - The count with the largest version is true. What comes out of its order makes the rest be loaded anew.

use madang_proto::{
    NotificationId, limits,
    notifications::{
        NewNotification, Notification, NotificationCount, NotificationSettings, NotificationsChange,
    },
};

use super::{Effect, State};

/// One's newest notifications, and what one wants to be notified of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    /// The newest first, [`Notices::MOST`] at most.
    pub newest: Vec<Notification>,
    /// What one wants.
    pub settings: NotificationSettings,
}

#[derive(Debug, Clone)]
enum Heard {
    New(Box<Notification>),
    Changed { read: Vec<NotificationId>, removed: Vec<NotificationId> },
    Settings(NotificationSettings),
}

/// What is known of them, and what was heard while they are fetched.
#[derive(Debug, Clone, Default)]
pub(super) struct Notified {
    count: NotificationCount,
    loaded: Option<Notices>,
    fetching: u32,
    epoch: u64,
    heard: Vec<Heard>,
}

impl Notices {
    /// How many are kept at hand.
    pub const MOST: u32 = limits::PAGE_MAX;

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::New(new) => {
                let place = self.newest.partition_point(|known| known.id > new.id);
                if self.newest.get(place).is_none_or(|known| known.id != new.id) {
                    self.newest.insert(place, *new);
                }
                self.newest.truncate(usize::try_from(Self::MOST).unwrap_or(usize::MAX));
            }
            Heard::Changed { read, removed } => {
                self.newest.retain(|known| !removed.contains(&known.id));
                for known in self.newest.iter_mut().filter(|known| read.contains(&known.id)) {
                    known.read = true;
                }
            }
            Heard::Settings(settings) if settings.version > self.settings.version => self.settings = settings,
            Heard::Settings(_) => {}
        }
    }
}

impl State {
    /// How many notifications one has not read.
    #[must_use]
    pub const fn unread_notifications(&self) -> NotificationCount {
        self.notified.count
    }

    /// The newest notifications and the settings, if they were loaded.
    #[must_use]
    pub const fn notices(&self) -> Option<&Notices> {
        self.notified.loaded.as_ref()
    }

    pub(super) fn put_notification(&mut self, new: NewNotification) -> Vec<Effect> {
        self.hear_of_notices(Some(new.count), Heard::New(Box::new(new.notification)))
    }

    pub(super) fn change_notifications(&mut self, change: NotificationsChange) -> Vec<Effect> {
        let NotificationsChange { read, removed, count } = change;
        self.hear_of_notices(Some(count), Heard::Changed { read, removed })
    }

    pub(super) fn put_notification_settings(&mut self, settings: NotificationSettings) -> Vec<Effect> {
        self.hear_of_notices(None, Heard::Settings(settings))
    }

    fn hear_of_notices(&mut self, count: Option<NotificationCount>, heard: Heard) -> Vec<Effect> {
        // What happened to it since was heard before it.
        let late = count.is_some_and(|count| count.version < self.notified.count.version);
        if late {
            return self.distrust_notices().into_iter().collect();
        }
        if let Some(count) = count {
            self.notified.count = count;
        }
        if self.notified.fetching > 0 {
            self.notified.heard.push(heard.clone());
        }
        if let Some(notices) = &mut self.notified.loaded {
            notices.take(heard);
        }
        Vec::new()
    }

    pub(super) fn begin_notices(&mut self, count: NotificationCount) -> Option<Effect> {
        self.notified.count = count;
        self.distrust_notices()
    }

    /// Something may have been missed: what was asked for before this is not good enough.
    fn distrust_notices(&mut self) -> Option<Effect> {
        self.notified.epoch += 1;
        self.notified.fetching = 0;
        self.notified.heard.clear();
        self.notified.loaded.is_some().then_some(Effect::Notifications)
    }

    /// They are being fetched; [`State::put_notices`] follows with the number.
    pub const fn expect_notices(&mut self) -> u64 {
        self.notified.fetching += 1;
        self.notified.epoch
    }

    /// What was fetched, or that it did not come. `false` when it is to be fetched again.
    pub fn put_notices(&mut self, number: u64, fetched: Option<Notices>) -> bool {
        if number != self.notified.epoch {
            return false;
        }
        self.notified.fetching = self.notified.fetching.saturating_sub(1);
        let heard = self.notified.heard.clone();
        if self.notified.fetching == 0 {
            self.notified.heard.clear();
        }
        if let Some(mut fetched) = fetched {
            heard.into_iter().for_each(|change| fetched.take(change));
            self.notified.loaded = Some(fetched);
        }
        true
    }
}
