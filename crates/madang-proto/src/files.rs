//! Files: what is known of one, and what a message carries of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{FileId, Timestamp};

/// A file that was uploaded. It never changes; it goes with its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct File {
    /// The id.
    pub id: FileId,
    /// Its name, for people: no path, no control characters.
    pub name: String,
    /// What its bytes are, such as `image/png`; `application/octet-stream` when nobody knows.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes, in hexadecimal digits.
    pub sha256: String,
    /// Pixels across, as it is to be shown; images and videos only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels down, as it is to be shown; images and videos only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Milliseconds that it runs; videos only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// Whether there is a thumbnail.
    pub thumbnail: bool,
    /// When it was uploaded.
    pub created_at: Timestamp,
}
