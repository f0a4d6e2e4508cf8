//! Exports: all that is stored of oneself, or what a workspace's owner sees of it, as one file to take away. What is in it
//! is in `docs/export-format.md`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ExportId, Timestamp, WorkspaceId};

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// It is being made, or has to wait until it is.
    Waiting,
    /// It can be downloaded until `expires_at`.
    Ready,
    /// It could not be made; ask anew.
    Failed,
}

impl ExportState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Ready, Self::Failed];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// What is stored of the user or of a workspace, as a file. Also the payload of the event `EXPORT`, which tells their connections
/// that it is ready, or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Export {
    /// The id.
    pub id: ExportId,
    /// Of which workspace; missing where it is of the user themself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<WorkspaceId>,
    /// How far it is.
    pub state: ExportState,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when it is kept; once it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// SHA-256 of the file, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where the file is, under the base path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}
