//! What an operation can refuse, and how it shows at the edges.
//!
//! Display prints only the error itself; the cause of a fault goes to the log, once, at the boundary
//! ([`Error::payload`]).

use madang_proto::{
    error::{ErrorCode, ErrorPayload, FieldError},
    input::Reason,
};

/// What an operation can refuse.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not signed in.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Seen, but not allowed.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Missing, or not for your eyes.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Wrong input.
    #[error("{detail}")]
    Invalid {
        /// What to do.
        detail: String,
        /// The wrong fields.
        errors: Vec<FieldError>,
    },
    /// Does not fit what is there.
    #[error("{0}")]
    Conflict(String),
    /// Body or frame too large.
    #[error("at most {0} bytes")]
    TooLarge(usize),
    /// A body of a type that is not taken.
    #[error("send {0}")]
    MediaType(&'static str),
    /// There is no room.
    #[error("{0}")]
    StorageFull(&'static str),
    /// Too often.
    #[error("too many requests; try again in {retry_after} s")]
    RateLimited {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// Later.
    #[error("temporarily unavailable; try again")]
    Unavailable(String),
    /// Later, of what is done with files.
    #[error("files cannot be stored or read now, all else goes on; try again")]
    FilesAway(String),
    /// A fault of ours.
    #[error("server error; it was logged")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The result of an operation.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// One wrong field.
    pub fn field(field: &str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Invalid {
            detail: format!("{field}: {reason}"),
            errors: vec![FieldError { field: field.to_owned(), reason }],
        }
    }

    /// A fault of ours.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::Invalid { .. } => ErrorCode::Invalid,
            Self::Conflict(_) => ErrorCode::Conflict,
            Self::TooLarge(_) => ErrorCode::TooLarge,
            Self::MediaType(_) => ErrorCode::UnsupportedMediaType,
            Self::StorageFull(_) => ErrorCode::StorageFull,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::Unavailable(_) | Self::FilesAway(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// Seconds after which it makes sense to try again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after } => Some(*retry_after),
            Self::Unavailable(_) | Self::FilesAway(_) => Some(1),
            _ => None,
        }
    }

    /// What the log is told: also what the client is not.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Internal(source) => {
                let causes = std::iter::successors(source.source(), |cause| cause.source());
                causes.fold(source.to_string(), |chain, cause| format!("{chain}: {cause}"))
            }
            Self::Unavailable(reason) | Self::FilesAway(reason) => reason.clone(),
            _ => self.to_string(),
        }
    }

    /// What the client is told. Faults and outages are logged here.
    #[must_use]
    pub fn payload(&self) -> ErrorPayload {
        match self {
            Self::Internal(_) => tracing::error!(error = self.reason(), "a request failed"),
            Self::Unavailable(_) | Self::FilesAway(_) => {
                tracing::warn!(reason = self.reason(), "a request was refused");
            }
            _ => {}
        }
        ErrorPayload {
            code: self.code(),
            detail: self.to_string(),
            errors: if let Self::Invalid { errors, .. } = self { errors.clone() } else { Vec::new() },
            retry_after: self.retry_after(),
        }
    }
}

impl From<madang_store::Error> for Error {
    fn from(error: madang_store::Error) -> Self {
        use madang_store::Error as E;
        match error {
            E::Conflict(_) => Self::Conflict("something of this name is there already".to_owned()),
            E::NotFound => Self::NotFound("thing"),
            E::FileTaken => Self::Conflict("a file is in a message already, or gone".to_owned()),
            E::Busy => Self::RateLimited { retry_after: 1 },
            E::Unavailable(reason) => Self::Unavailable(reason),
            E::Schema(reason) => Self::Unavailable(reason),
            E::Fault(_) => Self::internal(error),
        }
    }
}

/// Ties a check of an input to its field.
pub trait Field<T> {
    /// The value, or which field is wrong and why.
    fn field(self, field: &str) -> Result<T>;
}

impl<T> Field<T> for std::result::Result<T, Reason> {
    fn field(self, field: &str) -> Result<T> {
        self.map_err(|Reason(reason)| Error::field(field, reason))
    }
}
