//! Stores under crashes and damage, presigning under restarts, and whole disputes between two engines.

#[path = "../../../verifier/tests/suite/circuits.rs"]
mod circuits;
mod damage;
mod dispute;
mod duties;
mod equivocation;
mod game;
mod liars;
#[path = "../../../verifier/tests/suite/machine.rs"]
mod machine;
#[expect(
    dead_code,
    reason = "shared with the verifier's tests, which use the rest"
)]
#[path = "../../../verifier/tests/suite/parties.rs"]
mod parties;
mod presigning;
mod search;
mod search_duties;
mod search_restarts;
mod store;
#[path = "../../../verifier/tests/suite/traces.rs"]
mod traces;
