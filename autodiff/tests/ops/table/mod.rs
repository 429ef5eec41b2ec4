//! The table: a row for every op, by family. A new op needs a row here.

mod choose;
mod elementwise;
mod fold;
mod join;
mod network;
mod pairs;
mod products;
mod shape;
mod spatial;

use crate::case::Case;

/// All rows.
pub(crate) fn cases() -> Vec<Case> {
    let families = [
        elementwise::cases,
        pairs::cases,
        fold::cases,
        shape::cases,
        join::cases,
        choose::cases,
        products::cases,
        network::cases,
        spatial::cases,
    ];
    families.iter().flat_map(|family| family()).collect()
}
