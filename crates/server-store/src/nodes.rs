//! Table `nodes`: which servers write audit chains, and when each was last seen.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{AuditRow, Store, StoreError};

impl Store {
    /// A server begins a chain of this name.
    pub async fn add_node(&self, node: &str, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO nodes (node, started_ms, seen_ms) VALUES ($1, $2, $2)")
            .bind(node)
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// It still runs, also if another took it for dead meanwhile.
    pub async fn node_lives(&self, node: &str, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE nodes SET seen_ms = $1, closed_ms = NULL WHERE node = $2")
            .bind(now_ms)
            .bind(node)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Everything that its requests left is settled: it ended in order, or another has done it.
    pub async fn close_node(&self, node: &str, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE nodes SET closed_ms = $1 WHERE node = $2")
            .bind(now_ms)
            .bind(node)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes on the nodes that were not seen since `before_ms` and were not closed. Each counts as seen now, so that no two
    /// take it on at once; and again later if the one that did is not seen any more either.
    pub async fn take_on_dead_nodes(&self, now_ms: i64, before_ms: i64) -> Result<Vec<String>, StoreError> {
        let rows =
            sqlx::query("SELECT node FROM nodes WHERE closed_ms IS NULL AND seen_ms < $1 ORDER BY node")
                .bind(before_ms)
                .fetch_all(&self.pool)
                .await?;
        let mut taken = Vec::new();
        for row in &rows {
            let node: String = row.try_get("node")?;
            let claim =
                "UPDATE nodes SET seen_ms = $1 WHERE node = $2 AND closed_ms IS NULL AND seen_ms < $3";
            let claimed =
                sqlx::query(claim).bind(now_ms).bind(&node).bind(before_ms).execute(&self.pool).await?;
            if claimed.rows_affected() == 1 {
                taken.push(node);
            }
        }
        Ok(taken)
    }

    /// Records of a chain, after `after_seq` and in order, that are the only ones about their request in any chain: refusals,
    /// and requests of which nobody wrote how they ended.
    pub async fn lone_records(
        &self,
        node: &str,
        after_seq: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM audit_records a WHERE a.node = $1 AND a.seq > $2 AND NOT EXISTS \
             (SELECT 1 FROM audit_records b WHERE b.request_id = a.request_id AND (b.node <> a.node OR b.seq <> a.seq)) \
             ORDER BY a.seq LIMIT $3",
        )
        .bind(node)
        .bind(after_seq)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row: &AnyRow| AuditRow::read(row)).collect()
    }
}
