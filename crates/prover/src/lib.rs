//! The engines of both parties, one-time keys and their store.
