//! How far the logs of channels are, for whoever compares what they heard with it.

use madang_proto::ChannelId;

use crate::{Result, Tx, db::counted, packed};

/// The newest versions of these channels, of those that are there.
///
/// # Errors
/// When the database fails.
pub async fn versions(tx: &mut Tx, ids: &[ChannelId]) -> Result<Vec<(ChannelId, i64)>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let rows: Vec<(i64, i64)> = match tx {
        Tx::Sqlite(c) => {
            let of = "SELECT id, version FROM channels
                      WHERE id IN (SELECT value FROM json_each($1)) AND deleted_at IS NULL";
            counted(sqlx::query_as(of).bind(packed::text(&ids)?)).fetch_all(&mut **c).await?
        }
        Tx::Postgres(c) => {
            let of = "SELECT id, version FROM channels WHERE id = ANY($1) AND deleted_at IS NULL";
            counted(sqlx::query_as(of).bind(ids)).fetch_all(&mut **c).await?
        }
    };
    Ok(rows.into_iter().map(|(id, version)| (id.into(), version)).collect())
}
