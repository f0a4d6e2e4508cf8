//! Access tokens whose signature was found good: a client sends the same one with every request, and
//! each is verified once.
//!
//! Kept by a hash, so that no token can be read out of the memory. What is kept says only whom the token
//! names and until when; whether the session was ended is asked anew for every request.
//!
//! Invariants:
//! - At most [`KEPT`] tokens: when it is full, the expired ones go, and if there are none, all.

use std::collections::HashMap;

use madang_proto::Timestamp;
use parking_lot::RwLock;
use sha2::{Digest, Sha256};

use crate::app::Actor;

/// Most tokens that are kept; 60 bytes each.
const KEPT: usize = 16_384;

/// The name under which a token is kept.
pub(super) type Fingerprint = [u8; 32];

/// Whom a token names, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// Who.
    pub actor: Actor,
    /// Until this second.
    pub expires: i64,
}

impl Claim {
    /// Whether it is over.
    pub const fn expired(&self, now: Timestamp) -> bool {
        self.expires <= now.millis() / 1000
    }
}

/// The tokens that were found good.
#[derive(Default)]
pub(super) struct Verified(RwLock<HashMap<Fingerprint, Claim>>);

impl Verified {
    /// The name under which a token is kept.
    pub fn fingerprint(token: &str) -> Fingerprint {
        Sha256::digest(token.as_bytes()).into()
    }

    /// What the token says, if it was found good before.
    pub fn get(&self, token: &Fingerprint) -> Option<Claim> {
        self.0.read().get(token).copied()
    }

    /// Keeps what a good token says.
    pub fn insert(&self, token: Fingerprint, claim: Claim, now: Timestamp) {
        let mut kept = self.0.write();
        if kept.len() >= KEPT {
            kept.retain(|_, claim| !claim.expired(now));
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(token, claim);
    }
}

#[cfg(test)]
mod tests {
    use madang_proto::limits;

    use super::*;

    #[test]
    fn it_stays_within_its_bound_and_forgets_the_expired_first() {
        let (verified, now) = (Verified::default(), Timestamp::from(1_000_000));
        let actor = Actor { user: 1.into(), session: 2.into() };
        let living = Claim { actor, expires: 1_000 + limits::ACCESS_SECONDS };
        let over = Claim { actor, expires: 1_000 };
        let token = |n: usize| Verified::fingerprint(&n.to_string());
        verified.insert(token(0), living, now);
        for n in 1..=KEPT {
            verified.insert(token(n), over, now);
        }
        assert_eq!((verified.0.read().len(), verified.get(&token(0))), (2, Some(living)));
        for n in 0..=KEPT {
            verified.insert(token(n), living, now);
            assert!(verified.0.read().len() <= KEPT);
        }
        assert_eq!(verified.get(&token(KEPT)), Some(living));
    }
}
