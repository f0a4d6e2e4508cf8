//! Sanctions, reports and the audit log: what those who keep order have in hand.

use madang_proto::{
    MessageId, ReportId, SanctionId, WorkspaceId,
    audit::{AuditEntry, AuditQuery},
    page::Page,
    reports::{CreateReport, Report, ReportsQuery, ResolveReport},
    sanctions::{CreateSanction, Sanction, SanctionsQuery},
};

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `POST /workspaces/:id/sanctions`
    pub async fn create_sanction(&self, id: WorkspaceId, body: &CreateSanction) -> Result<Sanction, Error> {
        self.post(&format!("/workspaces/{id}/sanctions"), body).await
    }

    /// `GET /workspaces/:id/sanctions`: one page.
    pub async fn sanctions(&self, id: WorkspaceId, query: &SanctionsQuery) -> Result<Page<Sanction>, Error> {
        self.get_with(&format!("/workspaces/{id}/sanctions"), query).await
    }

    /// `DELETE /workspaces/:id/sanctions/:sanction_id`
    pub async fn lift_sanction(&self, workspace: WorkspaceId, id: SanctionId) -> Result<(), Error> {
        self.delete(&format!("/workspaces/{workspace}/sanctions/{id}")).await
    }

    /// `POST /messages/:id/report`
    pub async fn report(&self, id: MessageId, reason: &str) -> Result<Report, Error> {
        self.post(&format!("/messages/{id}/report"), &CreateReport { reason: reason.to_owned() }).await
    }

    /// `GET /workspaces/:id/reports`: one page.
    pub async fn reports(&self, id: WorkspaceId, query: &ReportsQuery) -> Result<Page<Report>, Error> {
        self.get_with(&format!("/workspaces/{id}/reports"), query).await
    }

    /// `PUT /workspaces/:id/reports/:report_id`
    pub async fn resolve_report(
        &self,
        workspace: WorkspaceId,
        id: ReportId,
        body: &ResolveReport,
    ) -> Result<Report, Error> {
        self.put(&format!("/workspaces/{workspace}/reports/{id}"), body).await
    }

    /// `GET /workspaces/:id/audit`: one page.
    pub async fn audit(&self, id: WorkspaceId, query: &AuditQuery) -> Result<Page<AuditEntry>, Error> {
        self.get_with(&format!("/workspaces/{id}/audit"), query).await
    }
}
