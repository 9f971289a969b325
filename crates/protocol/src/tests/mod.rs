//! Tests of whole graphs: toy contracts with small groups, in several shapes.

mod changes;
mod cost;
mod fee_child;
mod funding;
mod graph;
mod lint;
mod lint_search;
mod messages;
mod moves;
mod mutation;
mod packing;
mod presign;
mod recover;
mod search;
mod spend;
mod timeouts;
mod toy;
