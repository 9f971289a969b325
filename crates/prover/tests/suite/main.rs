//! Stores under crashes and damage, presigning under restarts, and whole disputes between two engines.

mod damage;
mod dispute;
mod duties;
mod game;
#[expect(
    dead_code,
    reason = "shared with the verifier's tests, which use the rest"
)]
#[path = "../../../verifier/tests/suite/parties.rs"]
mod parties;
mod presigning;
mod store;
