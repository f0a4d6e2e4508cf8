//! What the ways to speak to the gateway cost: encodings, compression, joined frames, TLS. There is no target for
//! them.

use super::super::suite::WAYS;
use super::{Reports, Row, Table, number, short, shown};

/// A row for each way, and one for idle connections.
pub fn rows(reports: &Reports<'_>, table: &mut Table) {
    let cpu = "/server_cpu_us_per_delivery";
    for (way, _) in WAYS {
        let name = &format!("wire-{way}");
        let part =
            |part: usize, path: &str| reports.median(name, |r| number(r, &format!("/parts/{part}{path}")));
        let more = format!(
            "{} at {}; {} a delivery; at most {}",
            shown(part(0, cpu), " µs"),
            shown(part(0, "/deliveries_per_second"), "/s"),
            shown(reports.at(name, "/bytes_per_delivery"), " bytes"),
            shown(part(1, "/deliveries_per_second"), "/s"),
        );
        let what = format!("server CPU a delivery, room of 1,000, saturated: {}", way.replace('-', ", "));
        table.add_known("WIRE", what, part(1, cpu), " µs", more);
    }
    let kb = |name: &str| reports.at(name, "/server_bytes_per_connection").map(|bytes| bytes / 1024.0);
    let against = format!("{} without", shown(kb("wire-idle"), " KB"));
    table.add_known("WIRE", "idle connection over TLS".to_owned(), kb("wire-idle-tls"), " KB", against);
}

impl Table {
    /// A row without a target.
    pub(super) fn add_known(
        &mut self,
        id: &'static str,
        what: String,
        figure: Option<f64>,
        unit: &str,
        more: String,
    ) {
        let measured = figure.map_or_else(|| "–".to_owned(), |f| format!("{}{unit}", short(f)));
        let verdict = match (figure, self.quick) {
            (None, _) => "not measured",
            (Some(_), true) => "quick: says nothing",
            (Some(_), false) => "to be known",
        };
        self.rows.push(Row { id, target: what, measured, against: more, verdict: verdict.to_owned() });
    }
}
