//! Several nodes as one server.

use super::{Limit, Reports, Table, number, shown};

/// Its rows.
pub fn rows(reports: &Reports<'_>, table: &mut Table) {
    let at = |path: &str| reports.at("cluster", path);
    let (nodes, connections) = (shown(at("/cluster/nodes"), ""), shown(at("/connections"), ""));
    let faults = ["lost", "doubled", "disordered", "unstored"];
    let faults = reports
        .median("cluster", |r| faults.iter().map(|fault| number(&r["faults"], &format!("/{fault}"))).sum());
    let against = format!("{connections} connections over {nodes} nodes, one of them killed");
    table.add(
        "T8",
        "several nodes: nothing lost, doubled, out of order",
        faults,
        "",
        against,
        Limit::AtMost(0.0),
    );
    let bus = at("/cluster/bus_per_event_and_node");
    let against = format!("{} messages", shown(at("/stored"), ""));
    table.add("T8", "bus messages an event and node ≤ 1", bus, "", against, Limit::AtMost(1.0));
    let against = format!(
        "delivery p50 / p99 {} / {}, on one node {} / {}",
        shown(at("/delivery/p50_ms"), " ms"),
        shown(at("/delivery/p99_ms"), " ms"),
        shown(at("/cluster/alone/p50_ms"), " ms"),
        shown(at("/cluster/alone/p99_ms"), " ms"),
    );
    let added = at("/cluster/added_p99_ms");
    table.add_known("T8", "p99 that several nodes add".to_owned(), added, " ms", against);
    let back = at("/cluster/back/p99_ms").map(|ms| ms / 1e3);
    let against = format!(
        "p50 {}, the last {}; {} came back",
        shown(at("/cluster/back/p50_ms"), " ms"),
        shown(at("/cluster/back/max_ms"), " ms"),
        shown(at("/cluster/back/count"), "")
    );
    table.add_known(
        "T8",
        "a node is killed: 99 % back at another, without a gap".to_owned(),
        back,
        " s",
        against,
    );
}
