//! What `simulate` and the commands of real use share: secrets, the setup by messages, a party on a chain.

pub(crate) mod chain;
pub(crate) mod home;
pub(crate) mod player;
pub(crate) mod seat;
pub(crate) mod secrets;
pub(crate) mod setup;
