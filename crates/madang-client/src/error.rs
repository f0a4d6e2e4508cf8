//! What can go wrong when talking to a server, and whether trying again helps.

use std::time::Duration;

use madang_proto::error::{ErrorCode, ErrorPayload, Problem};

/// Why something was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The server refused; the problem says why.
    #[error("{}: {}", .0.title, .0.detail)]
    Problem(Box<Problem>),
    /// The server was not reached, or the connection was lost before the answer.
    #[error("server not reachable: {0}")]
    Network(String),
    /// The other side does not speak this protocol.
    #[error("unexpected answer: {0}")]
    Protocol(String),
    /// Something awaited did not happen in time.
    #[error("timed out waiting for: {0}")]
    TimedOut(String),
    /// The client was closed, or its session is over.
    #[error("the client is closed: {0}")]
    Closed(String),
}

impl Error {
    /// The server's code, if it was the server that refused.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem().map(|problem| problem.code)
    }

    /// The server's problem, if it was the server that refused.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Network(_) | Self::Protocol(_) | Self::TimedOut(_) | Self::Closed(_) => None,
        }
    }

    /// How long the server asks to wait, if it says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.problem()?.retry_after?;
        Some(Duration::from_secs(u64::from(seconds)))
    }

    /// Whether the same request may succeed later without a change.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.code.is_temporary() || matches!(problem.status, 502..=504),
            Self::Network(_) | Self::TimedOut(_) => true,
            Self::Protocol(_) | Self::Closed(_) => false,
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<ErrorPayload> for Error {
    fn from(payload: ErrorPayload) -> Self {
        Self::from(Problem {
            kind: "about:blank".to_owned(),
            title: payload.code.title().to_owned(),
            status: payload.code.status(),
            detail: payload.detail,
            code: payload.code,
            errors: payload.errors,
            retry_after: payload.retry_after,
        })
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        // The chain says what happened ("connection refused"); the top only says "sending failed".
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = cause.to_string();
            source = cause.source();
        }
        if error.is_decode() { Self::Protocol(text) } else { Self::Network(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_by_itself_is_temporary() {
        let error = |code: ErrorCode| {
            Error::from(ErrorPayload { code, detail: "x".into(), errors: vec![], retry_after: Some(3) })
        };
        assert!(error(ErrorCode::Unavailable).is_temporary() && error(ErrorCode::RateLimited).is_temporary());
        assert!(!error(ErrorCode::Invalid).is_temporary() && !error(ErrorCode::Internal).is_temporary());
        assert!(Error::Network("refused".into()).is_temporary());
        assert_eq!(error(ErrorCode::RateLimited).retry_after(), Some(Duration::from_secs(3)));
        assert_eq!(error(ErrorCode::NotFound).code(), Some(ErrorCode::NotFound));
    }
}
